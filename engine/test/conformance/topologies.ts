import {
  type Processor,
  type ProcessorContext,
  Record,
  type Serde,
  Stores,
  StreamsBuilder,
  string,
  TimeWindows,
  Topology,
  type TypedStoreBuilder,
} from '../../src/index.ts';
import type { KeyValueStore } from '../../src/state/key-value-store.ts';

/** Parameters of a run of the vectors: numbers by name. */
export type Params = Readonly<{ [name: string]: number }>;
export type Medium = 'memory' | 'persistent';

const strings: { readonly key: Serde<string>; readonly value: Serde<string> } = { key: string(), value: string() };
const text = (value: unknown): string => (value === null || value === undefined ? 'null' : String(value));
const joined = (left: unknown, right: unknown): string => `${text(left)}|${text(right)}`;

function windowsOf(params: Params): TimeWindows {
  const windows = TimeWindows.ofSizeAndGrace(params['size'] as number, params['grace'] as number);
  return params['advance'] === undefined ? windows : windows.advanceBy(params['advance']);
}

function retentionOf(params: Params): { retentionMs?: number } {
  return params['retention'] ? { retentionMs: params['retention'] } : {};
}

/** The topologies of the vectors, as their README defines them in operator terms. */
export const topologies: { readonly [name: string]: (params: Params, store: Medium) => Topology } = {
  'kv-count': (_params, store) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupByKey()
      .count({ materialized: { name: 'counts', store } })
      .toStream()
      .to('out');
    return builder.build();
  },

  'kv-reduce-regroup': (_params, store) => {
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

  'kv-aggregate-concat': (_params, store) => {
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

  'table-groupby-aggregate': (_params, store) => {
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

  'table-filter-mapvalues': (params, store) => {
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

  'tumbling-count': (params, store) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(windowsOf(params))
      .count({ materialized: { name: 'win', store, ...retentionOf(params) } })
      .toStream()
      .to('out');
    return builder.build();
  },

  'hopping-aggregate': (params, store) => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(windowsOf(params))
      .aggregate(
        () => '',
        (_key, value, aggregate) => aggregate + text(value),
        { value: string(), materialized: { name: 'win', store, ...retentionOf(params) } },
      )
      .toStream()
      .to('out');
    return builder.build();
  },

  'stream-table-inner-join': (_params, store) => {
    const builder = new StreamsBuilder();
    const left = builder.stream('left', strings);
    const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
    left.join(right, joined).to('out', strings);
    return builder.build();
  },

  'stream-table-left-join': (_params, store) => {
    const builder = new StreamsBuilder();
    const left = builder.stream('left', strings);
    const right = builder.table('right', { ...strings, materialized: { name: 'rt', store } });
    left.leftJoin(right, joined).to('out', strings);
    return builder.build();
  },

  'stream-globaltable-left-join': (_params, store) => {
    const builder = new StreamsBuilder();
    const right = builder.globalTable('right', { ...strings, materialized: { name: 'gt', store } });
    const foreignKey = (_key: string, value: string): string | null => {
      const at = value?.indexOf(':') ?? -1;
      return at > 0 ? value.slice(0, at) : null;
    };
    builder.stream('left', strings).leftJoin(right, foreignKey, joined).to('out', strings);
    return builder.build();
  },

  'branch-merge': () => {
    const builder = new StreamsBuilder();
    const left = builder.stream('left', strings);
    const branches = left
      .merge(builder.stream('right', strings))
      .split({ name: 'br-' })
      .branch((_key, value: string | null) => value === null, { name: 'null' })
      .branch((_key, value) => value.startsWith('a'), { name: 'a' })
      .branch((_key, value) => value.startsWith('b'), {
        name: 'b',
        chain: (branch) => branch.mapValues((value) => value.toUpperCase()),
      })
      .defaultBranch({ name: 'rest' });
    branches.get('br-null')?.to('out-null');
    branches
      .get('br-a')
      ?.flatMap((key: string | null, value) => [
        [key as string, value],
        [value, key ?? 'nil'],
      ])
      .to('out-a', strings);
    branches.get('br-b')?.to('out-b', strings);
    branches
      .get('br-rest')
      ?.selectKey((_key, value) => value)
      .to('out-rest', strings);
    return builder.build();
  },

  'rekey-totable-join': (_params, store) => {
    const builder = new StreamsBuilder();
    const table = builder
      .stream('right', strings)
      .selectKey((key, value: string | null) => (value === null ? key : value.slice(0, 1)))
      .repartition({ ...strings, name: 'rk' })
      .toTable({ materialized: { name: 'tt', store } });
    builder.stream('left', strings).leftJoin(table, joined).to('out', strings);
    return builder.build();
  },

  'papi-punctuate': (params, store) => {
    const buffer = Stores.keyValueStoreBuilder({ name: 'buf', ...strings, store });
    return new Topology()
      .addSource('src', 'in', strings)
      .addProcessor('proc', { get: () => new Punctuated(params), stores: () => [buffer] }, 'src')
      .addSink('sink', 'out', 'proc', strings);
  },
};

/** Gathers values of each key and forwards them from both kinds of punctuator. */
class Punctuated implements Processor<string, string, string, string> {
  readonly #params: Params;
  #context!: ProcessorContext<string, string>;
  #store!: KeyValueStore<string, string>;

  constructor(params: Params) {
    this.#params = params;
  }

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#store = context.getStateStore('buf');
    const { streamEvery, wallEvery } = this.#params as { streamEvery: number; wallEvery: number };
    context.schedule({ intervalMs: streamEvery, type: 'STREAM_TIME', callback: (at) => this.#fire('st', at) });
    context.schedule({ intervalMs: wallEvery, type: 'WALL_CLOCK_TIME', callback: (at) => this.#fire('wc', at) });
  }

  process(record: Record<string, string>): void {
    if (record.key === null) return;
    this.#store.put(record.key, (this.#store.get(record.key) ?? '') + text(record.value));
  }

  #fire(kind: string, at: number): void {
    const entries = [...this.#store.all()];
    for (const { key, value } of entries) {
      this.#context.forward(new Record(key, `${kind}@${at}=${value}`, at));
      this.#store.delete(key);
    }
    if (entries.length === 0) {
      this.#context.forward(new Record('-', `${kind}@${at} empty stream=${this.#context.currentStreamTimeMs()}`, at));
    }
  }
}

/** The stores whose builders the tests look at. */
export type AnyStoreBuilder = TypedStoreBuilder<never, never, never>;
