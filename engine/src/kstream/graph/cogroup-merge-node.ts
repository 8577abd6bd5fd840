import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { Topology } from '../../topology/topology.ts';
import { type GraphNode, ProcessorGraphNode } from './graph-node.ts';

/** Where the changes of a cogroup's inputs come together: its inputs' partitions must match. */
export class CogroupMergeNode extends ProcessorGraphNode {
  readonly #sources: readonly GraphNode[];

  /** `sources`: nodes whose topics give the inputs their partitions. */
  constructor(name: string, parents: readonly GraphNode[], supplier: ProcessorSupplier, sources: readonly GraphNode[]) {
    super(name, parents, supplier);
    this.#sources = sources;
  }

  override writeTo(topology: Topology): void {
    super.writeTo(topology);
    if (this.#sources.length > 1) topology.copartitionSources(this.#sources.map((source) => source.sourceName));
  }
}
