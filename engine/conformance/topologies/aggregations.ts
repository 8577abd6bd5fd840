import { StreamsBuilder, string } from '../../src/index.ts';
import { strings, type TopologyFamily } from './family.ts';

export const aggregations: TopologyFamily = {
  'kv-count': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .count({ materialized: { name: 'counts', store } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { value: 'long' },
  },

  'kv-reduce-regroup': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupBy((_key, value: string | null) => (value === null ? (null as unknown as string) : value.slice(0, 1)), {
          key: string(),
          name: 'byfirst',
        })
        .reduce((aggregate, value) => `${aggregate}+${value}`, { materialized: { name: 'reduced', store } })
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  'kv-aggregate-concat': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .aggregate(
          () => '',
          (_key, value, aggregate) => (value === 'x' ? null : aggregate + value),
          { value: string(), materialized: { name: 'agg', store } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  'table-groupby-aggregate': {
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .groupBy((key, value) => [value.slice(0, 1), key + value] as const, { ...strings, name: 'byfirst' })
        .aggregate(
          () => '0',
          (_key, value, aggregate) => `${aggregate}+${value}`,
          (_key, value, aggregate) => `${aggregate}-${value}`,
          { value: string(), materialized: { name: 'agg', store } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  /** Aggregates that become null on either side, keys that the mapper does not select, and what is made of the old aggregates. */
  'table-groupby-null-aggregate': {
    params: [],
    build: (_params, store) => {
      const builder = new StreamsBuilder();
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .groupBy(
          (key, value) =>
            [value.startsWith('c') ? (null as unknown as string) : value.slice(0, 1), key + value] as const,
          {
            ...strings,
            name: 'byfirst',
          },
        )
        .aggregate(
          () => '0',
          (_key, value, aggregate) => (aggregate.length > 24 ? null : `${aggregate}+${value}`),
          (_key, value, aggregate) => (value.startsWith('B') ? null : `${aggregate}-${value}`),
          { value: string(), materialized: { name: 'agg', store } },
        )
        .filter((_key, value) => !value.endsWith('1'))
        .groupBy((key, value) => [String(value.length % 3), key + value] as const, { ...strings, name: 'bylength' })
        .reduce(
          (aggregate, value) => (aggregate.length > 60 ? null : `${aggregate}&${value}`),
          (aggregate, value) => (value.startsWith('x') ? null : `${aggregate}~${value}`),
          { materialized: { name: 'red', store } },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  'table-filter-mapvalues': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .filter(
          (_key, value) => !value.startsWith('x'),
          params['materializeFilter'] ? { materialized: { name: 'filtered', store } } : {},
        )
        .mapValues((value) => `${value}!`)
        .toStream()
        .to('out', strings);
      return builder.build();
    },
  },
};
