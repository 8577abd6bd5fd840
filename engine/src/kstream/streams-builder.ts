import { TopologyError } from '../base/errors.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';
import type { GlobalStoreOptions, SourceOptions, Topology } from '../topology/topology.ts';
import { BranchedKStream } from './branched-k-stream.ts';
import { CogroupedKStream } from './cogrouped-k-stream.ts';
import { GlobalKTable } from './global-k-table.ts';
import { GlobalStoreNode, StateStoreNode, StreamSourceNode, TableSourceNode, type Topics } from './graph/graph-node.ts';
import { type BuildOptions, StreamsGraph } from './graph/streams-graph.ts';
import { KGroupedStream } from './k-grouped-stream.ts';
import { KGroupedTable } from './k-grouped-table.ts';
import { KStream } from './k-stream.ts';
import { KTable } from './k-table.ts';
import type { Dsl } from './operations/definitions.ts';
import { tableStore } from './operations/materialize.ts';
import { Grouping } from './operations/repartition.ts';
import { TableSourceLogic } from './operations/table-source.ts';
import { type ConsumedOptions, type MaterializedOptions, readingBack } from './options.ts';
import { GlobalTableProcessor } from './processors/table/global-table-processor.ts';
import { storeGetter } from './processors/table/table-value-getter.ts';
import { SessionWindowedKStream } from './session-windowed-k-stream.ts';
import { TimeWindowedKStream } from './time-windowed-k-stream.ts';

/** Options of `table` and `globalTable`: how the topic is read, and how the table is kept. */
export interface TableSourceOptions<K, V> extends ConsumedOptions<K, V> {
  /**
   * How the table is kept. Without a name it has a store only where an operation needs one. A global table always has a
   * store and never a changelog: its topic is one.
   */
  readonly materialized?: MaterializedOptions<K, V> | undefined;
}

/**
 * The start of a topology in the DSL: streams and tables of topics, from which methods make others; `build` answers the
 * {@link Topology} that `KafkaStreams` or the test driver runs. Java's `StreamsBuilder`.
 *
 * Nodes, stores and internal topics get the names that Kafka Streams (Java) gives the same program, so either may take
 * over the other's application.
 * @example
 * ```ts
 * const builder = new StreamsBuilder();
 * builder
 *   .stream('orders', { key: string(), value: json<Order>() })
 *   .filter((_id, order) => order.amount >= 1_000)
 *   .to('large-orders');
 * const topology = builder.build();
 * console.log(String(topology.describe()));
 * ```
 */
export class StreamsBuilder {
  readonly #graph = new StreamsGraph();
  readonly #dsl: Dsl = {
    graph: this.#graph,
    stream: (definition) => new KStream(definition),
    branched: (definition, name) => new BranchedKStream(definition, name),
    groupedStream: (definition, grouped) => new KGroupedStream(new Grouping(definition, grouped)),
    timeWindowed: (grouping, windows) => new TimeWindowedKStream(grouping, windows),
    sessionWindowed: (grouping, windows) => new SessionWindowedKStream(grouping, windows),
    cogrouped: () => new CogroupedKStream(this.#dsl),
    table: (definition) => new KTable(definition),
    groupedTable: (definition) => new KGroupedTable(definition),
  };

