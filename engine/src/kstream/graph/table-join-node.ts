import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { Topology } from '../../topology/topology.ts';
import { GraphNode, type LateStores } from './graph-node.ts';

/** One side of a table–table join as the topology sees it. */
export interface TableJoinSideNode {
  /** Name of the node that takes this side's changes. */
  readonly name: string;
  /** Node of this side's table. */
  readonly parent: GraphNode;
  /** Makes what joins this side's changes with the other table. */
  readonly supplier: ProcessorSupplier;
  /** Stores of the other table, which this side looks into. */
  readonly storeNames: () => readonly string[];
}

/** A table joined with a table: a processor for the changes of each side, and one that merges their results. */
export class TableJoinNode extends GraphNode {
  readonly #left: TableJoinSideNode;
  readonly #right: TableJoinSideNode;
  readonly #merger: ProcessorSupplier;
  readonly #stores: LateStores;
  readonly #sources: readonly GraphNode[];

  /**
   * `merger` puts the results of both sides into one table, and into `stores`. `sources`: nodes whose partitions must
   * match.
   */
  constructor(
    name: string,
    left: TableJoinSideNode,
    right: TableJoinSideNode,
    merger: ProcessorSupplier,
    stores: LateStores,
    sources: readonly GraphNode[],
  ) {
    super(name, [left.parent, right.parent]);
    this.#left = left;
    this.#right = right;
    this.#merger = merger;
    this.#stores = stores;
    this.#sources = sources;
  }

  writeTo(topology: Topology): void {
    const sides = [this.#left, this.#right];
    for (const { name, parent, supplier } of sides) topology.addProcessor(name, supplier, parent.outputName);
    topology.addProcessor(
      this.name,
      this.#merger,
      sides.map(({ name }) => name),
    );
    for (const store of this.#stores()) topology.addStateStore(store, this.name);
    for (const { name, storeNames } of sides) topology.connectProcessorAndStateStores(name, ...storeNames());
    if (this.#sources.length > 1) topology.copartitionSources(this.#sources.map((source) => source.sourceName));
  }
}
