import type { AutoOffsetReset } from '../base/config.ts';
import { isAutoOffsetReset } from '../base/default-config.ts';
import { TopologyError } from '../base/errors.ts';
import type { AsyncOperator } from '../processor/async-operator.ts';
import type {
  OffsetStoringSink,
  OutputRecordContext,
  Processor,
  ProcessorSupplier,
  StreamPartitioner,
  TimestampExtractor,
} from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';
import { checkLegal, InternalTopologyBuilder } from './internal-topology-builder.ts';
import type { ResolvedTopology, SinkNode, TopologyNode } from './nodes.ts';
import { type ResolveOptions, resolveTopology } from './resolve-topology.ts';
import { describeSubTopology, TopologyDescription } from './topology-description.ts';

/** How a source reads its topics (Java's arguments of `Topology.addSource`). */
export interface SourceOptions<K, V> {
  /** Serde of the topics' keys. */
  readonly key: Serde<K>;
  /** Serde of the topics' values. */
  readonly value: Serde<V>;
  /** Finds each record's event time. Default: `failOnInvalidTimestamp`, the record's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor | undefined;
  /** Where to begin without a valid position. Default: the application's `autoOffsetReset`. */
  readonly autoOffsetReset?: AutoOffsetReset | undefined;
}

/** How a sink writes its topic (Java's arguments of `Topology.addSink`). */
export interface SinkOptions<K, V> {
  /** Serde of the keys. */
  readonly key: Serde<K>;
  /** Serde of the values. */
  readonly value: Serde<V>;
  /** Chooses the partition of each record. Default: murmur2 of the key's bytes, as Java's producers do. */
  readonly partitioner?: StreamPartitioner<K, V> | undefined;
  /**
   * Windowed keys go to the partition of the key inside, Java's `WindowedStreamPartitioner`. Default: false, the murmur2 hash of all
   * bytes of the key; the DSL's `to()` sets it, as Kafka Streams does there and nowhere else. Not with a `partitioner`.
   */
  readonly partitionsByInnerKey?: boolean | undefined;
}

/**
 * Chooses the topic of an output record by its key, value, origin, timestamp and headers (Java's `TopicNameExtractor`).
 * Such topics must exist: the engine doesn't create them. Answering no topic is a `PRODUCTION` error, about which the
 * production exception handler decides.
 */
export type TopicNameExtractor<K, V> = (key: K, value: V, context: OutputRecordContext) => string;

/** A store that is filled from a topic, and how. */
export interface GlobalStoreOptions<K, V> {
  /** Makes the store. Its changelog is the topic, so a global store must not log (`loggingEnabled: false`). */
  readonly store: StoreBuilder<StateStore>;
  /** Name of the node that reads the topic. */
  readonly sourceName: string;
  /** Topic that the store is filled from. */
  readonly topic: string;
  /** Serde of the topic's keys. */
  readonly key: Serde<K>;
  /** Serde of the topic's values. */
  readonly value: Serde<V>;
  /** Finds each record's event time. Default: the record's own timestamp. */
  readonly timestampExtractor?: TimestampExtractor | undefined;
  /** Name of the node that writes the store. */
  readonly processorName: string;
  /** Writes each record of the topic to the store. */
  readonly supplier: ProcessorSupplier<K, V, never, never> | (() => Processor<K, V, never, never>);
}

/**
 * Puts something around every processor (KIP-1112), for measuring or for stores that all shall have: answers the supplier to use
 * instead, which may be the given one. Called once a processor, with its name.
 */
export type ProcessorWrapper = (processorName: string, supplier: ProcessorSupplier) => ProcessorSupplier;

/** What holds for every node of a topology. */
export interface TopologyOptions {
  /** Put around every processor. Default: none. Kafka Streams: `processor.wrapper.class`. */
  readonly processorWrapper?: ProcessorWrapper | undefined;
}

/**
 * A dataflow graph as a value: Kafka Streams' low-level API (Java's `Topology`). Sources read topics, processors and
 * stores work, sinks write topics. Building does no I/O; the test driver and `KafkaStreams` run the same object. The
 * DSL (`StreamsBuilder`) writes one.
 *
 * Whatever can't work throws `TopologyError` (`TOPOLOGY`) at the call that adds it, with the node's name and the
 * remedy: a name that is taken, a parent that doesn't exist, a topic that two sources read.
 *
 * Owns: the builder that holds what was added. Called by: users, `StreamsBuilder.build`, the runtime (`resolve`).
 * Invariants: those of the builder, whatever is added in which order.
 * @example
 * ```ts
 * class Upper implements Processor<string, string, string, string> {
 *   #context!: ProcessorContext<string, string>;
 *
 *   init(context: ProcessorContext<string, string>): void {
 *     this.#context = context;
 *   }
 *
 *   process(record: Record<string, string>): void {
 *     this.#context.forward(record.withValue(record.value.toUpperCase()));
 *   }
 * }
 *
 * const topology = new Topology()
 *   .addSource('lines', 'lines', { key: string(), value: string() })
 *   .addProcessor('upper', () => new Upper(), 'lines')
 *   .addSink('shouts', 'shouts', 'upper', { key: string(), value: string() });
 * ```
 */
