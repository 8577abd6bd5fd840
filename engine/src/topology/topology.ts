import type { AutoOffsetReset } from '../base/config.ts';
import { isAutoOffsetReset } from '../base/default-config.ts';
import { TopologyError } from '../base/errors.ts';
import type { AsyncOperator } from '../processor/async-operator.ts';
import type {
  OffsetStoringSink,
  Processor,
  ProcessorSupplier,
  RecordMetadata,
  StreamPartitioner,
  TimestampExtractor,
} from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';
import { NodeGroups } from './node-groups.ts';
import type { GlobalStoreSpec, ProcessorNode, ResolvedTopology, SinkNode, SourceNode, TopologyNode } from './nodes.ts';
import { type ResolveOptions, resolveTopology, type TopologyParts } from './resolve-topology.ts';
import { describeSubTopology, TopologyDescription } from './topology-description.ts';

/** Kafka's rule for topic names, which node and store names share since topics are named after them. */
const legalName = /^[a-zA-Z0-9._-]{1,249}$/;

export interface SourceOptions<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly timestampExtractor?: TimestampExtractor | undefined;
  /** Where to begin without a committed offset; default: the application's `autoOffsetReset`. */
  readonly autoOffsetReset?: AutoOffsetReset | undefined;
}

export interface SinkOptions<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly partitioner?: StreamPartitioner<K, V> | undefined;
}

/** Chooses the topic of an output record. Such topics must exist: the engine doesn't create them. */
export type TopicNameExtractor<K, V> = (key: K, value: V, metadata: RecordMetadata | undefined) => string;

export interface GlobalStoreOptions<K, V> {
  readonly store: StoreBuilder<StateStore>;
  readonly sourceName: string;
  readonly topic: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  readonly timestampExtractor?: TimestampExtractor | undefined;
  readonly processorName: string;
  /** Writes each record of the topic to the store. */
  readonly supplier: ProcessorSupplier<K, V, never, never> | (() => Processor<K, V, never, never>);
}

/**
 * Puts something around every processor (KIP-1112), for measuring or for stores that all shall have: answers the supplier to use
 * instead, which may be the given one. Called once a processor, with its name.
 */
export type ProcessorWrapper = (processorName: string, supplier: ProcessorSupplier) => ProcessorSupplier;

export interface TopologyOptions {
  readonly processorWrapper?: ProcessorWrapper | undefined;
}

/**
 * A dataflow graph as a value: Kafka Streams' low-level API. Sources read topics, processors and stores work, sinks write
 * topics. Building does no I/O; the test driver and `KafkaStreams` run the same object. The DSL (`StreamsBuilder`) writes one.
 *
 * Owns: nodes, stores and which processors use them.
 * Called by: users, `StreamsBuilder.build`, the runtime (`resolve`).
 * Invariants: I1 node names are unique; I2 parents are added before children, so insertion order is a topological order;
 * I3 a topic has one source; I4 nothing hangs below a sink.
 */
export class Topology {
  readonly #wrap: ProcessorWrapper | undefined;
  readonly #nodes = new Map<string, TopologyNode>();
  readonly #stores = new Map<string, StoreBuilder<StateStore>>();
  readonly #storeUsers = new Map<string, Set<string>>();
  readonly #globalStores: GlobalStoreSpec[] = [];
  readonly #sourceOfTopic = new Map<string, string>();
  readonly #repartitionTopics = new Map<string, number | undefined>();
  readonly #copartitionedSources: (readonly string[])[] = [];
  readonly #groups = new NodeGroups();
  readonly #sourceChangelogs = new Map<string, string>();
  /** @internal The optimiser's rules that made it; undefined: not made by a `StreamsBuilder`. */
  optimizations: ReadonlySet<string> | undefined;

  constructor(options: TopologyOptions = {}) {
    this.#wrap = options.processorWrapper;
  }

