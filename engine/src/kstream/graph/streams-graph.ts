import type { TopologyOptimization } from '../../base/config.ts';
import { TopologyError } from '../../base/errors.ts';
import { optimizationRules } from '../../topology/optimization.ts';
import { type ProcessorWrapper, Topology } from '../../topology/topology.ts';
import { checkExplicitNames } from './explicit-names.ts';
import { type GraphNode, StreamSourceNode, TableSourceNode } from './graph-node.ts';
import { NameProvider } from './name-provider.ts';
import { optimize } from './optimizer.ts';

/** How a program becomes a topology: what Java reads from a configuration while it builds. */
export interface BuildOptions {
  /**
   * Rules of the optimiser to apply. Default: `none`, as in Kafka Streams (`topology.optimization`). They change names
   * and topics: not for a running application. Throws `TOPOLOGY` for a rule that doesn't exist.
   */
  readonly topologyOptimization?: TopologyOptimization | undefined;
  /**
   * Whether programs with generated names of stores or topics are refused with `TOPOLOGY`. Default: false. Kafka
   * Streams: `ensure.explicit.internal.resource.naming`.
   */
  readonly ensureExplicitInternalResourceNaming?: boolean | undefined;
  /** Put around every processor, those of the DSL included. Default: none. Kafka Streams: `processor.wrapper.class`. */
  readonly processorWrapper?: ProcessorWrapper | undefined;
}

/**
 * The logical graph of one `StreamsBuilder`.
 *
 * Owns: the nodes, and the name counter.
 * Called by: the DSL.
 * Invariants: I1 parents are written before children, and among those that may be written the one created first, as in Kafka
 * Streams; I2 a build leaves the graph as it was.
 */
export class StreamsGraph {
  /** Generated names, numbered over the whole program. */
  readonly names = new NameProvider();
  readonly #nodes: GraphNode[] = [];
  readonly #known = new Set<GraphNode>();
  #nextPriority = 0;
  #isBuilt = false;

  /** Takes a node in and answers it. Throws `TOPOLOGY` after `build`, and for a parent that is another program's. */
  add<N extends GraphNode>(node: N): N {
    if (this.#isBuilt) {
      throw new TopologyError(
        `${node.name} comes after build(), where it would change the topology that was built: complete the program first, or begin another with a new StreamsBuilder.`,
      );
    }
    for (const parent of node.links.parents) this.#checkOwn(parent, node);
    this.#nodes.push(node);
    this.#known.add(node);
    // Kafka Streams adds a node to each of its parents in turn.
    for (const _parent of node.links.parents) this.touch(node);
    if (node.links.parents.size === 0) this.touch(node);
    return node;
  }

  /** Puts a node that is used again at the end of the order in which nodes are written, as Kafka Streams does. */
  touch(node: GraphNode): void {
    node.links.priority = this.#nextPriority;
    this.#nextPriority += 1;
  }

  /** A new topology each time, for which the graph stays as it is: later operations could make its tables keep more than it knows. */
  build(options: BuildOptions = {}): Topology {
    const rules = optimizationRules(options.topologyOptimization);
    const undo = [this.names.keep(), ...this.#nodes.map((node) => node.links.keep())];
    try {
      this.#mergeSources();
      optimize(this.#nodes, this.names, rules);
      const topology = new Topology({ processorWrapper: options.processorWrapper });
      topology.optimizations = rules;
      write(
        this.#nodes.filter((node) => node.links.parents.size === 0),
        topology,
      );
      topology.checkCopartitioning();
      if (options.ensureExplicitInternalResourceNaming === true) checkExplicitNames(this.names.implicit);
      this.#isBuilt = true;
      return topology;
    } finally {
      for (const step of undo) step();
      for (const node of this.#nodes) {
        node.replacedBy = undefined;
        if (node instanceof TableSourceNode) node.reusesSourceTopic = false;
        if ('isSelfJoin' in node) node.isSelfJoin = false;
      }
    }
  }

  /** Several `stream()` calls on one topic share one source, as in Kafka Streams. */
  #mergeSources(): void {
    const byTopics = new Map<string, StreamSourceNode>();
    const ownerOfTopic = new Map<string, GraphNode>();
    for (const node of this.#nodes) {
      if (node instanceof TableSourceNode) this.#own(ownerOfTopic, node.topic, node);
      if (!(node instanceof StreamSourceNode)) continue;
      const identity = topicsIdentity(node);
      const first = byTopics.get(identity);
      if (first !== undefined) {
        checkSameOptions(first, node);
        node.replacedBy = first;
        for (const child of [...node.links.children]) {
          node.links.removeChild(child);
          first.links.addChild(child);
        }
        continue;
      }
      byTopics.set(identity, node);
      for (const topic of topicsOf(node)) this.#own(ownerOfTopic, topic, node);
    }
  }

  #checkOwn(parent: GraphNode, node: GraphNode): void {
    if (this.#known.has(parent)) return;
    for (const other of node.links.parents) other.links.removeChild(node);
    throw new TopologyError(
      `${parent.name}, which ${node.name} reads, belongs to another StreamsBuilder: make both streams or tables with one builder.`,
    );
  }

  #own(owners: Map<string, GraphNode>, topic: string, node: GraphNode): void {
    const owner = owners.get(topic);
    if (owner !== undefined && owner !== node) {
      throw new TopologyError(
        `Topic ${topic} is read by ${owner.name} and by ${node.name}: read it once, as a table (then toStream()) or as one stream of the same topics.`,
      );
    }
    owners.set(topic, node);
  }
}

/** Writes what can be reached from the roots: always the node of lowest priority whose parents are written. */
function write(roots: readonly GraphNode[], topology: Topology): void {
  const offered = roots.filter((node) => node.replacedBy === undefined);
  const written = new Set<GraphNode>();
  while (offered.length > 0) {
    let next = 0;
    for (let i = 1; i < offered.length; i += 1) {
      if ((offered[i] as GraphNode).links.priority < (offered[next] as GraphNode).links.priority) next = i;
    }
    const node = offered.splice(next, 1)[0] as GraphNode;
    if (written.has(node) || [...node.links.parents].some((parent) => !written.has(parent))) continue;
    node.writeTo(topology);
    written.add(node);
    offered.push(...node.links.children);
  }
}

function topicsOf(node: StreamSourceNode): readonly string[] {
  if (node.topics instanceof RegExp) return [];
  return typeof node.topics === 'string' ? [node.topics] : node.topics;
}

function topicsIdentity(node: StreamSourceNode): string {
  if (node.topics instanceof RegExp) return `pattern ${String(node.topics)}`;
  return `topics ${[...topicsOf(node)].sort().join(' ')}`;
}

function checkSameOptions(first: StreamSourceNode, second: StreamSourceNode): void {
  const [a, b] = [first.options, second.options];
  const where = `${first.name} and ${second.name} read the same topics`;
  if (a.key.format !== b.key.format || a.value.format !== b.value.format) {
    throw new TopologyError(`${where} with different serdes: use the same ones, or one stream() for both.`);
  }
  if (JSON.stringify(a.autoOffsetReset) !== JSON.stringify(b.autoOffsetReset)) {
    throw new TopologyError(`${where} with different autoOffsetReset: use the same one.`);
  }
  if (a.timestampExtractor !== b.timestampExtractor) {
    throw new TopologyError(`${where} with different timestamp extractors: use the same one.`);
  }
}