  /**
   * Records of one topic, of several, or of all that match a pattern. Calls for the same topics share one source and
   * must agree in `autoOffsetReset`, else `build` throws `TOPOLOGY`. The topics must exist when the application starts,
   * else the start rejects with `MISSING_SOURCE_TOPIC`.
   * @example
   * ```ts
   * const orders = builder.stream('orders', { key: string(), value: json<Order>() });
   * const events = builder.stream(['clicks', 'views'], { key: string(), value: string(), autoOffsetReset: 'latest' });
   * const audits = builder.stream(/^audit\./, { key: string(), value: bytes(), timestampExtractor: wallclockTimestampExtractor });
   * ```
   */
  stream<K, V>(topics: Topics, options: ConsumedOptions<K, V>): KStream<K, V> {
    const name = this.#graph.names.named(options.name, 'KSTREAM-SOURCE-');
    const node = this.#graph.add(new StreamSourceNode(name, topics, sourceOptions(options)));
    return this.#dsl.stream({
      dsl: this.#dsl,
      node,
      keySerde: options.key,
      valueSerde: options.value,
      sources: [node],
      repartitionRequired: false,
    });
  }

  /**
   * A topic as a table: the newest value of each key, null deletes it. Records without a key are dropped and counted.
   * @example
   * ```ts
   * const customers = builder.table('customers', { key: string(), value: json<Customer>(), materialized: { name: 'customers' } });
   * // Versioned: late values stand where they belong in time, and joins ask for the past.
   * const prices = builder.table('prices', {
   *   key: string(),
   *   value: double(),
   *   materialized: { name: 'prices', historyRetentionMs: 60 * minuteMs },
   * });
   * ```
   */
  table<K, V>(topic: string, options: TableSourceOptions<K, V>): KTable<K, V> {
    const { names } = this.#graph;
    const { materialized } = options;
    const storeName = names.store(materialized?.name, `${topic}-`, materialized?.loggingEnabled);
    const sourceName = names.suffixed(options.name, '-source', 'KSTREAM-SOURCE-');
    const name = names.named(options.name, 'KTABLE-SOURCE-');
    const keySerde = readingBack(materialized?.key) ?? options.key;
    const valueSerde = materialized?.value ?? options.value;
    const queryableStoreName = materialized?.name;
    const logic = new TableSourceLogic(storeName, keySerde, valueSerde, materialized, queryableStoreName !== undefined);
    const node = this.#graph.add(
      new TableSourceNode(sourceName, name, topic, sourceOptions(options), logic.supplier, logic.stores),
    );
    const dsl = this.#dsl;
    node.versioned = logic.isVersioned;
    return dsl.table({ dsl, node, keySerde, valueSerde, sources: [node], logic, queryableStoreName });
  }

  /**
   * A topic of which every instance holds all partitions, for joins by any key and without equal partition counts.
   * Filled before the application runs. Throws `TOPOLOGY` with `historyRetentionMs`.
   * @example
   * ```ts
   * const rates = builder.globalTable('rates', { key: string(), value: double(), materialized: { name: 'rates', store: 'memory' } });
   * orders
   *   .leftJoin(rates, () => 'usd', (order, rate) => order.amount * (rate ?? 1))
   *   .to('amounts-in-dollars', { value: double() });
   * ```
   */
  globalTable<K, V>(topic: string, options: TableSourceOptions<K, V>): GlobalKTable<K, V> {
    const { names } = this.#graph;
    const { materialized } = options;
    const storeName = names.store(materialized?.name, `${topic}-`, materialized?.loggingEnabled);
    const sourceName = names.suffixed(options.name, '-source', 'KSTREAM-SOURCE-');
    const processorName = names.named(options.name, 'KTABLE-SOURCE-');
    const keySerde = readingBack(materialized?.key) ?? options.key;
    const valueSerde = materialized?.value ?? options.value;
    if (materialized?.historyRetentionMs !== undefined) {
      throw new TopologyError(
        `Global table ${storeName}: global tables keep no versions; leave historyRetentionMs out.`,
      );
    }
    const spec = { name: storeName, keySerde, valueSerde };
    this.#graph.add(
      new GlobalStoreNode({
        // Its topic is its changelog.
        store: tableStore(storeName, keySerde, valueSerde, { ...materialized, loggingEnabled: false }),
        sourceName,
        topic,
        key: options.key,
        value: options.value,
        timestampExtractor: options.timestampExtractor,
        processorName,
        supplier: { get: () => new GlobalTableProcessor(spec, topic) },
      } as unknown as GlobalStoreOptions<unknown, unknown>),
    );
    return new GlobalKTable(storeGetter(spec), materialized?.name);
  }

  /**
   * Adds a store for processors that name it in their options. A name that another builder has taken throws `TOPOLOGY`
   * in `build`; a store that no processor uses does when the topology is run.
   */
  addStateStore(store: StoreBuilder<StateStore>): this {
    this.#graph.add(new StateStoreNode(store));
    return this;
  }

  /**
   * Adds a store that every instance fills from all of a topic by a processor of yours; every processor may read it.
   * The store must not log: its topic is its changelog.
   */
  addGlobalStore<K, V>(
    options: Omit<GlobalStoreOptions<K, V>, 'sourceName' | 'processorName'> & {
      /** Names source and processor. Default: generated names. */
      readonly name?: string | undefined;
    },
  ): this {
    const { names } = this.#graph;
    const { name, ...rest } = options;
    const sourceName = names.suffixed(name, '-source', 'KSTREAM-SOURCE-');
    const processorName = names.named(name, 'KTABLE-SOURCE-');
    const complete: GlobalStoreOptions<K, V> = { ...rest, sourceName, processorName };
    this.#graph.add(new GlobalStoreNode(complete as unknown as GlobalStoreOptions<unknown, unknown>));
    return this;
  }

  /**
   * The topology of everything made before: a value, no I/O. Throws `TopologyError` (`TOPOLOGY`) with the node and the
   * remedy. May be called again, say with other options; nothing can be added then.
   */
  build(options: BuildOptions = {}): Topology {
    return this.#graph.build(options);
  }
}

function sourceOptions<K, V>(options: ConsumedOptions<K, V>): SourceOptions<unknown, unknown> {
  const { key, value, timestampExtractor, autoOffsetReset } = options;
  return { key, value, timestampExtractor, autoOffsetReset } as unknown as SourceOptions<unknown, unknown>;
}
