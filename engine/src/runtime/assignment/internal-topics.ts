import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { BrokerAdmin } from '../../broker/broker.ts';
import type { ResolvedTopology } from '../../topology/nodes.ts';
import { checkPatterns } from '../../topology/patterns.ts';
import { planInternalTopics, readsPattern, sourceTopicsOf } from './task-layout.ts';

/** What the topics of an application look like once all are there. */
export interface TopicLayout {
  /** Every topic that the topology names, with its partition count. */
  readonly partitionCounts: ReadonlyMap<string, number>;
  /** What the group subscribes to. */
  readonly sourceTopics: readonly string[];
}

/**
 * Creates repartition, changelog and dead letter topics that don't exist, and checks those that do. Idempotent: every instance
 * does it at start. Throws MISSING_SOURCE_TOPIC, TopologyError (co-partitioning), CONFIG (an internal topic of another width).
 */
export async function ensureTopics(
  resolved: ResolvedTopology,
  config: StreamsConfig,
  admin: BrokerAdmin,
): Promise<TopicLayout> {
  const all = readsPattern(resolved) ? await admin.topics() : [];
  checkPatterns(resolved.subTopologies, all);
  const named = new Set([
    ...resolved.subTopologies.flatMap((subTopology) => [
      ...sourceTopicsOf(subTopology, all),
      ...subTopology.sinkTopics,
      ...subTopology.internalTopics.map(({ topic }) => topic),
    ]),
    ...(config.deadLetterQueueTopicName === undefined ? [] : [config.deadLetterQueueTopicName]),
  ]);
  const existing = await admin.partitionCounts([...named]);
  const planned = planInternalTopics(resolved, existing);
  for (const { topic, partitions } of planned) {
    const present = existing.get(topic);
    if (present !== undefined && present !== partitions) {
      throw new StreamsError(
        `Internal topic ${topic} has ${present} partitions where the topology needs ${partitions}. Reset the application (delete its internal topics) after changing partition counts.`,
        { code: 'CONFIG', recovery: 'fail' },
      );
    }
  }
  const internal = new Set(planned.map(({ topic }) => topic));
  const missingSinks = [...new Set(resolved.subTopologies.flatMap((subTopology) => subTopology.sinkTopics))].filter(
    (topic) => !internal.has(topic) && !existing.has(topic),
  );
  if (missingSinks.length > 0) {
    throw new StreamsError(
      `Sink topics do not exist: ${missingSinks.join(', ')}. Create them before the application.`,
      {
        code: 'CONFIG',
        recovery: 'fail',
      },
    );
  }
  const { replicationFactor } = config;
  const create = planned.filter(({ topic }) => !existing.has(topic)).map((spec) => ({ ...spec, replicationFactor }));
  const deadLetters = config.deadLetterQueueTopicName;
  if (deadLetters !== undefined && !existing.has(deadLetters)) {
    create.push({ topic: deadLetters, partitions: 1, replicationFactor, configs: {} });
  }
  if (create.length > 0) await admin.createTopics(create);
  const partitionCounts = new Map(existing);
  for (const { topic, partitions } of create) partitionCounts.set(topic, partitions);
  return {
    partitionCounts,
    sourceTopics: [...new Set(resolved.subTopologies.flatMap((subTopology) => sourceTopicsOf(subTopology, all)))],
  };
}
