import { TopologyError } from '../../base/errors.ts';
import type { AsyncOperator } from '../../processor/async-operator.ts';
import type { AsyncHost, AsyncProcessor } from '../../processor/processor.ts';
import type { SubTopology } from '../../topology/nodes.ts';
import type { RecordCollector } from '../output/record-collector.ts';
import { type ContextHost, NodeContext } from './node-context.ts';
import {
  AsyncTaskNode,
  ExternalSinkTaskNode,
  type GraphHost,
  ProcessorTaskNode,
  SinkTaskNode,
  SourceTaskNode,
  type TaskNode,
} from './task-nodes.ts';

/** What the nodes of a task work with. */
export interface GraphOptions {
  /** What nodes and their contexts ask of the task. */
  readonly host: GraphHost & ContextHost;
  /** Where sinks write to. */
  readonly collector: RecordCollector;
  /** Makes the processor of an asynchronous node (room `pipeline/`). */
  readonly createAsyncProcessor: (operator: AsyncOperator, nodeName: string, taskId: string) => AsyncProcessor;
  /** What a node may ask of the task; one a node, since failures name it. */
  readonly asyncHostOf: (nodeName: string) => AsyncHost;
}

/**
 * The nodes of a sub-topology as objects of one task, linked parent to child.
 *
 * Owns: processors, contexts, external sinks. Called by: StreamTask.
 * Invariants: I1 children are in the order in which the topology added them; I2 `init` runs parents before children, `close` once.
 */
export class ProcessorGraph {
  /** In the topology's order. */
  readonly sources: readonly SourceTaskNode[];
  /** Sinks that store offsets themselves; the task commits them. */
  readonly externalSinks: readonly ExternalSinkTaskNode[];
  readonly #processors: readonly { readonly node: ProcessorTaskNode; readonly context: NodeContext }[];
  readonly #asyncHostOf: GraphOptions['asyncHostOf'];
  #isInitialized = false;

  /**
   * Makes processors by their suppliers and links them; `init` begins them. Throws `TOPOLOGY` for a node whose parent
   * is not there.
   */
  constructor(subTopology: SubTopology, options: GraphOptions) {
    const { host, collector } = options;
    this.#asyncHostOf = options.asyncHostOf;
    const childrenOf = new Map<string, TaskNode[]>();
    const sources: SourceTaskNode[] = [];
    const externalSinks: ExternalSinkTaskNode[] = [];
    const processors: { node: ProcessorTaskNode; context: NodeContext }[] = [];
    const link = (parents: readonly string[], child: TaskNode): void => {
      for (const parent of parents) {
        const children = childrenOf.get(parent);
        if (children === undefined) throw new TopologyError(`Node ${child.name} has no parent '${parent}' before it`);
        children.push(child);
      }
    };
    for (const spec of subTopology.nodes) {
      if (spec.type === 'source') {
        const node = new SourceTaskNode(spec);
        sources.push(node);
        childrenOf.set(spec.name, node.children);
      } else if (spec.type === 'processor' || spec.type === 'async') {
        const context = new NodeContext(spec.name, spec.type === 'processor' ? spec.stores : [], host);
        let node: ProcessorTaskNode;
        if (spec.type === 'processor') node = new ProcessorTaskNode(spec.name, spec.supplier.get(), host);
        else {
          const processor = options.createAsyncProcessor(spec.operator, spec.name, host.taskId);
          node = new AsyncTaskNode(spec.name, processor, host);
        }
        processors.push({ node, context });
        link(spec.parents, node);
        childrenOf.set(spec.name, context.children);
      } else if (spec.type === 'sink') {
        link(spec.parents, new SinkTaskNode(spec, collector, host));
      } else {
        const node = new ExternalSinkTaskNode(spec, host);
        externalSinks.push(node);
        link(spec.parents, node);
      }
    }
    this.sources = sources;
    this.externalSinks = externalSinks;
    this.#processors = processors;
  }

  /** The source node that reads `topic`; by pattern where no source names it. */
  sourceOf(topic: string): SourceTaskNode {
    const source =
      this.sources.find((node) => node.spec.topics.includes(topic)) ??
      this.sources.find((node) => node.spec.pattern?.test(topic));
    if (source === undefined) throw new TopologyError(`No source node reads topic '${topic}'`);
    return source;
  }

  /** Attaches asynchronous operators and calls each processor's `init`. */
  init(): void {
    this.#isInitialized = true;
    for (const { node, context } of this.#processors) {
      if (node instanceof AsyncTaskNode) node.asyncProcessor.attach(this.#asyncHostOf(node.name));
      node.processor.init?.(context);
    }
  }

  /** Closes processors in order; the first error is thrown after all were closed. */
  close(): void {
    if (!this.#isInitialized) return;
    this.#isInitialized = false;
    const failures: unknown[] = [];
    for (const { node } of this.#processors) {
      try {
        if (node instanceof AsyncTaskNode) node.asyncProcessor.cancel();
        node.processor.close?.();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
