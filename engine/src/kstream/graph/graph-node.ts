import type { AsyncOperator } from '../../processor/async-operator.ts';
import type { OffsetStoringSink, Processor, ProcessorSupplier, StreamPartitioner } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import type { StateStore, StoreBuilder } from '../../state/state-store.ts';
import type {
  GlobalStoreOptions,
  SinkOptions,
  SourceOptions,
  TopicNameExtractor,
  Topology,
} from '../../topology/topology.ts';
import { PassThroughProcessor } from '../processors/stream/stateless-processors.ts';
import { GraphLinks } from './graph-links.ts';

/**
 * One operation of a DSL program. The program is kept as such nodes until `build`, so that an optimiser may look at the whole
 * before names and topics are fixed; then each node writes one or more topology nodes.
 *
 * Called by: the DSL (creation), `StreamsGraph.writeTo`.
 * Invariants: I1 parents are created before children.
 */
export abstract class GraphNode {
  /** Name of its topology node, or of the last one where it writes several; unique in the program. */
  readonly name: string;
  /** Its edges, which the optimiser may change for one build. */
  readonly links: GraphLinks<GraphNode>;
  /** Whether records may leave with another key; the optimiser moves repartition topics up to such nodes. */
  changesKey = false;
  /**
   * Whether records may leave with another value; repartition topics are not moved above such nodes either, whose
   * serdes would not fit.
   */
  changesValue = false;
  /**
   * Made by `merge(...)`: repartition topics below it count for the optimiser as those of the key-changing nodes above
   * it.
   */
  isMerge = false;
  /** A join that takes records without a key: repartition topics above let them pass. */
  toleratesNullKey = false;
  /** The optimiser put another node in this one's place: two sources of one topic, or repartition topics made one. */
  replacedBy: GraphNode | undefined;
  /** Whether the table made here keeps versions; undefined: whatever those above do. */
  versioned: boolean | undefined;
  /** Windowed aggregations: how long after its end a window may still change, ms (grace, of sessions gap + grace). */
  closesAfterMs: number | undefined;

  /** Makes the edges from the parents; the graph takes the node in with `add`. */
  constructor(name: string, parents: readonly GraphNode[]) {
    this.name = name;
    this.links = new GraphLinks<GraphNode>(this, parents);
  }

  /** The nodes whose records come here. */
  get parents(): readonly GraphNode[] {
    return [...this.links.parents];
  }

  /** Changes that leave here come from versioned tables alone, so some may be history (`Change.isLatest` false). */
  get isVersioned(): boolean {
    if (this.versioned !== undefined) return this.versioned;
    return this.links.parents.size > 0 && this.parents.every((parent) => parent.isVersioned);
  }

  /** The topology node that children hang below. */
  get outputName(): string {
    return this.replacedBy === undefined ? this.name : this.replacedBy.outputName;
  }

  /** The topology source from which this node's partitions come, where it has one of its own. */
  get sourceName(): string {
    return this.replacedBy === undefined ? this.name : this.replacedBy.sourceName;
  }

  /** The topology nodes that this one's are hung below. */
  protected get parentNames(): string[] {
    return this.parents.map((parent) => parent.outputName);
  }

  /** Adds this operation's nodes, stores and internal topics to the topology. Parents were written before. */
  abstract writeTo(topology: Topology): void;
}

/** What `stream` reads: one topic, several, or all that match a pattern. */
export type Topics = string | readonly string[] | RegExp;

/** `stream(...)`, written as one source. Another one of the same topics is replaced by the first. */
export class StreamSourceNode extends GraphNode {
  /** What it reads, as the user gave it. */
  readonly topics: Topics;
  /** Serdes, timestamps and where reading begins; of two sources of one topic they must agree. */
  readonly options: SourceOptions<unknown, unknown>;

  constructor(name: string, topics: Topics, options: SourceOptions<unknown, unknown>) {
    super(name, []);
    this.topics = topics;
    this.options = options;
  }

  writeTo(topology: Topology): void {
    topology.addSource(this.name, this.topics, this.options);
  }
}

/** Stores that a processor brings along, asked for when the topology is written: tables are materialised late. */
export type LateStores = () => readonly StoreBuilder<StateStore>[];

const noStores: LateStores = () => [];