export class Topology {
  readonly #wrap: ProcessorWrapper | undefined;
  readonly #builder = new InternalTopologyBuilder();
  /** @internal The optimiser's rules that made it; undefined: not made by a `StreamsBuilder`. */
  optimizations: ReadonlySet<string> | undefined;

  /** Empty. `options` hold for every node that is added. */
  constructor(options: TopologyOptions = {}) {
    this.#wrap = options.processorWrapper;
  }

  /** Reads one topic, several, or all that match a pattern. */
  addSource<K, V>(name: string, topics: string | readonly string[] | RegExp, options: SourceOptions<K, V>): this {
    this.#builder.checkNewName(name);
    const list = topics instanceof RegExp ? [] : typeof topics === 'string' ? [topics] : [...topics];
    if (!(topics instanceof RegExp) && list.length === 0) {
      throw new TopologyError(`Source ${name} reads no topic: give it at least one topic name or a pattern.`);
    }
    if (options.key === undefined || options.value === undefined) {
      throw new TopologyError(`Source ${name} needs a key and a value serde: pass { key, value }.`);
    }
    if (options.autoOffsetReset !== undefined && !isAutoOffsetReset(options.autoOffsetReset)) {
      throw new TopologyError(
        `Source ${name} has autoOffsetReset ${JSON.stringify(options.autoOffsetReset)}: give earliest, latest, none, or { byDurationMs } of 0 or more.`,
      );
    }
    this.#builder.addSource({
      type: 'source',
      name,
      topics: list,
      // A global or sticky expression remembers where it stopped and would miss every other topic.
      pattern: topics instanceof RegExp ? new RegExp(topics.source, topics.flags.replace(/[gy]/g, '')) : undefined,
      keySerde: options.key as Serde<unknown>,
      valueSerde: options.value as Serde<unknown>,
      timestampExtractor: options.timestampExtractor,
      autoOffsetReset: options.autoOffsetReset,
    });
    return this;
  }

  /**
   * Adds a processor below its parents. Stores of `supplier.stores()` are added and connected; `stores` connects stores
   * that were added before.
   */
  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut> | (() => Processor<KIn, VIn, KOut, VOut>),
    parents: string | readonly string[],
    options: {
      /** Names of stores that the processor uses. */
      readonly stores?: readonly string[];
    } = {},
  ): this {
    this.#builder.checkNewName(name);
    const plain = asSupplier(supplier);
    const wrapped = this.#wrap?.(name, plain) ?? plain;
    this.#builder.addNode({
      type: 'processor',
      name,
      parents: this.#builder.checkParents(name, parents),
      supplier: wrapped,
      stores: [],
    });
    for (const store of wrapped.stores?.() ?? []) {
      this.addStateStore(store, name);
    }
    if (options.stores !== undefined) this.connectProcessorAndStateStores(name, ...options.stores);
    return this;
  }

  /** Writes a topic, or the topic that an extractor names for each record. */
  addSink<K, V>(
    name: string,
    topic: string | TopicNameExtractor<K, V>,
    parents: string | readonly string[],
    options: SinkOptions<K, V>,
  ): this {
    this.#builder.checkNewName(name);
    if (typeof topic === 'string') checkLegal('Topic', topic);
    if (options.key === undefined || options.value === undefined) {
      throw new TopologyError(`Sink ${name} needs a key and a value serde: pass { key, value }.`);
    }
    this.#builder.addNode({
      type: 'sink',
      name,
      parents: this.#builder.checkParents(name, parents),
      topic: topic as SinkNode['topic'],
      keySerde: options.key as Serde<unknown>,
      valueSerde: options.value as Serde<unknown>,
      partitioner: options.partitioner as StreamPartitioner<unknown, unknown> | undefined,
      partitionsByInnerKey: options.partitionsByInnerKey ?? false,
    });
    return this;
  }

  /** Writes to a system that keeps the input offsets in its own transaction. No counterpart in Kafka Streams. */
  addExternalSink<K, V>(
    name: string,
    supplier: () => OffsetStoringSink<K, V>,
    parents: string | readonly string[],
  ): this {
    this.#builder.checkNewName(name);
    this.#builder.addNode({
      type: 'external-sink',
      name,
      parents: this.#builder.checkParents(name, parents),
      supplier: supplier as () => OffsetStoringSink,
    });
    return this;
  }

  /** An asynchronous boundary (`mapAsync`, `microBatch`, `pipe`). No counterpart in Kafka Streams. */
  addAsync(name: string, operator: AsyncOperator, parents: string | readonly string[]): this {
    this.#builder.checkNewName(name);
    this.#builder.addNode({ type: 'async', name, parents: this.#builder.checkParents(name, parents), operator });
    return this;
  }

  /** Adds a store and connects it. The same builder may be added again, to connect it to more processors. */
  addStateStore(store: StoreBuilder<StateStore>, ...processorNames: readonly string[]): this {
    this.#builder.addStore(store);
    for (const processor of processorNames) this.connectProcessorAndStateStores(processor, store.name);
    return this;
  }

  /**
   * Lets a processor use stores that were added before. A processor and all who share a store with it run in one task.
   */
  connectProcessorAndStateStores(processorName: string, ...storeNames: readonly string[]): this {
    this.#builder.connect(processorName, storeNames);
    return this;
  }

  /**
   * A store that every instance fills from all partitions of a topic before it starts; every processor may read it.
   * Throws `TOPOLOGY` for a store that logs.
   */
  addGlobalStore<K, V>(options: GlobalStoreOptions<K, V>): this {
    const { store, sourceName, processorName, topic } = options;
    this.#builder.checkNewStore(store.name);
    if (store.loggingEnabled) {
      throw new TopologyError(
        `Global store ${store.name} must not log: its topic ${topic} is its changelog. Set loggingEnabled: false.`,
      );
    }
    this.addSource(sourceName, topic, options);
    this.addProcessor(processorName, options.supplier, sourceName);
    this.#builder.addGlobalStore({ store, topic, sourceName, processorName });
    return this;
  }

  /**
   * A store that holds what a topic holds, kept by a processor of yours; other processors may read it when they are connected
   * (KIP-813). The topic is the store's changelog. Read from its beginning, unless a committed offset says otherwise.
   */
  addReadOnlyStateStore<K, V>(options: GlobalStoreOptions<K, V>): this {
    const { store, sourceName, processorName, topic } = options;
    this.addSource(sourceName, topic, { ...options, autoOffsetReset: 'earliest' });
    this.addProcessor(processorName, options.supplier, sourceName);
    this.addStateStore(store, processorName);
    return this.connectSourceStoreAndTopic(store.name, topic);
  }

  /** @internal A topic that the runtime creates; its name gets the application id in front. */
  addRepartitionTopic(name: string, partitions?: number): this {
    this.#builder.addRepartitionTopic(name, partitions);
    return this;
  }

  /** @internal The topics of these sources must have equal partition counts. */
  copartitionSources(sourceNames: readonly string[]): this {
    this.#builder.copartitionSources(sourceNames);
    return this;
  }

  /** @internal A source topic serves as the changelog of a store: the store doesn't log, and is restored from there. */
  connectSourceStoreAndTopic(storeName: string, topic: string): this {
    this.#builder.connectSourceStoreAndTopic(storeName, topic);
    return this;
  }

  /** @internal Joined repartition topics whose partition counts the user gave must have the same. */
  checkCopartitioning(): void {
    this.#builder.checkCopartitioning();
  }

  /** What the topology looks like; its `toString()` is Kafka Streams' text. */
  describe(): TopologyDescription {
    const { globalStores, groups, nodes } = this.#builder.contents();
    const globalNames = new Set(globalStores.map((spec) => spec.source.name));
    const nodeOf = (name: string): TopologyNode => nodes.get(name) as TopologyNode;
    return new TopologyDescription(
      groups.map((group, id) =>
        describeSubTopology(
          id,
          group.some((name) => globalNames.has(name)),
          group,
          nodeOf,
        ),
      ),
    );
  }

  /**
   * The topology for one application: complete topic names, numbered sub-topologies, internal topics with their
   * configuration. Throws {@link TopologyError} for what can only be seen in the whole.
   */
  resolve(applicationId: string, options: ResolveOptions = {}): ResolvedTopology {
    this.#builder.checkStoresUsed();
    return resolveTopology(applicationId, this.#builder.contents(), options);
  }
}

function asSupplier<KIn, VIn, KOut, VOut>(
  supplier: ProcessorSupplier<KIn, VIn, KOut, VOut> | (() => Processor<KIn, VIn, KOut, VOut>),
): ProcessorSupplier {
  return (typeof supplier === 'function' ? { get: supplier } : supplier) as ProcessorSupplier;
}
