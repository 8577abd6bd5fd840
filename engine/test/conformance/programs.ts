import { StreamsBuilder, string, TimeWindows, type Topology } from '../../src/index.ts';

const strings = { key: string(), value: string() };
const first = (value: string): string => value.slice(0, 1);
const kept = (name: string) => ({ materialized: { ...strings, name, store: 'memory' as const } });
const counted = (name: string) => ({ materialized: { name, store: 'memory' as const } });

/** The programs of `vectors/java/ProgramVectors.java`, line by line. */
export const programs: { readonly [name: string]: (builder: StreamsBuilder) => void } = {
  'count-regrouped': (b) =>
    b
      .stream('in', strings)
      .groupByKey()
      .count(counted('c'))
      .groupBy((k, n) => [`n${n % 3}`, k] as const, strings)
      .count(counted('d'))
      .toStream()
      .mapValues((n) => String(n))
      .to('out', strings),

  'aggregate-regrouped': (b) =>
    b
      .stream('in', strings)
      .groupByKey()
      .aggregate(
        () => '-',
        (_k, v, a) => (v.startsWith('a') ? null : a + v),
        kept('a'),
      )
      .groupBy((k, v) => ['all', k + v] as const, strings)
      .reduce(
        (a, v) => `${a}+${v}`,
        (a, v) => `${a}~${v}`,
        kept('r'),
      )
      .toStream()
      .to('out', strings),

  'reduce-to-null': (b) =>
    b
      .stream('in', strings)
      .groupByKey()
      .reduce((a, v) => (v.startsWith('b') ? null : a + v), kept('r'))
      .toStream()
      .to('out', strings),

  'table-regrouped-reduce': (b) =>
    b
      .table('in', strings)
      .groupBy((_k, v) => [first(v), v] as const, strings)
      .reduce(
        (a, v) => `${a}+${v}`,
        (a, v) => (a.length > 40 ? null : `${a}-${v}`),
        kept('r'),
      )
      .toStream()
      .to('out', strings),

  'table-regrouped-count': (b) =>
    b
      .table('in', strings)
      .filter((_k, v) => !v.startsWith('c'))
      .groupBy((_k, v) => [first(v), v] as const, strings)
      .count(counted('c'))
      .toStream()
      .mapValues((n: number | null) => String(n))
      .to('out', strings),

  'table-bare-filter': (b) =>
    b
      .table('in', strings)
      .filter((_k, v) => !v.startsWith('a'))
      .filterNot((_k, v) => v.startsWith('b'))
      .mapValues((v) => `${v}!`)
      .toStream()
      .to('out', strings),

  'table-kept-chain': (b) =>
    b
      .table('in', strings)
      .filter((_k, v) => !v.startsWith('a'))
      .mapValues((v) => `${v}!`, kept('m'))
      .filter((_k, v) => !v.startsWith('b'), kept('f'))
      .mapValues((v, k) => k + v)
      .toStream()
      .to('out', strings),

  'derived-table-join': (b) => {
    const table = b
      .table('in2', strings)
      .filter((_k, v) => !v.startsWith('a'))
      .mapValues((v, k) => k + v);
    b.stream('in', strings)
      .leftJoin(table, (l, r) => `${l}|${r}`)
      .to('out', strings);
  },

  'aggregate-join': (b) => {
    const table = b.stream('in2', strings).groupByKey().count();
    b.stream('in', strings)
      .join(table, (l, r, k) => `${k}${l}${r}`)
      .to('out', strings);
  },

  'bare-totable-join': (b) => {
    const select = (k: string, v: string | null) => (v === null ? k : first(v));
    const table = b.stream('in2', strings).selectKey(select).toTable({ materialized: strings });
    b.stream('in', strings)
      .selectKey(select)
      .join(table, (l, r) => `${l}|${r}`, strings)
      .to('out', strings);
  },

  'global-inner-join': (b) => {
    const table = b.globalTable('in2', { ...strings, ...kept('g') });
    b.stream('in', strings)
      .join(
        table,
        (k) => k,
        (l, r, k) => `${k}${l}|${r}`,
      )
      .to('out', strings);
  },

  'window-reduce': (b) =>
    b
      .stream('in', strings)
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace(10, 4))
      .reduce((a, v) => a + v, kept('w'))
      .toStream()
      .selectKey(({ key, window }) => `${key}@${window.startMs}-${window.endMs}`)
      .to('out', strings),

  'window-regrouped': (b) =>
    b
      .stream('in', strings)
      .groupBy((_k, v: string | null) => (v === null ? (null as unknown as string) : first(v)), strings)
      .windowedBy(TimeWindows.ofSizeAndGrace(12, 3).advanceBy(5))
      .aggregate(
        () => '',
        (_k, v, a) => (v.startsWith('c') ? null : a + v),
        kept('w'),
      )
      .groupBy((w, v) => [w.key, v] as const, strings)
      .count(counted('c'))
      .toStream()
      .mapValues((n) => String(n))
      .to('out', { key: string(), value: string() }),
};

/** The topology of one program. */
export function programTopology(name: string): Topology {
  const builder = new StreamsBuilder();
  (programs[name] as (builder: StreamsBuilder) => void)(builder);
  return builder.build();
}
