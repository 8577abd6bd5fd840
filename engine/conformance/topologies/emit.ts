import { EmitStrategy, StreamsBuilder, string, type TimeWindowedKStream } from '../../src/index.ts';
import {
  type Medium,
  type NamedTopology,
  type OutputFormat,
  type Params,
  type TopologyFamily,
  text,
} from './family.ts';
import { bySession } from './sessions.ts';
import { slidingOf } from './sliding.ts';
import { retentionOf, windowedOf } from './windows.ts';

const onClose = EmitStrategy.onWindowClose();

type Windowing = (builder: StreamsBuilder, params: Params) => TimeWindowedKStream<string, string>;

function time(windowing: Windowing, sizeParam: string, params: readonly string[]): NamedTopology {
  const output: OutputFormat = { key: { kind: 'time', sizeParam } };
  return {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      windowing(builder, params)
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
    output,
    params,
  };
}

function session(params: readonly string[]): NamedTopology {
  return {
    build: (params: Params, store: Medium) => {
      const builder = new StreamsBuilder();
      bySession(builder, params)
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
    params,
  };
}

/** Emission on window close. */
export const emit: TopologyFamily = {
  'tumbling-emit-on-close': time(windowedOf, 'size', ['size', 'grace', 'retention']),
  'hopping-emit-on-close': time(windowedOf, 'size', ['size', 'advance', 'grace', 'retention']),
  'sliding-emit-on-close': time(slidingOf, 'diff', ['diff', 'grace', 'retention']),
  'session-emit-on-close': session(['gap', 'grace', 'retention']),

  // With an interval, and retention that no input reaches: when windows are emitted shows, not what is lost meanwhile.
  'tumbling-emit-throttled': time(windowedOf, 'size', ['size', 'grace', 'ampleRetention', 'windowEmitIntervalMs']),
  'hopping-emit-throttled': time(windowedOf, 'size', [
    'size',
    'advance',
    'grace',
    'ampleRetention',
    'windowEmitIntervalMs',
  ]),
  'sliding-emit-throttled': time(slidingOf, 'diff', ['diff', 'grace', 'ampleRetention', 'windowEmitIntervalMs']),
  'session-emit-throttled': session(['gap', 'grace', 'ampleRetention', 'windowEmitIntervalMs']),
};
