import { SlidingWindows, StreamsBuilder, string, UnlimitedWindows } from '../../src/index.ts';
import { type Params, strings, type TopologyFamily, text } from './family.ts';
import { retentionOf } from './sessions.ts';

export function slidingOf(params: Params): SlidingWindows {
  return SlidingWindows.ofTimeDifferenceAndGrace(params['diff'] as number, params['grace'] as number);
}

const key = { kind: 'time', sizeParam: 'diff' } as const;

/** Sliding and unlimited windows. */
export const sliding: TopologyFamily = {
  'sliding-aggregate': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(slidingOf(params))
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          { value: string(), materialized: { name: 'win', store, ...retentionOf(params) } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key },
  },

  'sliding-reduce': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(slidingOf(params))
        .reduce((aggregate, value) => (value.startsWith('x') ? null : `${aggregate}+${value}`), {
          materialized: { name: 'win', store, ...retentionOf(params) },
        })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key },
  },

  'sliding-count': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(slidingOf(params))
        .count({ materialized: { name: 'win', store, ...retentionOf(params) } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key, value: 'long' },
  },

  'unlimited-aggregate': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(UnlimitedWindows.of().startOn(params['start'] as number))
        .aggregate(
          () => '',
          (_key, value, aggregate) => aggregate + text(value),
          { value: string(), materialized: { name: 'win', store } },
        )
        .toStream((window) => `${window.key}@${window.window.startMs}`)
        .to('out');
      return builder.build();
    },
  },
};
