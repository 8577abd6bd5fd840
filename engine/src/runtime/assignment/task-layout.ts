import { StreamsError, TopologyError } from '../../base/errors.ts';
import { type TopicPartition, topicPartitionKey } from '../../base/record-batch.ts';
import type { ResolvedTopology, SubTopology } from '../../topology/nodes.ts';

/** One task as the layout of topics gives it. */
export interface TaskSpec {
  /** `<subTopology>_<partition>` */
  readonly taskId: string;
  /** The nodes that the task runs. */
  readonly subTopology: SubTopology;
  /** Number of the partition that it has of each source topic. */
  readonly partition: number;
  /** Those partitions, full topic names. */
  readonly partitions: readonly TopicPartition[];
}

/** Kafka's own topics begin so; patterns don't match them. */
const BROKER_TOPIC_PREFIX = '__';

/** Whether sources read what matches a pattern, so that topics may join in at any time. */
export function readsPattern(resolved: ResolvedTopology): boolean {
  return resolved.subTopologies.some((subTopology) =>
    subTopology.nodes.some((node) => node.type === 'source' && node.pattern !== undefined),
  );
}

/** Source topics of a sub-topology, those that match its patterns included. */
export function sourceTopicsOf(subTopology: SubTopology, existing: Iterable<string>): readonly string[] {
  const topics = new Set(subTopology.sourceTopics);
  for (const node of subTopology.nodes) {
    if (node.type !== 'source' || node.pattern === undefined) continue;
    for (const topic of existing) {
      if (!topic.startsWith(BROKER_TOPIC_PREFIX) && node.pattern.test(topic)) topics.add(topic);
    }
  }
  return [...topics];
}

/**
 * The tasks of a topology: one per sub-topology and partition number; partition `p` of every source topic of a sub-topology
 * belongs to task `p`, so co-partitioned topics meet. Topics without a count are left out.
 */
export function layOutTasks(resolved: ResolvedTopology, partitionCounts: ReadonlyMap<string, number>): TaskSpec[] {
  const tasks: TaskSpec[] = [];
  for (const subTopology of resolved.subTopologies) {
    const topics = sourceTopicsOf(subTopology, partitionCounts.keys());
    const count = Math.max(0, ...topics.map((topic) => partitionCounts.get(topic) ?? 0));
    for (let partition = 0; partition < count; partition += 1) {
      const partitions = topics
        .filter((topic) => partition < (partitionCounts.get(topic) ?? 0))
        .map((topic) => ({ topic, partition }));
      tasks.push({ taskId: `${subTopology.id}_${partition}`, subTopology, partition, partitions });
    }
  }
  return tasks;
}

/** Which task a partition belongs to. */
export function tasksByPartition(tasks: readonly TaskSpec[]): ReadonlyMap<string, TaskSpec> {
  const map = new Map<string, TaskSpec>();
  for (const task of tasks) {
    for (const { topic, partition } of task.partitions) map.set(topicPartitionKey(topic, partition), task);
  }
  return map;
}

/** A topic to create, with its partition count. */
export interface PlannedTopic {
  /** Full name, with the application id. */
  readonly topic: string;
  readonly partitions: number;
  /** Topic settings, by Kafka's names. */
  readonly configs: Readonly<Record<string, string>>;
}

/**
 * Partition counts of internal topics: a repartition topic has as many as the widest source of those who write it, unless
 * given or tied to others by co-partitioning; a changelog as many as its sub-topology has tasks. Throws MISSING_SOURCE_TOPIC for user
 * topics that don't exist, TopologyError for co-partitioned user topics of different width.
 */
export function planInternalTopics(
  resolved: ResolvedTopology,
  existing: ReadonlyMap<string, number>,
): readonly PlannedTopic[] {
  const internal = new Map(
    resolved.subTopologies.flatMap((subTopology) =>
      subTopology.internalTopics.map((spec) => [spec.topic, spec] as const),
    ),
  );
  const counts = new Map([...existing].filter(([topic]) => !internal.has(topic)));
  checkSources(resolved, internal, counts);
  for (const spec of internal.values()) if (spec.partitions !== undefined) counts.set(spec.topic, spec.partitions);
  widenRepartitions(resolved, internal, counts);
  checkCopartitioning(resolved, internal, counts);
  for (const subTopology of resolved.subTopologies) {
    const sources = sourceTopicsOf(subTopology, existing.keys());
    const tasks = Math.max(1, ...sources.map((topic) => counts.get(topic) ?? 0));
    for (const spec of subTopology.internalTopics) if (!counts.has(spec.topic)) counts.set(spec.topic, tasks);
  }
  return [...internal.values()].map(({ topic, configs }) => ({
    topic,
    partitions: counts.get(topic) as number,
    configs,
  }));
}

function checkSources(
  resolved: ResolvedTopology,
  internal: ReadonlyMap<string, unknown>,
  counts: ReadonlyMap<string, number>,
): void {
  const needed = new Set(
    resolved.subTopologies.flatMap((subTopology) => subTopology.sourceTopics).filter((topic) => !internal.has(topic)),
  );
  const missing = [...needed].filter((topic) => !counts.has(topic));
  if (missing.length === 0) return;
  throw new StreamsError(
    `Source topics do not exist: ${missing.join(', ')}. Create them before the application starts.`,
    { code: 'MISSING_SOURCE_TOPIC', recovery: 'fail' },
  );
}

/** Repartition topics may feed one another, so counts spread until nothing changes. */
function widenRepartitions(
  resolved: ResolvedTopology,
  internal: ReadonlyMap<string, { readonly kind: string; readonly partitions: number | undefined }>,
  counts: Map<string, number>,
): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const subTopology of resolved.subTopologies) {
      const width = Math.max(0, ...sourceTopicsOf(subTopology, counts.keys()).map((topic) => counts.get(topic) ?? 0));
      for (const topic of subTopology.sinkTopics) {
        const spec = internal.get(topic);
        if (spec?.kind !== 'repartition' || spec.partitions !== undefined || width <= (counts.get(topic) ?? 0))
          continue;
        counts.set(topic, width);
        changed = true;
      }
    }
  }
  for (const subTopology of resolved.subTopologies) {
    for (const group of subTopology.copartitionGroups) {
      // Topics of the user can't be made wider; of internal ones those with a given number lead.
      const users = group.filter((topic) => !internal.has(topic));
      const given = group.filter((topic) => internal.get(topic)?.partitions !== undefined);
      const leading = users.length > 0 ? users : given.length > 0 ? given : group;
      const width = Math.max(...leading.map((topic) => counts.get(topic) ?? 0));
      for (const topic of group) {
        const spec = internal.get(topic);
        if (spec !== undefined && spec.partitions === undefined) counts.set(topic, width);
      }
    }
  }
}

function checkCopartitioning(
  resolved: ResolvedTopology,
  internal: ReadonlyMap<string, unknown>,
  counts: ReadonlyMap<string, number>,
): void {
  for (const subTopology of resolved.subTopologies) {
    for (const group of subTopology.copartitionGroups) {
      const widths = new Set(group.map((topic) => counts.get(topic)));
      if (widths.size <= 1) continue;
      const list = group.map((topic) => `${topic} (${counts.get(topic)})`).join(', ');
      const users = group.filter((topic) => !internal.has(topic)).join(', ');
      throw new TopologyError(
        `Joined topics must have equal partition counts: ${list}. Repartition one side with repartition(), or change ${users}.`,
      );
    }
  }
}
