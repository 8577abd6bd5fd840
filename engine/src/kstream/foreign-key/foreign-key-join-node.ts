import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { SinkOptions, Topology } from '../../topology/topology.ts';
import { GraphNode, type LateStores } from '../graph/graph-node.ts';

/** Names of everything that a foreign-key join writes. */
export interface ForeignKeyJoinNames {
  readonly registrationTopic: string;
  readonly send: string;
  readonly registrationSink: string;
  readonly registrationSource: string;
  readonly store: string;
  readonly receive: string;
  readonly join: string;
  readonly foreignTable: string;
  readonly responseTopic: string;
  readonly responseSink: string;
  readonly responseSource: string;
  readonly resolver: string;
}

export interface ForeignKeyJoinProcessors {
  readonly left: {
    readonly node: GraphNode;
    readonly sources: readonly GraphNode[];
    readonly storeNames: () => readonly string[];
  };
  readonly right: {
    readonly node: GraphNode;
    readonly sources: readonly GraphNode[];
    readonly storeNames: () => readonly string[];
  };
  readonly suppliers: {
    readonly send: ProcessorSupplier;
    readonly receive: ProcessorSupplier;
    readonly join: ProcessorSupplier;
    readonly foreignTable: ProcessorSupplier;
    readonly resolver: ProcessorSupplier;
  };
  readonly registration: SinkOptions<unknown, unknown>;
  readonly response: SinkOptions<unknown, unknown>;
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
