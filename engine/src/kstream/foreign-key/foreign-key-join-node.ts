import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { SinkOptions, Topology } from '../../topology/topology.ts';
import { GraphNode, type LateStores } from '../graph/graph-node.ts';

/** Names of everything that a foreign-key join writes. */
export interface ForeignKeyJoinNames {
  /** Topic of the questions, keyed by the foreign key. */
  readonly registrationTopic: string;
  /** Node that turns changes of the left table into questions. */
  readonly send: string;
  /** Node that writes the questions to their topic. */
  readonly registrationSink: string;
  /** Node that reads the questions, in the tasks of the right table. */
  readonly registrationSource: string;
  /** Store of the subscriptions: who asked for which foreign key. */
  readonly store: string;
  /** Node that keeps the subscriptions that the questions make. */
  readonly receive: string;
  /** Node that answers a question with the right table's value. */
  readonly join: string;
  /** Node that answers every subscriber when the right table changes. */
  readonly foreignTable: string;
  /** Topic of the answers, keyed by the left table's key. */
  readonly responseTopic: string;
  /** Node that writes the answers to their topic. */
  readonly responseSink: string;
  /** Node that reads the answers, in the tasks of the left table. */
  readonly responseSource: string;
  /** Node that makes results of answers, and the end of the join. */
  readonly resolver: string;
}

/** What a foreign-key join is written from: both tables, its processors, and how its two topics are written. */
export interface ForeignKeyJoinProcessors {
  /** The table whose entries have the foreign key. */
  readonly left: {
    /** Node below which the join hangs. */
    readonly node: GraphNode;
    /** Nodes whose topics give the table its partitions, which the answers must come back to. */
    readonly sources: readonly GraphNode[];
    /** Stores from which the resolver reads the table's newest value. */
    readonly storeNames: () => readonly string[];
  };
  /** The table that is pointed to. */
  readonly right: {
    /** Node below which the join hangs. */
    readonly node: GraphNode;
    /** Nodes whose topics give the table its partitions, which the questions must go to. */
    readonly sources: readonly GraphNode[];
    /** Stores from which questions are answered. */
    readonly storeNames: () => readonly string[];
  };
  /** The five processors, in the order in which a change passes them. */
  readonly suppliers: {
    readonly send: ProcessorSupplier;
    readonly receive: ProcessorSupplier;
    readonly join: ProcessorSupplier;
    readonly foreignTable: ProcessorSupplier;
    readonly resolver: ProcessorSupplier;
  };
  /** Serdes and partitioner of the questions. */
  readonly registration: SinkOptions<unknown, unknown>;
  /** Serdes and partitioner of the answers. */
  readonly response: SinkOptions<unknown, unknown>;
  /** The store of the subscriptions. */
  readonly subscriptions: LateStores;
}

/**
 * A table joined by a foreign key: from the left table through the registration topic to where the foreign keys' entries are, and
 * through the response topic back. Ends in the processor that makes the results.
 */
export class ForeignKeyJoinNode extends GraphNode {
  readonly #names: ForeignKeyJoinNames;
  readonly #definition: ForeignKeyJoinProcessors;

  constructor(names: ForeignKeyJoinNames, definition: ForeignKeyJoinProcessors) {
    super(names.resolver, [definition.left.node, definition.right.node]);
    this.#names = names;
    this.#definition = definition;
  }

  override get sourceName(): string {
    return this.#names.responseSource;
  }

  writeTo(topology: Topology): void {
    const names = this.#names;
    const { left, right, suppliers, registration, response } = this.#definition;
    topology.addRepartitionTopic(names.registrationTopic);
    topology.addProcessor(names.send, suppliers.send, left.node.outputName);
    topology.addSink(names.registrationSink, names.registrationTopic, names.send, registration);
    topology.addSource(names.registrationSource, names.registrationTopic, registration);
    topology.copartitionSources([...right.sources.map((source) => source.sourceName), names.registrationSource]);
    topology.addProcessor(names.receive, suppliers.receive, names.registrationSource);
    topology.addProcessor(names.join, suppliers.join, names.receive);
    topology.addProcessor(names.foreignTable, suppliers.foreignTable, right.node.outputName);
    for (const store of this.#definition.subscriptions())
      topology.addStateStore(store, names.receive, names.foreignTable);
    topology.connectProcessorAndStateStores(names.join, ...right.storeNames());

    topology.addRepartitionTopic(names.responseTopic);
    topology.addSink(names.responseSink, names.responseTopic, [names.join, names.foreignTable], response);
    topology.addSource(names.responseSource, names.responseTopic, response);
    topology.copartitionSources([...left.sources.map((source) => source.sourceName), names.responseSource]);
    topology.addProcessor(names.resolver, suppliers.resolver, names.responseSource);
    topology.connectProcessorAndStateStores(names.resolver, ...left.storeNames());
  }
}
