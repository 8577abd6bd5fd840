import { StreamsBuilder, string, TimeWindows } from '../../src/index.ts';
import { type Medium, strings, type TopologyFamily } from './family.ts';

type Define = (builder: StreamsBuilder, store: Medium) => void;

const first = (value: string): string => value.slice(0, 1);
const kept = (name: string, store: Medium) => ({ materialized: { ...strings, name, store } });
const counted = (name: string, store: Medium) => ({ materialized: { name, store } });

const definitions: { readonly [name: string]: Define } = {
  'count-regrouped': (b, store) =>
    b
      .stream('in', strings)
      .groupByKey()
      .count(counted('c', store))
      .groupBy((k, n) => [`n${n % 3}`, k] as const, strings)
      .count(counted('d', store))
      .toStream()
      .mapValues((n) => String(n))
      .to('out', strings),

  'aggregate-regrouped': (b, store) =>
    b
      .stream('in', strings)
      .groupByKey()
      .aggregate(
        () => '-',
        (_k, v, a) => (v.startsWith('a') ? null : a + v),
        kept('a', store),
      )
      .groupBy((k, v) => ['all', k + v] as const, strings)
      .reduce(
        (a, v) => `${a}+${v}`,
        (a, v) => `${a}~${v}`,
        kept('r', store),
      )
      .toStream()
      .to('out', strings),

  'reduce-to-null': (b, store) =>
    b
      .stream('in', strings)
      .groupByKey()
      .reduce((a, v) => (v.startsWith('b') ? null : a + v), kept('r', store))
      .toStream()
      .to('out', strings),

  'table-regrouped-reduce': (b, store) =>
    b
      .table('in', strings)
      .groupBy((_k, v) => [first(v), v] as const, strings)
      .reduce(
        (a, v) => `${a}+${v}`,
        (a, v) => (a.length > 40 ? null : `${a}-${v}`),
        kept('r', store),
      )
      .toStream()
      .to('out', strings),

  'table-regrouped-count': (b, store) =>
    b
      .table('in', strings)
      .filter((_k, v) => !v.startsWith('c'))
      .groupBy((_k, v) => [first(v), v] as const, strings)
      .count(counted('c', store))
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

  'table-kept-chain': (b, store) =>
    b
      .table('in', strings)
      .filter((_k, v) => !v.startsWith('a'))
      .mapValues((v) => `${v}!`, kept('m', store))
      .filter((_k, v) => !v.startsWith('b'), kept('f', store))
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

  'global-inner-join': (b, store) => {
    const table = b.globalTable('in2', { ...strings, ...kept('g', store) });
    b.stream('in', strings)
      .join(
        table,
        (k) => k,
        (l, r, k) => `${k}${l}|${r}`,
      )
      .to('out', strings);
  },

  'window-reduce': (b, store) =>
    b
      .stream('in', strings)
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace(10, 4))
      .reduce((a, v) => a + v, kept('w', store))
      .toStream()
      .selectKey(({ key, window }) => `${key}@${window.startMs}-${window.endMs}`)
      .to('out', strings),

  'window-regrouped': (b, store) =>
    b
      .stream('in', strings)
      .groupBy((_k, v: string | null) => (v === null ? (null as unknown as string) : first(v)), strings)
      .windowedBy(TimeWindows.ofSizeAndGrace(12, 3).advanceBy(5))
      .aggregate(
        () => '',
        (_k, v, a) => (v.startsWith('c') ? null : a + v),
        kept('w', store),
      )
      .groupBy((w, v) => [w.key, v] as const, strings)
      .count(counted('c', store))
      .toStream()
      .mapValues((n) => String(n))
      .to('out', { key: string(), value: string() }),
};

/** Programs that chain operators, without parameters. */
export const programs: TopologyFamily = Object.fromEntries(
  Object.entries(definitions).map(([name, define]) => [
    name,
    {
      build: (_params, store) => {
        const builder = new StreamsBuilder();
        define(builder, store);
        return builder.build();
      },
    },
  ]),
);
