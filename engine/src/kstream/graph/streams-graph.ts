import { TopologyError } from '../../base/errors.ts';
import { Topology } from '../../topology/topology.ts';
import { type GraphNode, StreamSourceNode, TableSourceNode } from './graph-node.ts';
import { NameProvider } from './name-provider.ts';

/**
 * The logical graph of one `StreamsBuilder`.
 *
 * Owns: the nodes in the order of their creation, and the name counter.
 * Called by: the DSL.
 * Invariants: I1 writing in creation order puts parents before children.
 */
export class StreamsGraph {
  readonly names = new NameProvider();
  readonly #nodes: GraphNode[] = [];

  add<N extends GraphNode>(node: N): N {
    this.#nodes.push(node);
    return node;
  }

  /** A new topology each time; the graph stays as it is and may grow on. */
  build(): Topology {
    this.#mergeSources();
    const topology = new Topology();
    for (const node of this.#nodes) if (node.replacedBy === undefined) node.writeTo(topology);
    return topology;
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
      if (first !== undefined && first !== node) {
        checkSameOptions(first, node);
        node.replacedBy = first;
        continue;
      }
      byTopics.set(identity, node);
      for (const topic of topicsOf(node)) this.#own(ownerOfTopic, topic, node);
    }
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
  if (a.autoOffsetReset !== b.autoOffsetReset) {
    throw new TopologyError(`${where} with different autoOffsetReset: use the same one.`);
  }
  if (a.timestampExtractor !== b.timestampExtractor) {
    throw new TopologyError(`${where} with different timestamp extractors: use the same one.`);
  }
}
