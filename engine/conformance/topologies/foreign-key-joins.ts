import { type KTable, StreamsBuilder, type Topology } from '../../src/index.ts';
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

/** `join` or `leftJoin` by the foreign key in the value, without names. */
type Join = (left: Texts, right: Texts) => Texts;

const join =
  (isLeft: boolean): Join =>
  (left, right) =>
    isLeft ? left.leftJoin(right, foreignKey, joined) : left.join(right, foreignKey, joined);

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

function family(kind: 'inner' | 'left'): TopologyFamily {
  const isLeft = kind === 'left';
  const by = join(isLeft);
  return {
    [`fk-${kind}-join`]: {
      build: (params, store) => {
        const builder = new StreamsBuilder();
        const left = builder.table('left', { ...strings, materialized: { name: 'lt', store } });
        const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
        const options = { name: 'fkj', materialized: { ...strings, name: 'res', store } };
        const result = isLeft
          ? left.leftJoin(right, foreignKey, joined, options)
          : left.join(right, foreignKey, joined, options);
        result.toStream().to('out', strings);
        return built(builder, params);
      },
      params: settings,
    },

    [`fk-${kind}-join-unnamed`]: ofTables((table) => by(table('left'), table('right'))),

    [`fk-${kind}-join-keyed`]: ofTables((table, store) => {
      const ofKey = (value: string, key: string): string | null => (value === 'x' ? null : `f${key.charCodeAt(0) % 3}`);
      const [left, right] = [table('left'), table('right')];
      const options = { materialized: { ...strings, store } };
      return isLeft ? left.leftJoin(right, ofKey, joined, options) : left.join(right, ofKey, joined, options);
    }),

    [`fk-${kind}-join-of-joins`]: ofTables(
      (table, store) => {
        const left = table('left').outerJoin(table('left2'), joined, { materialized: { ...strings, store } });
        const right = table('right').leftJoin(table('right2'), joined, { materialized: { ...strings, store } });
        return by(left, right);
      },
      ['left', 'left2'],
    ),

    [`fk-${kind}-join-of-views`]: ofTables((table) => {
      const left = table('left').mapValues((value) => `${value}!`, { materialized: strings });
      const right = table('right').filter((_key, value) => !value.startsWith('x'));
      return by(left, right);
    }),

    [`fk-${kind}-join-chain`]: ofTables((table, store) => {
      const options = { materialized: { ...strings, store } };
      const [left, right] = [table('left'), table('right')];
      const first = isLeft
        ? left.leftJoin(right, foreignKey, joined, options)
        : left.join(right, foreignKey, joined, options);
      return by(first, table('third'));
    }),

    [`fk-${kind}-join-then-join`]: ofTables(
      (table, store) => {
        const options = { materialized: { ...strings, store } };
        const [left, right] = [table('left'), table('right')];
        const first = isLeft
          ? left.leftJoin(right, foreignKey, joined, options)
          : left.join(right, foreignKey, joined, options);
        return first.outerJoin(table('left2'), joined);
      },
      ['left', 'left2'],
    ),

    [`fk-${kind}-join-regrouped`]: ofTables((table, store) => {
      const options = { name: 'fkj', materialized: { ...strings, store } };
      const [left, right] = [table('left'), table('right')];
      const result = isLeft
        ? left.leftJoin(right, foreignKey, joined, options)
        : left.join(right, foreignKey, joined, options);
      return result
        .groupBy((key, value) => [value.slice(-1), key + value] as const, { ...strings, name: 'g' })
        .aggregate(
          () => '0',
          (_key, value, aggregate) => `${aggregate}+${value}`,
          (_key, value, aggregate) => `${aggregate}-${value}`,
          { ...strings, materialized: { name: 'agg', store } },
        );
    }),

    [`fk-${kind}-join-fanned`]: {
      build: (params, store) => {
        const builder = new StreamsBuilder();
        const left = fanned(builder, 'left').toTable({ materialized: { ...strings, name: 'lt', store } });
        const right = fanned(builder, 'right').toTable({ materialized: { ...strings, name: 'rt', store } });
        const options = { materialized: { ...strings, name: 'res', store } };
        const result = isLeft
          ? left.leftJoin(right, foreignKey, joined, options)
          : left.join(right, foreignKey, joined, options);
        result.toStream().to('out', strings);
        return built(builder, params);
      },
      params: settings,
    },

    // Both sides read one table, so keys of the right one are those that the left one points to.
    [`fk-${kind}-join-of-itself`]: ofTables((table) => {
      const one = table('right');
      const pointing = (value: string): string | null => (value.startsWith('x') ? null : `f${value.length % 3}`);
      return isLeft ? one.leftJoin(one, pointing, joined) : one.join(one, pointing, joined);
    }, []),

    [`fk-${kind}-join-of-aggregates`]: {
      build: (params, store) => {
        const builder = new StreamsBuilder();
        const left = builder
          .stream('left', strings)
          .groupByKey()
          .reduce((_old, value) => value, { materialized: { name: 'lt', store } });
        const right = builder.stream('right', strings).toTable({ materialized: { store } });
        by(left, right).toStream().to('out', strings);
        return built(builder, params);
      },
      params: settings,
    },
  };
}

/** Foreign-key joins. */
export const foreignKeyJoins: TopologyFamily = { ...family('inner'), ...family('left') };
