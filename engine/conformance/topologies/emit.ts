import { EmitStrategy, StreamsBuilder, string } from '../../src/index.ts';
import { strings, type TopologyFamily, text } from './family.ts';
import { retentionOf, sessionsOf } from './sessions.ts';
import { slidingOf } from './sliding.ts';
import { windowsOf } from './windows.ts';

const onClose = EmitStrategy.onWindowClose();

/** Emission on window close. */
export const emit: TopologyFamily = {
  'tumbling-emit-on-close': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(windowsOf(params))
        .emitStrategy(onClose)
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          { value: string(), materialized: { name: 'win', store, ...retentionOf(params) } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },

  'sliding-emit-on-close': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(slidingOf(params))
        .emitStrategy(onClose)
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          { value: string(), materialized: { name: 'win', store, ...retentionOf(params) } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'diff' } },
  },

  'session-emit-on-close': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(sessionsOf(params))
        .emitStrategy(onClose)
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          (_key, aggregate, other) => `(${aggregate}&${other})`,
          { value: string(), materialized: { name: 'ses', store, ...retentionOf(params) } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'session' } },
  },
};
