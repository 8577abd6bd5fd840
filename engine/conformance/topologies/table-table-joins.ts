import {
  type KStream,
  type KTable,
  Stores,
  StreamsBuilder,
  type TableOptions,
  type Topology,
  type ValueTransformer,
  type ValueTransformerContext,
} from '../../src/index.ts';
import type { KeyValueStore } from '../../src/state/key-value-store.ts';
import { joined, type Medium, type NamedTopology, type Params, strings, type TopologyFamily, text } from './family.ts';

type Kind = 'inner' | 'left' | 'outer';
type Texts = KTable<string, string>;

/** Caches on or off, source topics as changelogs or not. */
const settings = ['cacheBytes', 'optimise'];

function built(builder: StreamsBuilder, params: Params): Topology {
  return builder.build({ topologyOptimization: params['optimise'] ? 'all' : 'none' });
}

const kinds: readonly Kind[] = ['inner', 'left', 'outer'];
const unmarked = (_key: string, value: string) => !value.startsWith('x');
const loud = (value: string) => `${value}!`;

function join(kind: Kind, left: Texts, right: Texts, options: TableOptions<string, string> = {}): Texts {
  if (kind === 'inner') return left.join(right, joined, options);
  return kind === 'left' ? left.leftJoin(right, joined, options) : left.outerJoin(right, joined, options);
}

/** A table of a topic without a name of its own. */
function bare(builder: StreamsBuilder, topic: string, store: Medium): Texts {
  return builder.table(topic, { ...strings, materialized: { store } });
}

/** Makes three records of each. */
export function fanned(builder: StreamsBuilder, topic: string): KStream<string, string> {
  return builder
    .stream(topic, strings)
    .flatMapValues(
      (value: string | null) => (value === null ? [value] : [value, `${value}'`, `${value}"`]) as string[],
    );
}

/** Builds with `left` and `right`, kept as `lt` and `rt`, and writes the result to `out`. */
function ofTwo(result: (left: Texts, right: Texts, store: Medium) => Texts): NamedTopology {
  return {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = builder.table('left', { ...strings, materialized: { name: 'lt', store } });
      const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
      result(left, right, store).toStream().to('out', strings);
      return built(builder, params);
    },
    params: settings,
  };
}

/** Builds with three tables that nobody named. */
function ofThree(result: (left: Texts, right: Texts, third: Texts, store: Medium) => Texts): NamedTopology {
  return {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = bare(builder, 'left', store);
      const right = bare(builder, 'right', store);
      const third = bare(builder, 'third', store);
      result(left, right, third, store).toStream().to('out', strings);
      return built(builder, params);
    },
    params: settings,
  };
}

const plain: { [name: string]: NamedTopology } = {};
for (const kind of kinds) {
  plain[`table-table-${kind}-join`] = ofTwo((left, right) => join(kind, left, right));

  plain[`table-table-${kind}-join-kept`] = ofTwo((left, right, store) =>
    join(kind, left, right, { name: 'j', materialized: { ...strings, name: 'kept', store } }).filter(unmarked),
  );

  plain[`table-table-${kind}-join-unnamed`] = ofThree((left, right, third, store) =>
    join(
      kind,
      join(kind, left.filter(unmarked), right.mapValues(loud), { materialized: { ...strings, store } }),
      third.filterNot((_key, value) => value.startsWith('a')),
    ),
  );

  for (const second of kinds) {
    plain[`table-table-${kind}-${second}-chain`] = ofThree((left, right, third) =>
      join(second, join(kind, left, right), third),
    );
  }

  plain[`table-table-${kind}-join-on-the-right`] = ofThree((left, right, third) =>
    join('outer', third, join(kind, left.mapValues(loud), right)),
  );

  plain[`table-table-${kind}-join-regrouped`] = ofTwo((left, right, store) =>
    join(kind, left, right)
      .groupBy((key, value) => [value.slice(0, 1), key + value] as const, { ...strings, name: 'g' })
      .aggregate(
        () => '0',
        (_key, value, aggregate) => `${aggregate}+${value}`,
        (_key, value, aggregate) => `${aggregate}-${value}`,
        { ...strings, materialized: { name: 'agg', store } },
      ),
  );

  // Several changes of a key in one commit, which caches hold back.
  plain[`table-table-${kind}-join-fanned`] = {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      const left = fanned(builder, 'left').toTable({ materialized: { ...strings, name: 'lt', store } });
      const right = fanned(builder, 'right').toTable({ materialized: { ...strings, name: 'rt', store } });
      join(kind, left, right, { materialized: { ...strings, name: 'kept', store } })
        .toStream()
        .to('out', strings);
      return built(builder, params);
    },
    params: settings,
  };

  plain[`table-table-${kind}-join-of-itself`] = ofTwo((left, right) =>
    join(kind, join(kind, left, left.filter(unmarked).mapValues(loud)), right),
  );
}

/** Numbers the changes of each key in a store of its own. */
class Numbering implements ValueTransformer<string, string, string> {
  #store!: KeyValueStore<string, string>;

  init(context: ValueTransformerContext): void {
    this.#store = context.getStateStore('numbers');
  }

  transform(key: string, value: string | null): string | null {
    const number = (this.#store.get(key) ?? '') + (value === null ? '-' : '+');
    this.#store.put(key, number);
    return value?.startsWith('x') === true ? null : `${text(value)}${number}`;
  }
}

const repeatable = {
  transform: (key: string, value: string | null) => (value === 'x' ? null : `${key}${text(value)}`),
};

/** Table–table joins, and what else tables can do. */
export const tableTableJoins: TopologyFamily = {
  ...plain,

  'table-transform-values': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      builder.addStateStore(Stores.keyValueStoreBuilder({ name: 'numbers', ...strings, store }));
      const materialized = params['kept'] ? { ...strings, name: 'tv', store } : undefined;
      const table = builder
        .table('left', { ...strings, materialized: { store } })
        .transformValues(() => new Numbering(), { stores: ['numbers'], materialized });
      const counted = params['old']
        ? table.groupBy((key, value) => [value, key] as const, strings).count({ materialized: { store } })
        : undefined;
      counted?.toStream().mapValues(text).to('counts', strings);
      table.toStream().to('out', strings);
      return built(builder, params);
    },
    params: ['kept', 'old', ...settings],
    plainStores: ['numbers'],
  },

  'table-transform-values-join': ofTwo((left, right) =>
    left
      .transformValues(() => repeatable)
      .join(
        right.transformValues(() => repeatable),
        joined,
      ),
  ),

  'table-to-rekeyed-stream': {
    build: (params, store) => {
      const builder = new StreamsBuilder();
      bare(builder, 'left', store)
        .toStream((key, value: string | null) => (value === null ? key : value.slice(0, 1)))
        .groupByKey(strings)
        .reduce((aggregate, value) => `${aggregate}+${value}`, { materialized: { store } })
        .toStream()
        .to('out', strings);
      return built(builder, params);
    },
    params: settings,
  },
};
