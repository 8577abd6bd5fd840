import type { AutoOffsetReset } from '../base/config.ts';
import type { AsyncOperator } from '../processor/async-operator.ts';
import type {
  OffsetStoringSink,
  ProcessorSupplier,
  RecordMetadata,
  StreamPartitioner,
  TimestampExtractor,
} from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';

/** Nodes as values: what `Topology.addSource/addProcessor/addSink` recorded. The runtime instantiates them a task. */
export interface SourceNode {
  readonly type: 'source';
  readonly name: string;
  /** Resolved names are `<applicationId>-<topic>` where `internal`. */
  readonly topics: readonly string[];
  readonly pattern: RegExp | undefined;
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly timestampExtractor: TimestampExtractor | undefined;
  readonly autoOffsetReset: AutoOffsetReset | undefined;
}

export interface ProcessorNode {
  readonly type: 'processor';
  readonly name: string;
  readonly parents: readonly string[];
  readonly supplier: ProcessorSupplier;
  /** Names of connected stores. */
  readonly stores: readonly string[];
}

export interface SinkNode {
  readonly type: 'sink';
  readonly name: string;
  readonly parents: readonly string[];
  readonly topic: string | ((key: unknown, value: unknown, metadata: RecordMetadata | undefined) => string);
  readonly keySerde: Serde<unknown>;
  readonly valueSerde: Serde<unknown>;
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
}

/** A sink into a system that stores offsets itself (`stream.toExternal`). Printed as a processor by `describe`. */
export interface ExternalSinkNode {
  readonly type: 'external-sink';
  readonly name: string;
  readonly parents: readonly string[];
  readonly supplier: () => OffsetStoringSink;
}

/** An asynchronous boundary; the runtime makes its processor (room `pipeline/`). Printed as a processor by `describe`. */
export interface AsyncNode {
  readonly type: 'async';
  readonly name: string;
  readonly parents: readonly string[];
  readonly operator: AsyncOperator;
}

export type TopologyNode = SourceNode | ProcessorNode | SinkNode | ExternalSinkNode | AsyncNode;

/** A store that every instance fills from a whole topic before it starts. */
export interface GlobalStoreSpec {
  readonly store: StoreBuilder<StateStore>;
  readonly topic: string;
  readonly source: SourceNode;
  readonly processor: ProcessorNode;
}

/** A topic that the runtime creates and names `<applicationId>-<name>`. */
export interface InternalTopicSpec {
  /** Without the application id prefix. */
  readonly name: string;
  readonly kind: 'repartition' | 'changelog';
  /** Undefined: as many as the sub-topology's widest source (changelogs), or upstream's (repartition). */
  readonly partitions: number | undefined;
  readonly configs: Readonly<Record<string, string>>;
}

/** One connected part of a topology with everything resolved for an application id: the runtime's and the driver's input. */
export interface SubTopology {
  readonly id: number;
  /** Parents before children. */
  readonly nodes: readonly TopologyNode[];
  /** Store name → its builder and the topic that restores it (a changelog or, optimised, the source topic); undefined without logging. */
  readonly stores: readonly SubTopologyStore[];
  /** Full names. */
  readonly sourceTopics: readonly string[];
  readonly sinkTopics: readonly string[];
  /** Repartition topics read here, full names. */
  readonly repartitionSourceTopics: readonly string[];
  readonly internalTopics: readonly (InternalTopicSpec & { readonly topic: string })[];
  /** Groups of source topics that must have equal partition counts. */
  readonly copartitionGroups: readonly (readonly string[])[];
}

export interface SubTopologyStore {
  readonly builder: StoreBuilder<StateStore>;
  readonly changelogTopic: string | undefined;
  /** True where the changelog is a source topic (optimisation): the store doesn't log. */
  readonly changelogIsSource: boolean;
}

/** A topology resolved for one application: names complete, sub-topologies numbered as Java numbers them. */
export interface ResolvedTopology {
  readonly applicationId: string;
  readonly subTopologies: readonly SubTopology[];
  readonly globalStores: readonly GlobalStoreSpec[];
}
