import { type ForeignKeyJoinOptions, type KTable, StreamsBuilder, type Topology } from '../../src/index.ts';
import {
  type FreshInputs,
  joined,
  type Medium,
  type NamedTopology,
  type Params,
  strings,
  type TopologyFamily,
} from './family.ts';
import { fanned } from './table-table-joins.ts';

type Texts = KTable<string, string>;

/** Caches on or off, source topics as changelogs or not. */
const settings = ['cacheBytes', 'optimise'];

function built(builder: StreamsBuilder, params: Params): Topology {
  return builder.build({ topologyOptimization: params['optimise'] ? 'all' : 'none' });
}

/** What stands before the colon; nothing, without one. */
function foreignKey(value: string): string | null {
  const at = value.indexOf(':');
  return at > 0 ? value.slice(0, at) : null;
}

/** `join` or `leftJoin`, by the foreign key in the value unless another is given. */
type Join = (
  left: Texts,
  right: Texts,
  options?: TextJoinOptions,
  by?: (value: string, key: string) => string | null,
) => Texts;
type TextJoinOptions = ForeignKeyJoinOptions<string, string, string>;

const joinOf =
  (kind: 'inner' | 'left'): Join =>
  (left, right, options, by = foreignKey) =>
    kind === 'left' ? left.leftJoin(right, by, joined, options) : left.join(right, by, joined, options);

/** Builds with tables that nobody named. */
function ofTables(
  result: (table: (topic: string) => Texts, store: Medium) => Texts,
  foreignKeys: readonly string[] = ['left'],
): NamedTopology {
  const inputs: FreshInputs = { foreignKeys };
  return {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const table = (topic: string) => builder.table(topic, { ...strings, materialized: { store } });
      result(table, store).toStream().to('out', strings);
      return built(builder, params);
    },
    inputs,
    params: settings,
  };
}

/** Builds with tables that `result` makes itself. */
function ofNamedTables(result: (builder: StreamsBuilder, store: Medium) => Texts): NamedTopology {
  return {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      result(builder, store).toStream().to('out', strings);
      return built(builder, params);
    },
    params: settings,
  };
}

/** One join, of tables of every kind. */
function single(kind: 'inner' | 'left', join: Join): TopologyFamily {
  return {
    [`fk-${kind}-join`]: ofNamedTables((builder, store) => {
      const left = builder.table('left', { ...strings, materialized: { name: 'lt', store } });
      const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
      return join(left, right, { name: 'fkj', materialized: { ...strings, name: 'res', store } });
    }),

    [`fk-${kind}-join-unnamed`]: ofTables((table) => join(table('left'), table('right'))),

    [`fk-${kind}-join-keyed`]: ofTables((table, store) => {
      const ofKey = (value: string, key: string): string | null => (value === 'x' ? null : `f${key.charCodeAt(0) % 3}`);
      return join(table('left'), table('right'), { materialized: { ...strings, store } }, ofKey);
    }),

    [`fk-${kind}-join-of-views`]: ofTables((table) => {
      const left = table('left').mapValues((value) => `${value}!`, { materialized: strings });
      const right = table('right').filter((_key, value) => !value.startsWith('x'));
      return join(left, right);
    }),

    [`fk-${kind}-join-fanned`]: ofNamedTables((builder, store) => {
      const left = fanned(builder, 'left').toTable({ materialized: { ...strings, name: 'lt', store } });
      const right = fanned(builder, 'right').toTable({ materialized: { ...strings, name: 'rt', store } });
      return join(left, right, { materialized: { ...strings, name: 'res', store } });
    }),

    // Both sides read one table, so keys of the right one are those that the left one points to.
    [`fk-${kind}-join-of-itself`]: ofTables((table) => {
      const one = table('right');
      const pointing = (value: string): string | null => (value.startsWith('x') ? null : `f${value.length % 3}`);
      return join(one, one, undefined, pointing);
    }, []),

    [`fk-${kind}-join-of-aggregates`]: ofNamedTables((builder, store) => {
      const left = builder
        .stream('left', strings)
        .groupByKey()
        .reduce((_old, value) => value, { materialized: { name: 'lt', store } });
      const right = builder.stream('right', strings).toTable({ materialized: { store } });
      return join(left, right);
    }),
  };
}

/** A join before or after another operator. */
function combined(kind: 'inner' | 'left', join: Join): TopologyFamily {
  return {
    [`fk-${kind}-join-of-joins`]: ofTables(
      (table, store) => {
        const left = table('left').outerJoin(table('left2'), joined, { materialized: { ...strings, store } });
        const right = table('right').leftJoin(table('right2'), joined, { materialized: { ...strings, store } });
        return join(left, right);
      },
      ['left', 'left2'],
    ),

    [`fk-${kind}-join-chain`]: ofTables((table, store) => {
      const first = join(table('left'), table('right'), { materialized: { ...strings, store } });
      return join(first, table('third'));
    }),

    [`fk-${kind}-join-then-join`]: ofTables(
      (table, store) => {
        const first = join(table('left'), table('right'), { materialized: { ...strings, store } });
        return first.outerJoin(table('left2'), joined);
      },
      ['left', 'left2'],
    ),

    [`fk-${kind}-join-regrouped`]: ofTables((table, store) => {
      const options = { name: 'fkj', materialized: { ...strings, store } };
      return join(table('left'), table('right'), options)
        .groupBy((key, value) => [value.slice(-1), key + value] as const, { ...strings, name: 'g' })
        .aggregate(
          () => '0',
          (_key, value, aggregate) => `${aggregate}+${value}`,
          (_key, value, aggregate) => `${aggregate}-${value}`,
          { ...strings, materialized: { name: 'agg', store } },
        );
    }),
  };
}

function family(kind: 'inner' | 'left'): TopologyFamily {
  const join = joinOf(kind);
  return { ...single(kind, join), ...combined(kind, join) };
}

/** Foreign-key joins. */
export const foreignKeyJoins: TopologyFamily = { ...family('inner'), ...family('left') };