/** Where a processor's stores come from. */
export interface ProcessorStores {
  /** Stores that come with the node. */
  readonly own?: LateStores;
  /** Names of stores that other nodes brought. */
  readonly connected?: readonly string[];
}

/** `table(...)`: a source and the processor that keeps its newest values. */
export class TableSourceNode extends GraphNode {
  /** The topic that the table reads. */
  readonly topic: string;
  /** Serdes, timestamps and where reading begins. */
  readonly options: SourceOptions<unknown, unknown>;
  /** The optimiser lets the topic be the store's changelog. */
  reusesSourceTopic = false;
  readonly #sourceName: string;
  readonly #supplier: ProcessorSupplier;
  readonly #stores: LateStores;

  /** `name` is the processor's. `supplier` makes what turns records into changes and keeps them in `stores`. */
  constructor(
    sourceName: string,
    name: string,
    topic: string,
    options: SourceOptions<unknown, unknown>,
    supplier: ProcessorSupplier,
    stores: LateStores,
  ) {
    super(name, []);
    this.topic = topic;
    this.options = options;
    this.#sourceName = sourceName;
    this.#supplier = supplier;
    this.#stores = stores;
  }

  override get sourceName(): string {
    return this.#sourceName;
  }

  writeTo(topology: Topology): void {
    topology.addSource(this.#sourceName, this.topic, this.options);
    topology.addProcessor(this.name, this.#supplier, this.#sourceName);
    for (const store of this.#stores()) {
      topology.addStateStore(store, this.name);
      if (this.reusesSourceTopic) topology.connectSourceStoreAndTopic(store.name, this.topic);
    }
  }
}

/** Every operation that is one processor. */
export class ProcessorGraphNode extends GraphNode {
  readonly #supplier: ProcessorSupplier;
  readonly #stores: ProcessorStores;

  constructor(name: string, parents: readonly GraphNode[], supplier: ProcessorSupplier, stores: ProcessorStores = {}) {
    super(name, parents);
    this.#supplier = supplier;
    this.#stores = stores;
  }

  writeTo(topology: Topology): void {
    topology.addProcessor(this.name, this.#supplier, this.parentNames, { stores: this.#stores.connected ?? [] });
    for (const store of (this.#stores.own ?? noStores)()) topology.addStateStore(store, this.name);
  }
}

/** A stream joined with a table: like a processor, but the inputs' partitions must match. */
export class StreamTableJoinNode extends GraphNode {
  readonly #supplier: ProcessorSupplier;
  readonly #storeNames: () => readonly string[];
  readonly #sources: readonly GraphNode[];
  readonly #own: readonly StoreBuilder<StateStore>[];

  /**
   * `storeNames`: the table's stores; `sources`: nodes whose partitions must match; `own`: the buffer of a join with
   * grace.
   */
  constructor(
    name: string,
    parents: readonly GraphNode[],
    supplier: ProcessorSupplier,
    storeNames: () => readonly string[],
    sources: readonly GraphNode[],
    own: readonly StoreBuilder<StateStore>[] = [],
  ) {
    super(name, parents);
    this.#supplier = supplier;
    this.#storeNames = storeNames;
    this.#sources = sources;
    this.#own = own;
  }

  writeTo(topology: Topology): void {
    topology.addProcessor(this.name, this.#supplier, this.parentNames, { stores: this.#storeNames() });
    for (const store of this.#own) topology.addStateStore(store, this.name);
    if (this.#sources.length > 1) topology.copartitionSources(this.#sources.map((source) => source.sourceName));
  }
}

/** Names of what a repartition topic is written as. */
export interface RepartitionNames {
  /** The topic, without the application id. */
  readonly topic: string;
  /** The node that writes it. */
  readonly sink: string;
  /** The node that reads it. */
  readonly source: string;
  /** Drops records without a key; undefined for tables, which have none. */
  readonly filter: string | undefined;
}

/** A repartition topic: filter, sink, topic and source. */
export class RepartitionNode extends GraphNode {
  /** The optimiser may put it together with others: an operation below needs it, the user did not ask for it. */
  readonly isOptimizable: boolean;
  /** A join below takes records without a key, so they go through the topic. */
  passesNullKeys = false;
  readonly #names: RepartitionNames;
  readonly #options: SinkOptions<unknown, unknown>;
  readonly #filter: () => Processor;
  readonly #partitions: number | undefined;

  /**
   * `filter` makes what drops records without a key; `partitions` undefined: the number follows from what the topic is
   * copartitioned with and read from.
   */
  constructor(
    names: RepartitionNames,
    parent: GraphNode,
    options: SinkOptions<unknown, unknown>,
    filter: () => Processor,
    partitions: number | undefined,
    isOptimizable = false,
  ) {
    super(names.source, [parent]);
    this.#names = names;
    this.#options = options;
    this.#filter = filter;
    this.#partitions = partitions;
    this.isOptimizable = isOptimizable;
  }

  /** The topic's name, without the application id. */
  get topic(): string {
    return this.#names.topic;
  }

  /** How keys and values are written to the topic, and read from it. */
  get serdes(): SinkOptions<unknown, unknown> {
    return this.#options;
  }

  writeTo(topology: Topology): void {
    const { topic, sink, source, filter } = this.#names;
    topology.addRepartitionTopic(topic, this.#partitions);
    if (filter !== undefined) {
      topology.addProcessor(
        filter,
        this.passesNullKeys ? () => new PassThroughProcessor() as Processor : this.#filter,
        this.parentNames,
      );
    }
    topology.addSink(sink, topic, filter ?? this.parentNames, this.#options);
    topology.addSource(source, topic, { key: this.#options.key, value: this.#options.value });
  }
}

/** `to(...)`, the end of a stream in a topic that exists already or is chosen by each record. */
export class SinkGraphNode extends GraphNode {
  readonly #topic: string | TopicNameExtractor<unknown, unknown>;
  readonly #options: SinkOptions<unknown, unknown>;

  constructor(
    name: string,
    parent: GraphNode,
    topic: string | TopicNameExtractor<unknown, unknown>,
    options: {
      /** Writes the keys. */
      readonly key: Serde<unknown>;
      /** Writes the values. */
      readonly value: Serde<unknown>;
      /** Chooses partitions; undefined: by the hash of the key, of windowed keys by that of the inner key. */
      readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
    },
  ) {
    super(name, [parent]);
    this.#topic = topic;
    this.#options = options;
  }

  writeTo(topology: Topology): void {
    topology.addSink(this.name, this.#topic, this.parentNames, { ...this.#options, partitionsByInnerKey: true });
  }
}

/** `toExternal(...)`, the end of a stream in a system that stores input offsets itself. */
export class ExternalSinkGraphNode extends GraphNode {
  readonly #supplier: () => OffsetStoringSink<unknown, unknown>;

  constructor(name: string, parent: GraphNode, supplier: () => OffsetStoringSink<unknown, unknown>) {
    super(name, [parent]);
    this.#supplier = supplier;
  }

  writeTo(topology: Topology): void {
    topology.addExternalSink(this.name, this.#supplier, this.parentNames);
  }
}

/** `mapAsync`, `microBatch` and `pipe`: a boundary that records cross when their results are there. */
export class AsyncGraphNode extends GraphNode {
  readonly #operator: AsyncOperator;

  constructor(name: string, parent: GraphNode, operator: AsyncOperator) {
    super(name, [parent]);
    this.#operator = operator;
  }

  writeTo(topology: Topology): void {
    topology.addAsync(this.name, this.#operator, this.parentNames);
  }
}

/** `addStateStore(...)`: a store without a node; processors connect to it by its name. */
export class StateStoreNode extends GraphNode {
  readonly #store: StoreBuilder<StateStore>;

  constructor(store: StoreBuilder<StateStore>) {
    super(store.name, []);
    this.#store = store;
  }

  writeTo(topology: Topology): void {
    topology.addStateStore(this.#store);
  }
}

/** `globalTable(...)` and `addGlobalStore(...)`, written as a sub-topology of their own that makes no tasks. */
export class GlobalStoreNode extends GraphNode {
  readonly #options: GlobalStoreOptions<unknown, unknown>;

  constructor(options: GlobalStoreOptions<unknown, unknown>) {
    super(options.processorName, []);
    this.#options = options;
  }

  writeTo(topology: Topology): void {
    topology.addGlobalStore(this.#options);
  }
}
