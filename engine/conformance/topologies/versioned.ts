import { StreamsBuilder, string } from '../../src/index.ts';
import { joined, type Medium, type NamedTopology, type Params, strings, type TopologyFamily } from './family.ts';

function table(builder: StreamsBuilder, topic: string, name: string, params: Params, store: Medium) {
  const historyRetentionMs = params['history'] as number;
  return builder.table(topic, { ...strings, materialized: { name, store, historyRetentionMs } });
}

/** At most the history, of which fresh inputs know nothing. */
function graceOf(params: Params): number {
  return Math.min(params['grace'] as number, params['history'] as number);
}

/** A stream that waits for a versioned table. */
function graceJoin(kind: 'join' | 'leftJoin'): NamedTopology {
  return {
    params: ['history', 'grace'],
    inputs: kind === 'leftJoin' ? { keyed: ['left'] } : {},
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings);
      const right = table(builder, 'right', 'rt', params, store);
      const options = { name: 'vj', graceMs: graceOf(params), store };
      const result = kind === 'join' ? left.join(right, joined, options) : left.leftJoin(right, joined, options);
      result.to('out', strings);
      return builder.build();
    },
  };
}

/** Two versioned tables. */
function tableJoin(kind: 'join' | 'leftJoin' | 'outerJoin'): NamedTopology {
  return {
    params: ['history'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = table(builder, 'left', 'lt', params, store);
      const right = table(builder, 'right', 'rt', params, store);
      const result =
        kind === 'join'
          ? left.join(right, joined)
          : kind === 'leftJoin'
            ? left.leftJoin(right, joined)
            : left.outerJoin(right, joined);
      result.toStream().to('out', strings);
      return builder.build();
    },
  };
}

/** What stands before the colon; nothing, without one. */
function foreignKey(value: string): string | null {
  const at = value.indexOf(':');
  return at > 0 ? value.slice(0, at) : null;
}

/** Two versioned tables by a foreign key; the result keeps versions, too, and is filtered. */
function foreignKeyJoin(kind: 'join' | 'leftJoin'): NamedTopology {
  return {
    params: ['history'],
    inputs: { foreignKeys: ['left'] },
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = table(builder, 'left', 'lt', params, store);
      const right = table(builder, 'right', 'rt', params, store);
      const historyRetentionMs = params['history'] as number;
      const options = { name: 'fkj', materialized: { ...strings, name: 'res', store, historyRetentionMs } };
      const result =
        kind === 'join'
          ? left.join(right, foreignKey, joined, options)
          : left.leftJoin(right, foreignKey, joined, options);
      result
        .filter((_key, value) => !value.endsWith('|null'))
        .toStream()
        .to('out', strings);
      return builder.build();
    },
  };
}

/** Versioned tables and joins with grace. */
export const versioned: TopologyFamily = {
  'stream-versioned-table-grace-join': graceJoin('leftJoin'),
  'stream-versioned-table-grace-inner-join': graceJoin('join'),
  'versioned-table-table-inner-join': tableJoin('join'),
  'versioned-table-table-left-join': tableJoin('leftJoin'),
  'versioned-table-table-outer-join': tableJoin('outerJoin'),

  'versioned-fk-left-join': foreignKeyJoin('leftJoin'),
  'versioned-fk-inner-join': foreignKeyJoin('join'),

  /** A filter that may be kept gives its versions up, though nothing keeps it: joins then take changes of the past. */
  'versioned-filter-unnamed-join': {
    params: ['history'],
    inputs: { foreignKeys: ['left'] },
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const unversioned = { materialized: { ...strings, store } };
      const left = table(builder, 'left', 'lt', params, store).filter((_key, value) => value !== 'x', unversioned);
      const right = table(builder, 'right', 'rt', params, store).filter((_key, value) => value !== 'x', unversioned);
      left.outerJoin(right, joined).toStream().to('out', strings);
      left.leftJoin(right, foreignKey, joined, { name: 'fkj', materialized: strings }).toStream().to('out-fk', strings);
      builder.stream('in', strings).leftJoin(right, joined).to('out-stream', strings);
      return builder.build();
    },
  },

  /** Names that nobody gave: repartition topic, node and buffer. */
  'stream-versioned-table-grace-unnamed': {
    params: ['history', 'grace', 'optimise'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const right = table(builder, 'right', 'rt', params, store);
      builder
        .stream('left', strings)
        .selectKey((key, value: string | null) => (value === null ? key : value.slice(0, 1)))
        .join(right, joined, { ...strings, graceMs: graceOf(params), store })
        .to('out', strings);
      return builder.build({ topologyOptimization: params['optimise'] ? 'all' : 'none' });
    },
  },

  /** Without grace: the version of the record's time, at once. */
  'stream-versioned-table-left-join': {
    params: ['history'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings);
      left.leftJoin(table(builder, 'right', 'rt', params, store), joined).to('out', strings);
      return builder.build();
    },
  },

  /** Changes of the past pass through to the stream. */
  'versioned-table-filter-mapvalues': {
    params: ['history', 'materializeFilter'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      table(builder, 'in', 'src', params, store)
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

  /** Aggregates leave changes of the past out. */
  'versioned-table-groupby-aggregate': {
    params: ['history'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      table(builder, 'in', 'src', params, store)
        .groupBy((key, value) => [value.slice(0, 1), key + value] as const, { ...strings, name: 'byfirst' })
        .aggregate(
          () => '0',
          (_key, value, aggregate) => `${aggregate}+${value}`,
          (_key, value, aggregate) => `${aggregate}-${value}`,
          {
            value: string(),
            materialized: { name: 'agg', store, historyRetentionMs: params['history'] as number },
          },
        )
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  /** A versioned aggregate of a stream, joined at the record's time through a filter that is not kept. */
  'versioned-reduce-filter-grace-join': {
    params: ['history', 'grace'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const historyRetentionMs = params['history'] as number;
      const right = builder
        .stream('right', strings)
        .groupByKey()
        .reduce((aggregate, value) => (value.startsWith('x') ? null : `${aggregate}+${value}`) as string, {
          materialized: { name: 'red', store, historyRetentionMs },
        })
        .filter((_key, value) => value.length < 12)
        .mapValues((value) => `${value}!`);
      builder
        .stream('left', strings)
        .join(right, joined, { name: 'vj', graceMs: graceOf(params), store })
        .to('out', strings);
      return builder.build();
    },
  },

  /** A stream kept by versions, regrouped and counted; the join keeps its result by versions, too. */
  'versioned-totable-join-count': {
    params: ['history'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const historyRetentionMs = params['history'] as number;
      const left = builder.stream('left', strings).toTable({ materialized: { name: 'lt', store, historyRetentionMs } });
      const right = table(builder, 'right', 'rt', params, store);
      left
        .join(right, joined, { materialized: { ...strings, name: 'res', store, historyRetentionMs } })
        .groupBy((_key, value) => [value.slice(0, 1), value] as const, { ...strings, name: 'byfirst' })
        .count({ materialized: { name: 'counts', store } })
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { value: 'long' },
  },
};
