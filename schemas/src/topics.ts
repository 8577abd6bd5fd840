/** Names of all topics that the platform shares; internal topics belong to their applications. */
export const topics = {
  /** What clients asked the API for, keyed by tenant and Idempotency-Key. */
  apiRequests: 'api.requests',
  /** What the actors answered to commands, with the key of the request. */
  apiReplies: 'api.replies',
  /** What the API answers its clients with; every API instance reads it. */
  apiResponses: 'api.responses',
  /** Commands to inspections, keyed by inspection. */
  inspectionCommands: 'inspection.commands',
  /** Commands to parts and lots, keyed by part or lot. */
  catalogCommands: 'catalog.commands',
  /** Commands to deployments, keyed by model. */
  modelCommands: 'model.commands',
  /** The present deployment of each model; compacted. */
  modelDeployments: 'model.deployments',
  /** What became of each inspection, step by step. */
  inspectionLifecycle: 'inspection.lifecycle',
  /** Images and files that were confirmed. */
  artifactManagement: 'artifact.management',
  /** Inferences that were asked for, and how they ended. */
  inferenceWorkflow: 'inference.workflow',
  /** Parts and lots that came or changed. */
  catalogEvents: 'catalog.events',
  /** Good and bad boards of each line and minute. */
  lineYield: 'line.yield',
  /** Records that no flow could read or process, with the reason in their headers. */
  deadLetters: 'dead-letters',
} as const;

/** Partitions of every shared topic. One number for all: tasks that read several topics need them co-partitioned. */
export const PARTITIONS = 4;

/** Responses matter for seconds (the client waits); an hour is for looking into trouble. */
const RESPONSE_RETENTION_MS = 3_600_000;
/** Requests, commands and replies: a day, as long as an idempotency key lives. */
const COMMAND_RETENTION_MS = 86_400_000;
/** Bad records wait four weeks for somebody to look at them and replay them. */
const DEAD_LETTER_RETENTION_MS = 28 * 86_400_000;
/** Events are the source of truth: projections are rebuilt from them, so they are kept. */
const KEEP_FOREVER_MS = -1;

/** A topic as the broker's admin port creates it. The compiler compares it with the engine's `TopicSpec` where `app/` hands it over. */
export interface PlatformTopicSpec {
  /** Name of the topic, one of {@link topics}. */
  readonly topic: string;
  /** How many partitions it gets: {@link PARTITIONS}. */
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  /** Configuration by Kafka's keys. */
  readonly configs: Readonly<Record<string, string>>;
}

function spec(topic: string, retentionMs: number): PlatformTopicSpec {
  return {
    topic,
    partitions: PARTITIONS,
    replicationFactor: -1,
    configs: { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) },
  };
}

/** Only the newest record of a key matters: whoever reads it from the beginning knows the present state. */
function compacted(topic: string): PlatformTopicSpec {
  return { topic, partitions: PARTITIONS, replicationFactor: -1, configs: { 'cleanup.policy': 'compact' } };
}

/** All shared topics with their partitions and retention. The application creates them before it starts anything. */
export const topicSpecs: readonly PlatformTopicSpec[] = [
  spec(topics.apiRequests, COMMAND_RETENTION_MS),
  spec(topics.apiReplies, COMMAND_RETENTION_MS),
  spec(topics.apiResponses, RESPONSE_RETENTION_MS),
  spec(topics.inspectionCommands, COMMAND_RETENTION_MS),
  spec(topics.catalogCommands, COMMAND_RETENTION_MS),
  spec(topics.modelCommands, COMMAND_RETENTION_MS),
  compacted(topics.modelDeployments),
  spec(topics.inspectionLifecycle, KEEP_FOREVER_MS),
  spec(topics.artifactManagement, KEEP_FOREVER_MS),
  spec(topics.inferenceWorkflow, KEEP_FOREVER_MS),
  spec(topics.catalogEvents, KEEP_FOREVER_MS),
  spec(topics.lineYield, KEEP_FOREVER_MS),
  spec(topics.deadLetters, DEAD_LETTER_RETENTION_MS),
];
