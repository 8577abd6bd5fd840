import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { StateStore, StoreBuilder } from '../../state/state-store.ts';
import type { Topology } from '../../topology/topology.ts';
import { GraphNode } from './graph-node.ts';

/** Keeps the records of one side of a stream–stream join in their window store. */
export class JoinWindowNode extends GraphNode {
  /** The window store of this side; the other side reads it. */
  readonly store: StoreBuilder<StateStore>;
  readonly #supplier: ProcessorSupplier;

  /** `supplier` makes what puts records into `store` and hands them on. */
  constructor(name: string, parent: GraphNode, supplier: ProcessorSupplier, store: StoreBuilder<StateStore>) {
    super(name, [parent]);
    this.#supplier = supplier;
    this.store = store;
  }

  writeTo(topology: Topology): void {
    topology.addProcessor(this.name, this.#supplier, this.parentNames);
    topology.addStateStore(this.store, this.name);
  }
}

/** Names and processors of a join of two streams. */
export interface StreamJoinProcessors {
  /** Node that looks for partners of this stream's records. */
  readonly thisName: string;
  /** Reads the other side's window. */
  readonly thisSide: ProcessorSupplier;
  /** Node that looks for partners of the other stream's records. */
  readonly otherName: string;
  /** Reads this side's window. */
  readonly otherSide: ProcessorSupplier;
  /** Puts the results of both sides into one stream. */
  readonly merger: ProcessorSupplier;
  /** For a stream joined with itself, where the optimiser may: does with the left store alone. */
  readonly selfJoin: ProcessorSupplier;
}

/** `join`, `leftJoin` and `outerJoin` of two streams: a processor for each side, and one that merges their results. */
export class StreamJoinNode extends GraphNode {
  /** The left side's window. */
  readonly thisWindow: JoinWindowNode;
  /** The right side's window; not written where the optimiser makes this a self-join. */
  readonly otherWindow: JoinWindowNode;
  /** Set by the optimiser for one build. */
  isSelfJoin = false;
  readonly #processors: StreamJoinProcessors;
  readonly #unmatched: StoreBuilder<StateStore> | undefined;
  readonly #sources: readonly GraphNode[];

  /**
   * `unmatched`: the store of records that found no partner, in left and outer joins. `sources`: nodes whose partitions
   * must match.
   */
  constructor(
    name: string,
    parents: readonly GraphNode[],
    windows: {
      /** The window of the stream on which the join was called. */
      readonly left: JoinWindowNode;
      /** The window of the stream that it is joined with. */
      readonly right: JoinWindowNode;
    },
    processors: StreamJoinProcessors,
    unmatched: StoreBuilder<StateStore> | undefined,
    sources: readonly GraphNode[],
  ) {
    super(name, parents);
    this.thisWindow = windows.left;
    this.otherWindow = windows.right;
    this.#processors = processors;
    this.#unmatched = unmatched;
    this.#sources = sources;
    this.toleratesNullKey = unmatched !== undefined;
  }

  writeTo(topology: Topology): void {
    const { thisName, thisSide, otherName, otherSide, merger, selfJoin } = this.#processors;
    const { thisWindow, otherWindow } = this;
    if (this.#sources.length > 1) topology.copartitionSources(this.#sources.map((source) => source.sourceName));
    if (this.isSelfJoin) {
      topology.addProcessor(this.name, selfJoin, thisWindow.name, { stores: [thisWindow.store.name] });
      return;
    }
    this.#addSide(topology, thisName, thisSide, thisWindow, otherWindow);
    this.#addSide(topology, otherName, otherSide, otherWindow, thisWindow);
    topology.addProcessor(this.name, merger, [thisName, otherName]);
  }

  #addSide(
    topology: Topology,
    name: string,
    supplier: ProcessorSupplier,
    own: JoinWindowNode,
    other: JoinWindowNode,
  ): void {
    topology.addProcessor(name, supplier, own.name, { stores: [other.store.name] });
    if (this.#unmatched !== undefined) topology.addStateStore(this.#unmatched, name);
  }
}
