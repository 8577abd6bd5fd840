import type { Clock } from './clock.ts';
import type { Log, Metrics } from './metrics.ts';
import type { Random } from './random.ts';

/** Kafka Streams' configuration keys in camelCase. Durations in ms, sizes in bytes. */
export interface StreamsConfig {
  readonly applicationId: string;
  readonly bootstrapServers: readonly string[];
  readonly clientId: string;
  readonly processingGuarantee: 'at_least_once' | 'exactly_once_v2';
  readonly commitIntervalMs: number;
  readonly numStreamThreads: number;
  readonly numStandbyReplicas: number;
  readonly stateDir: string;
  /** Local state of a task is removed when no instance has had the task for this long. */
  readonly stateCleanupDelayMs: number;
  readonly replicationFactor: number;
  readonly autoOffsetReset: AutoOffsetReset;
  readonly maxTaskIdleMs: number;
  readonly bufferedRecordsPerPartition: number;
  readonly pollMs: number;
  /** How often a topology that reads a pattern looks for topics that came or went. */
  readonly metadataMaxAgeMs: number;
  readonly taskTimeoutMs: number;
  /**
   * Kafka's `group.instance.id`: a restarted instance takes its partitions back at once instead of waiting for the session
   * of its former life to expire. Unique per running instance; undefined: dynamic membership.
   */
  readonly groupInstanceId: string | undefined;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly compressionType: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly lingerMs: number;
  readonly batchSizeBytes: number;
  readonly fetchBytesMax: number;
  readonly partitionFetchBytesMax: number;
  /** Must agree with what `StreamsBuilder.build` was told, which alone applies it. */
  readonly topologyOptimization: TopologyOptimization;
  readonly statestoreCacheMaxBytes: number;
  /**
   * Wall-clock time between two looks for closed windows under `EmitStrategy.onWindowClose()`; Kafka Streams' internal
   * `__emit.interval.ms.kstreams.windowed.aggregation__`. 0: at every record.
   */
  readonly windowEmitIntervalMs: number;
  /**
   * Wall-clock time between two looks for unmatched records of left and outer stream-stream joins; Kafka Streams' internal
   * `__emit.interval.ms.kstreams.outer.join.spurious.results.fix__`. 0: at every record.
   */
  readonly outerJoinEmitIntervalMs: number;
  /** `errors.dead.letter.queue.topic.name`: failed records go there with `__streams.errors.*` headers; undefined: handlers alone decide. */
  readonly deadLetterQueueTopicName: string | undefined;
  readonly deserializationExceptionHandler: ExceptionHandler;
  readonly processingExceptionHandler: ExceptionHandler;
  readonly productionExceptionHandler: ExceptionHandler;
  /** Ports. */
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** What goes on after a bad record. With a dead letter queue configured, both answers write the record there first. */
export type ExceptionHandler = (context: ExceptionContext, error: Error) => 'continue' | 'fail';

export interface ExceptionContext {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly taskId: string;
  readonly processorNodeId: string;
}

/** What a user must give; everything else has a default (one table, `defaultStreamsConfig`). */
export type StreamsOptions = Pick<StreamsConfig, 'applicationId'> & Partial<Omit<StreamsConfig, 'applicationId'>>;

/** One rule of Kafka Streams' optimiser, by the name that its configuration has. */
export type TopologyOptimizationRule =
  | 'reuse.ktable.source.topics'
  | 'merge.repartition.topics'
  | 'single.store.self.join';

/** Kafka Streams' `topology.optimization`: no rule, all of them, or some. */
export type TopologyOptimization = 'none' | 'all' | TopologyOptimizationRule | readonly TopologyOptimizationRule[];

/**
 * Where to begin without a valid offset: at the beginning, at the end, with an error, or at the first record not older than
 * `byDurationMs` (at the end where there is none; KIP-1106).
 */
export type AutoOffsetReset = 'earliest' | 'latest' | 'none' | { readonly byDurationMs: number };
