import type { AutoOffsetReset } from '../base/config.ts';
import type { AsyncOperator } from '../processor/async-operator.ts';
import type {
  OffsetStoringSink,
  OutputRecordContext,
  ProcessorSupplier,
  StreamPartitioner,
  TimestampExtractor,
} from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';

/** A source as a value: what `Topology.addSource` recorded. The runtime makes one instance of every node a task. */
export interface SourceNode {
  /** Tells the kinds of nodes apart. */
  readonly type: 'source';
  /** Name of the node, unique in the topology. */
  readonly name: string;
  /**
   * Topics that it reads, empty where it reads a pattern. Resolved names of internal topics are
   * `<applicationId>-<topic>`.
   */
  readonly topics: readonly string[];
  /** Reads all topics that match; undefined: those of `topics`. */
  readonly pattern: RegExp | undefined;
  /** Serde of the topics' keys. */
  readonly keySerde: Serde<unknown>;
  /** Serde of the topics' values. */
  readonly valueSerde: Serde<unknown>;
  /** Finds event times; undefined: the records' own. */
  readonly timestampExtractor: TimestampExtractor | undefined;
  /** Where to begin without a valid position; undefined: as the application says. */
  readonly autoOffsetReset: AutoOffsetReset | undefined;
}

/** A processor as a value: what `Topology.addProcessor` recorded. */
export interface ProcessorNode {
  /** Tells the kinds of nodes apart. */
  readonly type: 'processor';
  /** Name of the node, unique in the topology. */
  readonly name: string;
  /** Names of the nodes whose records come here. */
  readonly parents: readonly string[];
  /** Makes the processor of each task. */
  readonly supplier: ProcessorSupplier;
  /** Names of connected stores. */
  readonly stores: readonly string[];
}

/** A sink as a value: what `Topology.addSink` recorded. */
export interface SinkNode {
  /** Tells the kinds of nodes apart. */
  readonly type: 'sink';
  /** Name of the node, unique in the topology. */
  readonly name: string;
  /** Names of the nodes whose records come here. */
  readonly parents: readonly string[];
  /** Topic to write to, or a function that names it for each record. */
  readonly topic: string | ((key: unknown, value: unknown, context: OutputRecordContext) => string);
  /** How keys are written. */
  readonly keySerde: Serde<unknown>;
  /** How values are written. */
  readonly valueSerde: Serde<unknown>;
  /** Chooses partitions; undefined: by the hash of the key. */
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
  /** Windowed keys go to the partition of the key inside, as below the DSL's `to()`. */
  readonly partitionsByInnerKey: boolean;
}

/** A sink into a system that stores offsets itself (`stream.toExternal`). Printed as a processor by `describe`. */
export interface ExternalSinkNode {
  /** Tells the kinds of nodes apart. */
  readonly type: 'external-sink';
  /** Name of the node, unique in the topology. */
  readonly name: string;
  /** Names of the nodes whose records come here. */
  readonly parents: readonly string[];
  /** Makes the sink of each task. */
  readonly supplier: () => OffsetStoringSink;
}

/** An asynchronous boundary; the runtime makes its processor (room `pipeline/`). Printed as a processor by `describe`. */
export interface AsyncNode {
  /** Tells the kinds of nodes apart. */
  readonly type: 'async';
  /** Name of the node, unique in the topology. */
  readonly name: string;
  /** Names of the nodes whose records come here. */
  readonly parents: readonly string[];
  /** What happens to records inside the boundary. */
  readonly operator: AsyncOperator;
}

/** Any node of a topology. */
export type TopologyNode = SourceNode | ProcessorNode | SinkNode | ExternalSinkNode | AsyncNode;

/** A store that every instance fills from a whole topic before it starts. */
export interface GlobalStoreSpec {
  /** Makes the store; it doesn't log. */
  readonly store: StoreBuilder<StateStore>;
  /** Topic that it is filled from, all partitions. */
  readonly topic: string;
  /** Reads the topic. */
  readonly source: SourceNode;
  /** Writes the records to the store. */
  readonly processor: ProcessorNode;
}

/** A topic that the runtime creates and names `<applicationId>-<name>`. */
export interface InternalTopicSpec {
  /** Without the application id prefix. */
  readonly name: string;
  /** `repartition`: records on their way to the partition of a new key; `changelog`: what a store is restored from. */
  readonly kind: 'repartition' | 'changelog';
  /** Undefined: as many as the sub-topology's widest source (changelogs), or upstream's (repartition). */
  readonly partitions: number | undefined;
  /** Configuration of the topic when it is created, by Kafka's keys. */
  readonly configs: Readonly<Record<string, string>>;
}

/** One connected part of a topology with everything resolved for an application id: the runtime's and the driver's input. */
export interface SubTopology {
  /** Number of the sub-topology: the first half of its tasks' ids. */
  readonly id: number;
  /** Parents before children. */
  readonly nodes: readonly TopologyNode[];
  /** Its stores, each with the topic that restores it. */
  readonly stores: readonly SubTopologyStore[];
  /** Topics that it reads by name, full names; what patterns match is not among them. */
  readonly sourceTopics: readonly string[];
  /** Topics that it writes, full names; those that records choose are not among them. */
  readonly sinkTopics: readonly string[];
  /** Repartition topics read here, full names. */
  readonly repartitionSourceTopics: readonly string[];
  /** Topics that must exist for it and are created if they don't. */
  readonly internalTopics: readonly (InternalTopicSpec & {
    /** Full name, with the application id. */
    readonly topic: string;
  })[];
  /** Groups of source topics that must have equal partition counts. */
  readonly copartitionGroups: readonly (readonly string[])[];
}

/** A store that tasks of the sub-topology have, and where it is restored from. */
export interface SubTopologyStore {
  /** Makes the store of each task. */
  readonly builder: StoreBuilder<StateStore>;
  /** Topic that restores it, full name; undefined without logging. */
  readonly changelogTopic: string | undefined;
  /** True where the changelog is a source topic (optimisation): the store doesn't log. */
  readonly changelogIsSource: boolean;
}

/** A topology resolved for one application: names complete, sub-topologies numbered as Java numbers them. */
export interface ResolvedTopology {
  /** The application that names were completed for. */
  readonly applicationId: string;
  /** What tasks are made of; sub-topologies of global stores are not among them. */
  readonly subTopologies: readonly SubTopology[];
  /** Stores that every instance fills. */
  readonly globalStores: readonly GlobalStoreSpec[];
}
