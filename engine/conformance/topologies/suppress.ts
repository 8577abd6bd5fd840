import { BufferConfig, SlidingWindows, StreamsBuilder, Suppressed, string, TimeWindows } from '../../src/index.ts';
import { fanned, hoppingTexts, Origin } from './cached.ts';
import { joined, type Params, strings, type TopologyFamily, text } from './family.ts';
import { retentionOf, sessionsOf } from './sessions.ts';

/** Retention of windows that no test outlives, ms. */
const AMPLE = 100_000;

const concatenated = (_key: unknown, value: string | null, aggregate: string): string => aggregate + text(value);

function limited(params: Params, buffer: BufferConfig): Suppressed<unknown> {
  return Suppressed.untilTimeLimit(params['limit'] as number, buffer);
}

/** `suppress`, both kinds. */
export const suppress: TopologyFamily = {
  'tumbling-suppress-final': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(params['size'] as number, params['grace'] as number))
        .aggregate(() => '', concatenated, {
          value: string(),
          materialized: { name: 'win', store, retentionMs: params['retention'] || undefined },
        })
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },

  'session-suppress-final': {
    params: ['gap', 'grace', 'retention'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(sessionsOf(params))
        .aggregate(
          () => '',
          concatenated,
          (_key, aggregate, other) => `(${aggregate}&${other})`,
          {
            value: string(),
            materialized: { name: 'ses', store, ...retentionOf(params) },
          },
        )
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'session' } },
  },

  // An inclusive end, and grace without the window's length.
  'sliding-suppress-final': {
    params: ['diff', 'grace'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(params['diff'] as number, params['grace'] as number))
        .aggregate(() => '', concatenated, {
          value: string(),
          materialized: { name: 'win', store, retentionMs: AMPLE },
        })
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'diff' } },
  },

  // Two inputs with times of their own in front of one suppression.
  'cogroup-suppress-final': {
    params: ['size', 'grace'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings).groupByKey();
      const right = builder.stream('right', strings).groupByKey();
      left
        .cogroup<string>(concatenated)
        .cogroup(right, (_key, value, aggregate) => `${aggregate}~${text(value)}`)
        .windowedBy(TimeWindows.ofSizeAndGrace(params['size'] as number, params['grace'] as number))
        .aggregate(() => '', { value: string(), materialized: { name: 'win', store, retentionMs: AMPLE } })
        .suppress(Suppressed.untilWindowCloses())
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },

  'suppress-time-limit': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const buffer = BufferConfig.maxRecords(params['maxRecords'] as number).emitEarlyWhenFull();
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .suppress(Suppressed.untilTimeLimit(params['limit'] as number, buffer, { name: 'rate' }))
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  // A limit of bytes, and generated names.
  'suppress-max-bytes': {
    params: ['limit', 'maxBytes'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .suppress(limited(params, BufferConfig.maxBytes(params['maxBytes'] as number)))
        .toStream()
        .to('out');
      return builder.build();
    },
  },

  // Windows whose result fails the filter are deletions, which final results leave out.
  'hopping-filter-suppress-final': {
    params: ['size', 'advance', 'grace'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const windows = TimeWindows.ofSizeAndGrace(params['size'] as number, params['grace'] as number);
      builder
        .stream('in', strings)
        .groupByKey()
        .windowedBy(windows.advanceBy(params['advance'] as number))
        .aggregate(() => '', concatenated, {
          value: string(),
          materialized: { name: 'win', store, retentionMs: AMPLE },
        })
        .filter((_key, value) => value.length % 2 === 0)
        .suppress(Suppressed.untilWindowCloses())
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },

  // A join sees what was let through last.
  'suppress-stream-table-join': {
    params: ['limit', 'maxRecords'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const table = builder
        .table('right', { ...strings, materialized: { name: 'rt', store } })
        .suppress(limited(params, BufferConfig.maxRecords(params['maxRecords'] as number)));
      builder.stream('left', strings).leftJoin(table, joined).to('out', { value: string() });
      return builder.build();
    },
  },

  // Old values come out of the buffer.
  'suppress-regrouped': {
    params: ['limit', 'maxRecords'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .suppress(limited(params, BufferConfig.maxRecords(params['maxRecords'] as number)))
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

  // Many changes in a commit, with headers, seen with their origin; behind a cache, too.
  'suppress-fanned': {
    params: ['limit', 'maxRecords', 'cacheBytes'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      fanned(builder, 'in')
        .groupByKey(strings)
        .reduce((aggregate, value) => (aggregate.length > 12 ? null : aggregate + value), {
          materialized: { name: 'r', store },
        })
        .suppress(limited(params, BufferConfig.maxRecords(params['maxRecords'] as number)))
        .toStream()
        .processValues(() => new Origin())
        .to('out', strings);
      return builder.build();
    },
  },

  'suppress-fanned-final': {
    params: ['size', 'advance', 'grace', 'cacheBytes'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      hoppingTexts(builder, 'in', 'w', params, store)
        .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
        .toStream()
        .to('out');
      return builder.build();
    },
    output: { key: { kind: 'time', sizeParam: 'size' } },
  },

  // One buffer behind another, the first without a changelog, and a store below them.
  'suppress-twice-filter': {
    params: ['limit', 'maxRecords'],
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const limitMs = params['limit'] as number;
      builder
        .table('in', { ...strings, materialized: { name: 'src', store } })
        .suppress(Suppressed.untilTimeLimit(limitMs, BufferConfig.unbounded(), { loggingEnabled: false }))
        .suppress(limited(params, BufferConfig.maxRecords(params['maxRecords'] as number)))
        .filter((_key, value) => !value.startsWith('x'), { materialized: { name: 'filtered', store } })
        .toStream()
        .to('out');
      return builder.build();
    },
  },
};
