import { javaHashOrder } from './java-hash-order.ts';
import { byCodeUnit } from './node-groups.ts';
import type { TopologyNode } from './nodes.ts';
import { RedBlackList } from './red-black-list.ts';

/** One node of a described topology, linked to its neighbours by name. */
export interface NodeDescription {
  /**
   * What Kafka Streams' text calls it: `source`, `processor` or `sink`. External sinks and asynchronous nodes are
   * processors there.
   */
  readonly kind: 'source' | 'processor' | 'sink';
  /** Unique in the topology: given by the program, or generated from the operation and a number. */
  readonly name: string;
  /** What stands in the brackets: `topics: [in]`, `stores: [a, b]`, `topic: out`. */
  readonly detail: string;
  /** Names of the nodes whose records come here, in the order in which they are printed. */
  readonly predecessors: readonly string[];
  /** Names of the nodes to which records go, in the order in which they are printed. */
  readonly successors: readonly string[];
}

/** Connected nodes: what one task runs. */
export interface SubTopologyDescription {
  /** Number of the sub-topology: the first half of its tasks' ids. */
  readonly id: number;
  /** Whether it fills a global store, for which no tasks are made. */
  readonly global: boolean;
  /** In the order they are printed: larger sub-graphs first. */
  readonly nodes: readonly NodeDescription[];
}

/** What `Topology.describe()` answers: a value to look at, whose `toString()` is Kafka Streams' own text. */
export class TopologyDescription {
  /** By ascending id. */
  readonly subTopologies: readonly SubTopologyDescription[];

  /** Made by `Topology.describe`. */
  constructor(subTopologies: readonly SubTopologyDescription[]) {
    this.subTopologies = subTopologies;
  }

  /** The text that Kafka Streams prints for the same topology. */
  toString(): string {
    let text = 'Topologies:\n ';
    for (const subTopology of this.subTopologies) {
      text += subTopology.global ? globalText(subTopology) : subTopologyText(subTopology);
    }
    return text;
  }
}

function subTopologyText(subTopology: SubTopologyDescription): string {
  const lines = subTopology.nodes.map((node) => `    ${nodeText(node)}\n`);
  return `  Sub-topology: ${subTopology.id}\n${lines.join('')}\n`;
}

function globalText(subTopology: SubTopologyDescription): string {
  const lines = subTopology.nodes.map((node) => `    ${nodeText(node)}\n`);
  return `  Sub-topology: ${subTopology.id} for global store (will not generate tasks)\n${lines.join('')}`;
}

function nodeText(node: NodeDescription): string {
  const successors = `\n      --> ${names(node.successors)}`;
  const predecessors = `\n      <-- ${names(node.predecessors)}`;
  switch (node.kind) {
    case 'source':
      return `Source: ${node.name} (${node.detail})${successors}`;
    case 'processor':
      return `Processor: ${node.name} (${node.detail})${successors}${predecessors}`;
    case 'sink':
      return `Sink: ${node.name} (${node.detail})${predecessors}`;
  }
}

function names(list: readonly string[]): string {
  return list.length === 0 ? 'none' : list.join(', ');
}

/** A node while its sub-topology is being described; `size` counts the paths below it, as Java does. */
interface Draft {
  readonly node: TopologyNode;
  size: number;
  readonly predecessors: RedBlackList<Draft>;
  readonly successors: RedBlackList<Draft>;
}

/**
 * Describes one group of connected nodes. `group` holds the names in the order Java adds them to its set; the order of links
 * in the text follows from that order and from the sizes at the moment of linking, so both are reproduced.
 */
export function describeSubTopology(
  id: number,
  global: boolean,
  group: readonly string[],
  nodeOf: (name: string) => TopologyNode,
): SubTopologyDescription {
  const drafts = new Map<string, Draft>();
  for (const name of javaHashOrder(group)) {
    const [predecessors, successors] = [new RedBlackList(compare), new RedBlackList(compare)];
    drafts.set(name, { node: nodeOf(name), size: 1, predecessors, successors });
  }
  for (const name of javaHashOrder(drafts.keys())) {
    const draft = drafts.get(name) as Draft;
    const parents = draft.node.type === 'source' ? [] : draft.node.parents;
    for (const parentName of parents) {
      const parent = drafts.get(parentName) as Draft;
      draft.predecessors.insert(parent);
      parent.successors.insert(draft);
      grow(parent, draft.size);
    }
  }
  return { id, global, nodes: [...drafts.values()].sort(compare).map(finish) };
}

function grow(draft: Draft, delta: number): void {
  draft.size += delta;
  for (const predecessor of draft.predecessors.toArray()) grow(predecessor, delta);
}

function compare(a: Draft, b: Draft): number {
  return a === b ? 0 : b.size - a.size || byCodeUnit(a.node.name, b.node.name);
}

function finish(draft: Draft): NodeDescription {
  const links = {
    name: draft.node.name,
    predecessors: draft.predecessors.toArray().map((other) => other.node.name),
    successors: draft.successors.toArray().map((other) => other.node.name),
  };
  const node = draft.node;
  switch (node.type) {
    case 'source':
      return {
        kind: 'source',
        detail: `topics: ${node.pattern === undefined ? bracketed(node.topics) : node.pattern.source}`,
        ...links,
      };
    case 'sink':
      return {
        kind: 'sink',
        detail:
          typeof node.topic === 'string' ? `topic: ${node.topic}` : `extractor class: ${node.topic.name || 'function'}`,
        ...links,
      };
    case 'processor':
      return { kind: 'processor', detail: `stores: ${bracketed(node.stores)}`, ...links };
    default:
      return { kind: 'processor', detail: 'stores: []', ...links };
  }
}

function bracketed(list: readonly string[]): string {
  return `[${javaHashOrder(list).join(', ')}]`;
}
