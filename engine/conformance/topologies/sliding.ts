import { SlidingWindows, StreamsBuilder, string, type TimeWindowedKStream, UnlimitedWindows } from '../../src/index.ts';
import { type Params, strings, type TopologyFamily, text } from './family.ts';
import { regrouped, retentionOf } from './windows.ts';

export function slidingOf(builder: StreamsBuilder, params: Params): TimeWindowedKStream<string, string> {
  return builder
    .stream('in', strings)
    .groupByKey()
    .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(params['diff'] as number, params['grace'] as number));
}

const key = { kind: 'time', sizeParam: 'diff' } as const;
const params = ['diff', 'grace', 'retention'] as const;

/** Sliding and unlimited windows. */
export const sliding: TopologyFamily = {
  'sliding-aggregate': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      slidingOf(builder, params)
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
      slidingOf(builder, params)
        .reduce((aggregate, value) => (value.startsWith('x') ? null : `${aggregate}+${value}`), {
          materialized: { name: 'win', store, ...retentionOf(params) },
        })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key },
    params,
  },

  'sliding-count': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      slidingOf(builder, params)
        .count({ materialized: { name: 'win', store, ...retentionOf(params) } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key, value: 'long' },
    params,
  },

  'sliding-regrouped': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const table = slidingOf(builder, params).aggregate(
        () => '',
        (_key, value, aggregate) => aggregate + text(value),
        { value: string(), materialized: { name: 'win', store, ...retentionOf(params) } },
      );
      regrouped(table, store);
      return builder.build();
    },
    params,
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
        .toStream(({ key, window }) => `${key}@${window.startMs}`)
        .to('out', { key: string() });
      return builder.build();
    },
    params: ['start'],
  },
};
