import { TopologyError } from '../base/errors.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';
import {
  ADDITIONAL_RETENTION_MS_DEFAULT,
  changelogTopicName,
  changelogTopicSpec,
  repartitionTopicSpec,
} from './internal-topics.ts';
import type {
  GlobalStoreSpec,
  InternalTopicSpec,
  ResolvedTopology,
  SubTopology,
  SubTopologyStore,
  TopologyNode,
} from './nodes.ts';

/** What the internal topics' configuration depends on besides the topology. */
export interface ResolveOptions {
  /**
   * How much longer than its store a changelog of windows is kept, in ms. Default: 86 400 000, one day. Kafka Streams:
   * `windowstore.changelog.additional.retention.ms`.
   */
  readonly windowStoreChangelogAdditionalRetentionMs?: number;
}

/** What a {@link Topology} gathered, before names are complete. */
export interface TopologyContents {
  /** By name, parents before children. */
  readonly nodes: ReadonlyMap<string, TopologyNode>;
  /** By name, global ones aside. */
  readonly stores: ReadonlyMap<string, StoreBuilder<StateStore>>;
  /** Store → source topic that serves as its changelog. */
  readonly sourceChangelogs: ReadonlyMap<string, string>;
  /** Stores that every instance fills; their nodes make no tasks. */
  readonly globalStores: readonly GlobalStoreSpec[];
  /** Topic name without prefix → partitions, where the user gave them. */
  readonly repartitionTopics: ReadonlyMap<string, number | undefined>;
  /** Names of sources whose topics must have equal partition counts. */
  readonly copartitionedSources: readonly (readonly string[])[];
  /** Names of connected nodes; the index is the sub-topology's number. */
  readonly groups: readonly (readonly string[])[];
}

/** Completes names for an application and cuts the graph into numbered sub-topologies. */
export function resolveTopology(
  applicationId: string,
  contents: TopologyContents,
  options: ResolveOptions,
): ResolvedTopology {
  const globalNodes = new Set(contents.globalStores.flatMap((spec) => [spec.source.name, spec.processor.name]));
  const subTopologies: SubTopology[] = [];
  for (const [id, group] of contents.groups.entries()) {
    if (group.some((name) => globalNodes.has(name))) continue;
    subTopologies.push(resolveGroup(id, new Set(group), applicationId, contents, options));
  }
  return { applicationId, subTopologies, globalStores: contents.globalStores };
}

function resolveGroup(
  id: number,
  names: ReadonlySet<string>,
  applicationId: string,
  contents: TopologyContents,
  options: ResolveOptions,
): SubTopology {
  const fullName = (topic: string): string =>
    contents.repartitionTopics.has(topic) ? `${applicationId}-${topic}` : topic;
  const nodes: TopologyNode[] = [];
  const internalTopics: (InternalTopicSpec & { topic: string })[] = [];
  const sourceTopics = new Set<string>();
  const sinkTopics = new Set<string>();
  const repartitionSourceTopics = new Set<string>();
  const storeNames = new Set<string>();

  // Insertion order puts parents before children.
  for (const node of contents.nodes.values()) {
    if (!names.has(node.name)) continue;
    if (node.type === 'source') {
      const topics = node.topics.map(fullName);
      for (const [index, topic] of node.topics.entries()) {
        const full = topics[index] as string;
        sourceTopics.add(full);
        if (!contents.repartitionTopics.has(topic)) continue;
        repartitionSourceTopics.add(full);
        internalTopics.push({ ...repartitionTopicSpec(topic, contents.repartitionTopics.get(topic)), topic: full });
      }
      nodes.push({ ...node, topics });
    } else if (node.type === 'sink' && typeof node.topic === 'string') {
      const topic = fullName(node.topic);
      sinkTopics.add(topic);
      nodes.push({ ...node, topic });
    } else {
      if (node.type === 'processor') for (const store of node.stores) storeNames.add(store);
      nodes.push(node);
    }
  }
  if (!nodes.some((node) => node.type === 'source')) {
    throw new TopologyError(`Nodes ${[...names].join(', ')} hang below no source.`);
  }

  const additionalRetentionMs = options.windowStoreChangelogAdditionalRetentionMs ?? ADDITIONAL_RETENTION_MS_DEFAULT;
  const stores: SubTopologyStore[] = [];
  for (const [name, builder] of contents.stores) {
    if (!storeNames.has(name)) continue;
    const sourceTopic = contents.sourceChangelogs.get(name);
    if (sourceTopic !== undefined) {
      stores.push({ builder, changelogTopic: fullName(sourceTopic), changelogIsSource: true });
      continue;
    }
    if (!builder.loggingEnabled) {
      stores.push({ builder, changelogTopic: undefined, changelogIsSource: false });
      continue;
    }
    const topic = changelogTopicName(applicationId, name);
    stores.push({ builder, changelogTopic: topic, changelogIsSource: false });
    internalTopics.push({ ...changelogTopicSpec(builder, additionalRetentionMs), topic });
  }

  return {
    id,
    nodes,
    stores,
    sourceTopics: [...sourceTopics],
    sinkTopics: [...sinkTopics],
    repartitionSourceTopics: [...repartitionSourceTopics],
    internalTopics,
    copartitionGroups: copartitionGroups(names, contents, fullName),
  };
}

function copartitionGroups(
  names: ReadonlySet<string>,
  contents: TopologyContents,
  fullName: (topic: string) => string,
): string[][] {
  const groups: string[][] = [];
  for (const sources of contents.copartitionedSources) {
    const topics = new Set<string>();
    for (const name of sources) {
      const node = contents.nodes.get(name);
      if (node?.type !== 'source' || !names.has(name)) continue;
      for (const topic of node.topics) topics.add(fullName(topic));
    }
    if (topics.size > 1) groups.push([...topics]);
  }
  return groups;
}