  /** Reads one topic, several, or all that match a pattern. */
  addSource<K, V>(name: string, topics: string | readonly string[] | RegExp, options: SourceOptions<K, V>): this {
    this.#checkNewName(name);
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
    if (topics instanceof RegExp) this.#checkNewPattern(topics, name);
    for (const topic of list) {
      checkLegal('Topic', topic);
      this.#checkNewTopic(topic, name);
      this.#sourceOfTopic.set(topic, name);
    }
    this.#addNode({
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

  /** Stores of `supplier.stores()` are added and connected; `stores` connects stores that were added before. */
  addProcessor<KIn, VIn, KOut, VOut>(
    name: string,
    supplier: ProcessorSupplier<KIn, VIn, KOut, VOut> | (() => Processor<KIn, VIn, KOut, VOut>),
    parents: string | readonly string[],
    options: { readonly stores?: readonly string[] } = {},
  ): this {
    this.#checkNewName(name);
    const plain = asSupplier(supplier);
    const wrapped = this.#wrap?.(name, plain) ?? plain;
    this.#addNode({
      type: 'processor',
      name,
      parents: this.#checkParents(name, parents),
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
    this.#checkNewName(name);
    if (typeof topic === 'string') checkLegal('Topic', topic);
    if (options.key === undefined || options.value === undefined) {
      throw new TopologyError(`Sink ${name} needs a key and a value serde: pass { key, value }.`);
    }
    this.#addNode({
      type: 'sink',
      name,
      parents: this.#checkParents(name, parents),
      topic: topic as SinkNode['topic'],
      keySerde: options.key as Serde<unknown>,
      valueSerde: options.value as Serde<unknown>,
      partitioner: options.partitioner as StreamPartitioner<unknown, unknown> | undefined,
    });
    return this;
  }

  /** Writes to a system that keeps the input offsets in its own transaction. */
  addExternalSink<K, V>(
    name: string,
    supplier: () => OffsetStoringSink<K, V>,
    parents: string | readonly string[],
  ): this {
    this.#checkNewName(name);
    this.#addNode({
      type: 'external-sink',
      name,
      parents: this.#checkParents(name, parents),
      supplier: supplier as () => OffsetStoringSink,
    });
    return this;
  }

  /** An asynchronous boundary (`mapAsync`, `microBatch`, `pipe`). */
  addAsync(name: string, operator: AsyncOperator, parents: string | readonly string[]): this {
    this.#checkNewName(name);
    this.#addNode({ type: 'async', name, parents: this.#checkParents(name, parents), operator });
    return this;
  }

  /** Adds a store and connects it. The same builder may be added again, to connect it to more processors. */
  addStateStore(store: StoreBuilder<StateStore>, ...processorNames: readonly string[]): this {
    const known = this.#stores.get(store.name);
    if (known !== undefined && known !== store) {
      throw new TopologyError(
        `Store ${store.name} was added already by another builder: give the stores different names, or share one builder.`,
      );
    }
    this.#checkNotGlobalStore(store.name);
    checkLegal('Store', store.name);
    this.#stores.set(store.name, store);
    for (const processor of processorNames) this.connectProcessorAndStateStores(processor, store.name);
    return this;
  }

  connectProcessorAndStateStores(processorName: string, ...storeNames: readonly string[]): this {
    const node = this.#nodes.get(processorName);
    if (node === undefined) {
      throw new TopologyError(`Processor ${processorName} is unknown: add it before its stores are connected.`);
    }
    if (node.type !== 'processor') {
      throw new TopologyError(`Node ${processorName} is a ${node.type}: only processors have stores.`);
    }
    for (const storeName of storeNames) {
      if (this.#globalStores.some((spec) => spec.store.name === storeName)) {
        throw new TopologyError(
          `Store ${storeName} is global: every processor may use it, so don't connect it to ${processorName}.`,
        );
      }
      if (!this.#stores.has(storeName)) {
        throw new TopologyError(
          `Store ${storeName} is unknown: add it with addStateStore before connecting ${processorName}.`,
        );
      }
      const users = this.#storeUsers.get(storeName) ?? new Set<string>();
      this.#storeUsers.set(storeName, users.add(processorName));
      this.#groups.unite(processorName, users);
    }
    const stores = new Set([...(this.#nodes.get(processorName) as ProcessorNode).stores, ...storeNames]);
    this.#nodes.set(processorName, { ...node, stores: [...stores] });
    return this;
  }

  /** A store that every instance fills from all partitions of a topic before it starts; every processor may read it. */
  addGlobalStore<K, V>(options: GlobalStoreOptions<K, V>): this {
    const { store, sourceName, processorName, topic } = options;
    this.#checkNotGlobalStore(store.name);
    if (this.#stores.has(store.name)) throw new TopologyError(`Store ${store.name} was added already: rename one.`);
    if (store.loggingEnabled) {
      throw new TopologyError(
        `Global store ${store.name} must not log: its topic ${topic} is its changelog. Set loggingEnabled: false.`,
      );
    }
    this.addSource(sourceName, topic, options);
    this.addProcessor(processorName, options.supplier, sourceName);
    const processor = { ...(this.#nodes.get(processorName) as ProcessorNode), stores: [store.name] };
    this.#nodes.set(processorName, processor);
    this.#globalStores.push({ store, topic, source: this.#nodes.get(sourceName) as SourceNode, processor });
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
    checkLegal('Topic', name);
    if (partitions !== undefined && !(Number.isSafeInteger(partitions) && partitions >= 1)) {
      throw new TopologyError(
        `Repartition topic ${name} can't have partitions: ${partitions}; give 1 or more, or none.`,
      );
    }
    if (this.#repartitionTopics.has(name)) {
      throw new TopologyError(`Repartition topic ${name} exists already: give the second repartition another name.`);
    }
    this.#repartitionTopics.set(name, partitions);
    return this;
  }

  /** @internal The topics of these sources must have equal partition counts. */
  copartitionSources(sourceNames: readonly string[]): this {
    this.#copartitionedSources.push([...sourceNames]);
    return this;
  }

  /** @internal A source topic serves as the changelog of a store: the store doesn't log, and is restored from there. */
  connectSourceStoreAndTopic(storeName: string, topic: string): this {
    if (this.#sourceChangelogs.has(storeName)) {
      throw new TopologyError(
        `Store ${storeName} has topic ${this.#sourceChangelogs.get(storeName)} as changelog already.`,
      );
    }
    this.#sourceChangelogs.set(storeName, topic);
    return this;
  }

  /** @internal Joined repartition topics whose partition counts the user gave must have the same. */
  checkCopartitioning(): void {
    for (const sources of this.#copartitionedSources) {
      const topics = sources.flatMap((name) => {
        const node = this.#nodes.get(name);
        return node?.type === 'source' ? node.topics : [];
      });
      const given = topics.map((topic) => ({ topic, partitions: this.#repartitionTopics.get(topic) }));
      if (given.some(({ partitions }) => partitions === undefined)) continue;
      if (new Set(given.map(({ partitions }) => partitions)).size <= 1) continue;
      const list = given.map(({ topic, partitions }) => `${topic} (${partitions})`).join(', ');
      throw new TopologyError(
        `Joined topics must have equal partition counts: ${list}. Give repartition() the same number.`,
      );
    }
  }

  /** What the topology looks like; its `toString()` is Kafka Streams' text. */
  describe(): TopologyDescription {
    const globalNames = new Set(this.#globalStores.map((spec) => spec.source.name));
    const nodeOf = (name: string): TopologyNode => this.#nodes.get(name) as TopologyNode;
    return new TopologyDescription(
      this.#nodeGroups().map((group, id) =>
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
    for (const store of this.#stores.keys()) {
      if (!this.#storeUsers.has(store)) {
        throw new TopologyError(
          `Store ${store} is connected to no processor: name it in the processor's stores, or leave it out.`,
        );
      }
    }
    const parts: TopologyParts = {
      nodes: this.#nodes,
      stores: this.#stores,
      sourceChangelogs: this.#sourceChangelogs,
      globalStores: this.#globalStores,
      repartitionTopics: this.#repartitionTopics,
      copartitionedSources: this.#copartitionedSources,
      groups: this.#nodeGroups(),
    };
    return resolveTopology(applicationId, parts, options);
  }

  #nodeGroups(): string[][] {
    return this.#groups.groups(this.#nodes.keys());
  }

  #addNode(node: TopologyNode): void {
    this.#nodes.set(node.name, node);
    this.#groups.add(node.name);
    if (node.type !== 'source') this.#groups.unite(node.name, node.parents);
  }

  #checkNewName(name: string): void {
    checkLegal('Node', name);
    if (this.#nodes.has(name)) throw new TopologyError(`Node ${name} exists already: choose another name.`);
  }

  #checkParents(name: string, parents: string | readonly string[]): readonly string[] {
    const list = typeof parents === 'string' ? [parents] : [...parents];
    if (list.length === 0) throw new TopologyError(`Node ${name} has no parent: name at least one.`);
    const globalNodes = new Set(this.#globalStores.flatMap((spec) => [spec.source.name, spec.processor.name]));
    for (const parent of list) {
      if (parent === name) throw new TopologyError(`Node ${name} can't be its own parent.`);
      const node = this.#nodes.get(parent);
      if (node === undefined) {
        throw new TopologyError(`Parent ${parent} of node ${name} is unknown: add it before ${name}.`);
      }
      if (node.type === 'sink' || node.type === 'external-sink') {
        throw new TopologyError(`Sink ${parent} can't be the parent of ${name}: hang ${name} below the sink's parent.`);
      }
      if (globalNodes.has(parent)) {
        throw new TopologyError(`Node ${parent} fills a global store: ${name} can't hang below it.`);
      }
    }
    return list;
  }

  #checkNewTopic(topic: string, name: string): void {
    const other = this.#sourceOfTopic.get(topic);
    if (other !== undefined) {
      throw new TopologyError(
        `Topic ${topic} of source ${name} is read by source ${other} already: share that source.`,
      );
    }
    for (const node of this.#nodes.values()) {
      if (node.type === 'source' && node.pattern?.test(topic)) {
        throw new TopologyError(`Topic ${topic} of source ${name} matches the pattern of source ${node.name} already.`);
      }
    }
  }

  #checkNewPattern(pattern: RegExp, name: string): void {
    const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    for (const [topic, source] of this.#sourceOfTopic) {
      if (!stateless.test(topic)) continue;
      throw new TopologyError(
        `The pattern of source ${name} matches topic ${topic}, which source ${source} reads already: narrow the pattern.`,
      );
    }
  }

  #checkNotGlobalStore(name: string): void {
    if (this.#globalStores.some((spec) => spec.store.name === name)) {
      throw new TopologyError(`Global store ${name} exists already: choose another name.`);
    }
  }
}

function asSupplier<KIn, VIn, KOut, VOut>(
  supplier: ProcessorSupplier<KIn, VIn, KOut, VOut> | (() => Processor<KIn, VIn, KOut, VOut>),
): ProcessorSupplier {
  return (typeof supplier === 'function' ? { get: supplier } : supplier) as ProcessorSupplier;
}

function checkLegal(what: string, name: string): void {
  if (!legalName.test(name) || name === '.' || name === '..') {
    throw new TopologyError(
      `${what} name ${JSON.stringify(name)} is not legal: use letters, digits, '.', '_' and '-'.`,
    );
  }
}
