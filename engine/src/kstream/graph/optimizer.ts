import type { TopologyOptimizationRule } from '../../base/config.ts';
import { KeyFilterProcessor } from '../processors/stream/stateless-processors.ts';
import { type GraphNode, RepartitionNode, TableSourceNode } from './graph-node.ts';
import type { NameProvider } from './name-provider.ts';

/** A join of a stream with itself that can do with one of its two window stores. */
export interface SelfJoinNode extends GraphNode {
  /** The nodes that keep the windows of either side. */
  readonly thisWindow: GraphNode;
  readonly otherWindow: GraphNode;
  /** Set by the optimiser for one build. */
  isSelfJoin: boolean;
}

function isStreamJoin(node: GraphNode): node is SelfJoinNode {
  return 'otherWindow' in node && 'thisWindow' in node;
}

/**
 * Rewrites the logical graph as Kafka Streams' optimiser does: the same rules in the same order, so that the same program
 * gives the same topology. It changes links only; the graph undoes them after the build.
 */
export function optimize(
  nodes: readonly GraphNode[],
  names: NameProvider,
  rules: ReadonlySet<TopologyOptimizationRule>,
): void {
  const set = [...nodes];
  if (rules.has('reuse.ktable.source.topics')) {
    for (const node of nodes) if (node instanceof TableSourceNode) node.reusesSourceTopic = true;
  }
  if (rules.has('merge.repartition.topics')) set.push(...mergeRepartitions(nodes, names));
  if (rules.has('single.store.self.join')) for (const node of nodes) rewriteSelfJoin(node);
  passNullKeys(set);
}

type Replaceable = Map<GraphNode, Set<RepartitionNode>>;

/**
 * Repartition topics below one key-changing operation become one, right below it. With merged streams the topic comes below
 * the merge. Answers the new nodes.
 */
function mergeRepartitions(nodes: readonly GraphNode[], names: NameProvider): GraphNode[] {
  const groups = groupsBelowMerges(nodes, repartitionsOfKeyChanges(nodes));
  const added: GraphNode[] = [];
  for (const [above, repartitions] of groups) {
    const first = repartitions.values().next().value;
    if (first === undefined) continue;
    const one = oneFor(first, above, names);
    added.push(one);
    for (const old of repartitions) replace(old, one, above);
    above.links.addChild(one);
  }
  return added;
}

/** Which repartition topics each key-changing operation makes necessary, in the order of creation. */
function repartitionsOfKeyChanges(nodes: readonly GraphNode[]): Replaceable {
  const groups: Replaceable = new Map();
  for (const node of nodes) {
    if (node.changesKey) groups.set(node, new Set());
    else if (node instanceof RepartitionNode && node.isOptimizable) {
      // A value-changing operation in between would have to be done again after the topic, with another serde.
      const changer = nearest(node, (candidate) => candidate.changesKey || candidate.changesValue);
      if (changer?.changesKey === true && changer === nearest(node, (candidate) => candidate.changesKey)) {
        groups.get(changer)?.add(node);
      }
    }
  }
  return groups;
}

/** Where streams of several key-changing operations were merged, what hangs below belongs to the merge. */
function groupsBelowMerges(nodes: readonly GraphNode[], groups: Replaceable): Replaceable {
  const changersOf = new Map<GraphNode, Set<GraphNode>>();
  for (const merge of nodes) {
    if (!merge.isMerge) continue;
    const changers = new Set<GraphNode>();
    for (const [changer, repartitions] of groups) {
      const allBelow = [...repartitions].every((node) => nearest(node, hasParent(merge)) !== undefined);
      if (allBelow && nearest(merge, hasParent(changer)) !== undefined) changers.add(changer);
    }
    changersOf.set(merge, changers);
  }
  const spent = new Set<GraphNode>();
  for (const [merge, changers] of changersOf) {
    const repartitions = new Set<RepartitionNode>();
    for (const changer of changers) {
      for (const node of groups.get(changer) ?? []) repartitions.add(node);
      spent.add(changer);
    }
    groups.set(merge, repartitions);
  }
  for (const changer of spent) groups.delete(changer);
  return groups;
}

/** The topic that stands for all: it keeps the name of the first. */
function oneFor(first: RepartitionNode, above: GraphNode, names: NameProvider): RepartitionNode {
  for (const prefix of ['KSTREAM-SINK-', 'KSTREAM-FILTER-', 'KSTREAM-SOURCE-']) names.processorName(prefix);
  const { topic } = first;
  const one = new RepartitionNode(
    { topic, sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` },
    above,
    { key: first.serdes.key, value: first.serdes.value },
    () => new KeyFilterProcessor(),
    undefined,
    true,
  );
  above.links.removeChild(one);
  one.links.priority = above.links.priority;
  return one;
}

/** Takes `old` out; the operations between `above` and it now come after the common topic. */
function replace(old: RepartitionNode, one: RepartitionNode, above: GraphNode): void {
  const branch = nearest(old, hasParent(above));
  if (branch !== undefined) {
    one.links.addChild(branch);
    above.links.removeChild(branch);
  }
  // Otherwise another topic took the common operations along already; Kafka Streams gives up here with an exception.
  const parents = [...old.links.parents];
  for (const child of [...old.links.children]) for (const parent of parents) parent.links.addChild(child);
  for (const parent of parents) parent.links.removeChild(old);
  for (const child of [...old.links.children]) old.links.removeChild(child);
  old.replacedBy = one;
}

function rewriteSelfJoin(node: GraphNode): void {
  if (!isStreamJoin(node) || node.links.parents.size !== 1) return;
  const parent = node.parents[0] as GraphNode;
  const { thisWindow, otherWindow } = node;
  if (!parent.links.children.has(thisWindow) || !parent.links.children.has(otherWindow)) return;
  parent.links.removeChild(otherWindow);
  otherWindow.replacedBy = thisWindow;
  node.isSelfJoin = true;
}

/** Records without a key go through a repartition topic only where a join below takes them. */
function passNullKeys(nodes: readonly GraphNode[]): void {
  const tolerant = new Map<GraphNode, boolean>();
  const isTolerant = (node: GraphNode): boolean => {
    let known = tolerant.get(node);
    if (known === undefined) {
      known = [...node.links.children].some((child) => child.toleratesNullKey || isTolerant(child));
      tolerant.set(node, known);
    }
    return known;
  };
  for (const node of nodes) if (node instanceof RepartitionNode) node.passesNullKeys = isTolerant(node);
}

function hasParent(parent: GraphNode): (node: GraphNode) => boolean {
  return (node) => node.links.parents.has(parent);
}

/** The first match upwards, depth first, the node itself included; each parent is asked before anything above it. */
function nearest(from: GraphNode, matches: (node: GraphNode) => boolean): GraphNode | undefined {
  if (matches(from)) return from;
  for (const parent of from.links.parents) {
    const found = nearest(parent, matches);
    if (found !== undefined) return found;
  }
  return undefined;
}
