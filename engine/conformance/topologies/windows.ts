import {
  type KTable,
  StreamsBuilder,
  string,
  type TimeWindowedKStream,
  TimeWindows,
  type Windowed,
} from '../../src/index.ts';
import { type Medium, type Params, strings, type TopologyFamily, text } from './family.ts';

export function retentionOf(params: Params): { retentionMs?: number } {
  const retentionMs = params['ampleRetention'] ?? params['retention'];
  return retentionMs ? { retentionMs } : {};
}

/** Hopping where there is a parameter `advance`. */
export function windowedOf(builder: StreamsBuilder, params: Params): TimeWindowedKStream<string, string> {
  const windows = TimeWindows.ofSizeAndGrace(params['size'] as number, params['grace'] as number);
  return builder
    .stream('in', strings)
    .groupByKey()
    .windowedBy(params['advance'] ? windows.advanceBy(params['advance']) : windows);
}

/** What is added to and taken from the aggregates of windows, in one aggregate a key. */
export function regrouped(table: KTable<Windowed<string>, string>, store: Medium): void {
  table
    .groupBy((window, value) => [window.key, value], { ...strings, name: 'bykey' })
    .aggregate(
      () => '0',
      (_key, value, aggregate) => `${aggregate}+${text(value)}`,
      (_key, value, aggregate) => `${aggregate}-${text(value)}`,
      { value: string(), materialized: { name: 'agg', store } },
    )
    .toStream()
    .to('out');
}

const key = { kind: 'time', sizeParam: 'size' } as const;
const hopping = ['size', 'advance', 'grace', 'retention'] as const;

export const windows: TopologyFamily = {
  'tumbling-count': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      windowedOf(builder, params)
        .count({ materialized: { name: 'win', store, ...retentionOf(params) } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key, value: 'long' },
  },

  'hopping-aggregate': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      windowedOf(builder, params)
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

  'hopping-reduce': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      windowedOf(builder, params)
        .reduce((aggregate, value) => `${text(aggregate)}+${text(value)}`, {
          materialized: { name: 'win', store, ...retentionOf(params) },
        })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key },
    params: hopping,
  },

  'hopping-regrouped': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const table = windowedOf(builder, params).aggregate(
        () => '',
        (_key, value, aggregate) => (value === 'x' ? null : aggregate + text(value)),
        { value: string(), materialized: { name: 'win', store, ...retentionOf(params) } },
      );
      regrouped(table, store);
      return builder.build();
    },
    params: hopping,
  },
};
