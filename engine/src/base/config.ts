import type { Clock } from './clock.ts';
import type { Disk } from './disk.ts';
import type { Log, Metrics } from './metrics.ts';
import type { Random } from './random.ts';

/**
 * The configuration of an application, complete: Kafka Streams' keys in camelCase, with the unit in the name where
 * there is one. What a user gives is {@link StreamsOptions}; `KafkaStreams` fills in the defaults, checks every value
 * and freezes the result. A value that can't work throws a `ConfigError` (code `CONFIG`) that names the key and what it
 * may be.
 */
export interface StreamsConfig {
  /**
   * Name of the application: the id of its consumer group, the prefix of its internal topics and the folder of its
   * local state. Instances with the same id share the work. 1 to 200 letters, digits, `.`, `_` or `-`. Required.
   * Kafka Streams: `application.id`.
   */
  readonly applicationId: string;
  /**
   * Brokers to ask first, as `host:port`; one that answers is enough to find the others. At least one.
   * Kafka Streams: `bootstrap.servers`.
   * @defaultValue `['localhost:9092']`
   */
  readonly bootstrapServers: readonly string[];
  /**
   * Prefix of the names under which the instance's clients appear in the broker's logs, quotas and metrics.
   * Kafka Streams: `client.id`.
   * @defaultValue `applicationId`
   */
  readonly clientId: string;
  /**
   * What a crash may do to results. `at_least_once`: records since the last commit are processed again, so a result may
   * be written twice. `exactly_once_v2`: results, state and positions change in one transaction; not supported yet,
   * refused with `CONFIG`.
   * Kafka Streams: `processing.guarantee`.
   * @defaultValue `'at_least_once'`
   */
  readonly processingGuarantee: 'at_least_once' | 'exactly_once_v2';
  /**
   * Time between two commits of a task that has processed something. A commit empties the record caches, waits until
   * all output is acknowledged and stores the positions; after a crash, what came since the last one is processed
   * again. `ProcessorContext.commit` asks for an earlier one. 0: as soon as the last commit is done.
   * Kafka Streams: `commit.interval.ms`.
   * @defaultValue `30_000` ms
   */
  readonly commitIntervalMs: number;
  /**
   * Processing loops in this instance. More than 1 is not supported yet and refused with `CONFIG`: start more
   * instances.
   * Kafka Streams: `num.stream.threads`.
   * @defaultValue `1` thread
   */
  readonly numStreamThreads: number;
  /**
   * Copies of each task's state that other instances keep ready. More than 0 is not supported yet and refused with
   * `CONFIG`.
   * Kafka Streams: `num.standby.replicas`.
   * @defaultValue `0` copies
   */
  readonly numStandbyReplicas: number;
  /**
   * Folder on a local disk for persistent stores; each application has a folder of its own in it, and each task one in
   * that. State that survives a restart there need not be restored from the changelogs. Several instances of one host
   * may share it.
   * Kafka Streams: `state.dir`.
   * @defaultValue `tmpdir() + '/millrace'`
   */
  readonly stateDir: string;
  /**
   * Local state of a task is removed when no instance of this host has held the task for this long. 1 or more.
   * Kafka Streams: `state.cleanup.delay.ms`.
   * @defaultValue `600_000` ms
   */
  readonly stateCleanupDelayMs: number;
  /**
   * Replicas of the internal topics that the application creates, the dead letter queue included; -1: as many as the
   * broker gives a topic by default. Topics that exist are left as they are.
   * Kafka Streams: `replication.factor`.
   * @defaultValue `-1` replicas
   */
  readonly replicationFactor: number;
  /**
   * Where a source begins that has no committed position, or whose position lies outside the log. A source may choose
   * its own (`ConsumedOptions.autoOffsetReset`). Repartition topics are always read from their beginning.
   * Kafka Streams: `auto.offset.reset`, whose default is `earliest` there, too.
   * @defaultValue `'earliest'`
   */
  readonly autoOffsetReset: AutoOffsetReset;
  /**
   * How long a task with several partitions waits for records of an empty one, although the broker has none at present,
   * so that records are taken in the order of their timestamps. 0: waits only while the broker has records that were
   * not fetched yet. -1: never waits.
   * Kafka Streams: `max.task.idle.ms`.
   * @defaultValue `0` ms
   */
  readonly maxTaskIdleMs: number;
  /**
   * Records of one partition that may wait in memory for their task. Above this the partition is not fetched until the
   * task has caught up.
   * Kafka Streams: `buffered.records.per.partition`.
   * @defaultValue `1_000` records
   */
  readonly bufferedRecordsPerPartition: number;
  /**
   * Longest time that the processing loop sleeps when nothing arrives. Records, timers and commits that are due wake it
   * earlier.
   * Kafka Streams: `poll.ms`.
   * @defaultValue `100` ms
   */
  readonly pollMs: number;
  /**
   * How often a topology that reads a pattern of topics looks for topics that came or went. Without a pattern it is not
   * used.
   * Kafka Streams: `metadata.max.age.ms`.
   * @defaultValue `300_000` ms
   */
  readonly metadataMaxAgeMs: number;
  /**
   * How long a task that fails with an error that allows another try is started again, without a commit in between,
   * before the stream thread ends with `TASK_TIMEOUT`. Errors whose recovery is `fail` end it at once.
   * Kafka Streams: `task.timeout.ms`.
   * @defaultValue `300_000` ms
   */
  readonly taskTimeoutMs: number;
  /**
   * Makes the instance a static member of its group: after a restart within `sessionTimeoutMs` it takes its partitions
   * back at once, instead of waiting for the session of its former life to expire. Unique per running instance.
   * Undefined: a dynamic member.
   * Kafka Streams: `group.instance.id`.
   * @defaultValue `undefined`
   */
  readonly groupInstanceId: string | undefined;
  /**
   * An instance that sends no heartbeat for this long counts as dead, and its partitions go to others. At least twice
   * `heartbeatIntervalMs`.
   * Kafka's consumer: `session.timeout.ms`.
   * @defaultValue `45_000` ms
   */
  readonly sessionTimeoutMs: number;
  /**
   * How long a rebalance waits for a member before it goes on without it. A task that is taken away has at most half of
   * it (and at most 30 s) to finish what it holds.
   * Kafka's consumer: `max.poll.interval.ms`, which the Java client sends as the rebalance timeout.
   * @defaultValue `300_000` ms
   */
  readonly rebalanceTimeoutMs: number;
  /**
   * Time between two heartbeats to the group's coordinator; how fast a member learns of a rebalance. At most half of
   * `sessionTimeoutMs`.
   * Kafka's consumer: `heartbeat.interval.ms`.
   * @defaultValue `3_000` ms
   */
  readonly heartbeatIntervalMs: number;
  /**
   * How batches of results and changelog records are compressed: `none`, `gzip`, `snappy`, `lz4` or `zstd`. Consumers
   * need not be told.
   * Kafka's producer: `compression.type`.
   * @defaultValue `'none'`
   */
  readonly compressionType: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /**
   * How long output may wait for more records while earlier requests are still unacknowledged. When none is, it leaves
   * at once.
   * Kafka's producer: `linger.ms`. Kafka Streams sets it to 100 and waits in any case.
   * @defaultValue `5` ms
   */
  readonly lingerMs: number;
  /**
   * Size of the buffer in which records of one output partition are gathered; a full one is sent. A larger record gets
   * a batch of its own. 1 024 or more.
   * Kafka's producer: `batch.size`, which is 16 KiB there.
   * @defaultValue `262_144` bytes
   */
  readonly batchSizeBytes: number;
  /**
   * Upper bound of what one broker answers to one fetch. 1 024 or more; a record that is larger arrives all the same.
   * Kafka's consumer: `fetch.max.bytes`, which is 50 MiB there.
   * @defaultValue `8_388_608` bytes
   */
  readonly fetchBytesMax: number;
  /**
   * Upper bound of one partition's share in a fetch. 1 024 or more; a record that is larger arrives all the same.
   * Kafka's consumer: `max.partition.fetch.bytes`.
   * @defaultValue `1_048_576` bytes
   */
  readonly partitionFetchBytesMax: number;
  /**
   * What the topology was optimised by. Only `StreamsBuilder.build` applies rules; rules that are named here and that
   * the topology was built without throw `TOPOLOGY`, since it would have other internal topics than intended.
   * Kafka Streams: `topology.optimization`.
   * @defaultValue `'none'`
   */
  readonly topologyOptimization: TopologyOptimization;
  /**
   * Memory for the record caches of all stores of the instance, which keep only the latest update of a key until the
   * next commit. When it is used up, the oldest updates are forwarded early. 0: no caches, every update is forwarded.
   * Kafka Streams: `statestore.cache.max.bytes`.
   * @defaultValue `10_485_760` bytes
   */
  readonly statestoreCacheMaxBytes: number;
  /**
   * Wall-clock time between two looks for closed windows under `EmitStrategy.onWindowClose()`. 0: at every record.
   * Kafka Streams: `__emit.interval.ms.kstreams.windowed.aggregation__`, an internal key.
   * @defaultValue `1_000` ms
   */
  readonly windowEmitIntervalMs: number;
  /**
   * Wall-clock time between two looks for records without a partner in left and outer joins of streams. 0: at every
   * record.
   * Kafka Streams: `__emit.interval.ms.kstreams.outer.join.spurious.results.fix__`, an internal key.
   * @defaultValue `1_000` ms
   */
  readonly outerJoinEmitIntervalMs: number;
  /**
   * Topic for records that fail: key, value and headers as they came in, and the reason in `__streams.errors.*`
   * headers. Created with one partition if it does not exist. Undefined: only the handlers decide what becomes of such
   * records.
   * Kafka Streams: `errors.dead.letter.queue.topic.name`.
   * @defaultValue `undefined`
   */
  readonly deadLetterQueueTopicName: string | undefined;
  /**
   * Decides about an input record that a serde can't decode, or whose timestamp its extractor refuses.
   * Kafka Streams: `deserialization.exception.handler`.
   * @defaultValue `() => 'fail'`
   */
  readonly deserializationExceptionHandler: ExceptionHandler;
  /**
   * Decides about a record for which a function, processor, asynchronous call or punctuator of the application threw.
   * Kafka Streams: `processing.exception.handler`.
   * @defaultValue `() => 'fail'`
   */
  readonly processingExceptionHandler: ExceptionHandler;
  /**
   * Decides about output that a serde can't encode, or that a broker refuses for good. In the second case the context
   * names the output partition and nothing goes to the dead letter queue, since the input record is no longer known.
   * Kafka Streams: `production.exception.handler`.
   * @defaultValue `() => 'fail'`
   */
  readonly productionExceptionHandler: ExceptionHandler;
  /**
   * Port: where the engine gets time and timers from. The test driver brings its own.
   * No counterpart in Kafka Streams.
   * @defaultValue `systemClock`
   */
  readonly clock: Clock;
  /**
   * Port: where the engine gets random numbers from (jitter of waits, ids of instances).
   * No counterpart in Kafka Streams.
   * @defaultValue `systemRandom`
   */
  readonly random: Random;
  /**
   * Port: where the engine makes, reads and removes files. lmdb's own files, below persistent stores, are always the machine's.
   * No counterpart in Kafka Streams.
   * @defaultValue `systemDisk`
   */
  readonly disk: Disk;
  /**
   * Port: receives every measurement as it is made. `KafkaStreams.metrics()` answers the latest ones without it.
   * No counterpart in Kafka Streams, where `metric.reporters` comes nearest.
   * @defaultValue `noMetrics`
   */
  readonly metrics: Metrics;
  /**
   * Port: receives log lines. A logger of pino fits as it is.
   * No counterpart in Kafka Streams, which logs through SLF4J.
   * @defaultValue `silentLog`
   */
  readonly log: Log;
}

/**
 * Decides what happens after a bad record. `continue`: the record is skipped and counted in `dropped-records-total`;
 * `fail`: the stream thread ends and the uncaught exception handler decides. With a dead letter queue configured, both
 * answers write the input record there first. A handler that throws ends the thread, too.
 */
export type ExceptionHandler = (context: ExceptionContext, error: Error) => 'continue' | 'fail';

/** Where a record failed. In a punctuator there is no record: `topic` is empty, `partition` and `offset` are -1. */
export interface ExceptionContext {
  /** Topic that the record was read from; for output that a broker refused, the topic that it was for. */
  readonly topic: string;
  /** Partition of `topic`. */
  readonly partition: number;
  /** Offset of the record in its partition; -1 for output that a broker refused. */
  readonly offset: number;
  /** Task that processed it, such as `0_1`: sub-topology 0, partition 1. Empty for output that a broker refused. */
  readonly taskId: string;
  /** Name of the node that failed, as `Topology.describe` prints it. Empty for output that a broker refused. */
  readonly processorNodeId: string;
}

/**
 * What a user gives: every key of {@link StreamsConfig} but `applicationId` may be left out and has its default
 * (`defaultStreamsConfig`) then.
 */
export type StreamsOptions = Pick<StreamsConfig, 'applicationId'> & Partial<Omit<StreamsConfig, 'applicationId'>>;

/** One rule of Kafka Streams' optimiser, by the name that its configuration has. */
export type TopologyOptimizationRule =
  /** A table that is read from a topic keeps no changelog: it is restored from that topic. */
  | 'reuse.ktable.source.topics'
  /** Several groups or joins of one stream with a new key share one repartition topic. */
  | 'merge.repartition.topics'
  /** A stream that is joined with itself keeps one window store instead of two. */
  | 'single.store.self.join';

/** Which rules the optimiser applies: `none`, `all`, one of them or several. Kafka Streams' `topology.optimization`. */
export type TopologyOptimization = 'none' | 'all' | TopologyOptimizationRule | readonly TopologyOptimizationRule[];

/**
 * Where to begin without a valid position: at the beginning of the log (`earliest`), at its end (`latest`), nowhere
 * (`none`: the thread ends with `OFFSET_OUT_OF_RANGE`), or at the first record that is not older than a duration.
 */
export type AutoOffsetReset =
  | 'earliest'
  | 'latest'
  | 'none'
  | {
      /**
       * Age of the oldest record to begin with, in ms before now; where none is as young, reading begins at the end
       * (KIP-1106).
       */
      readonly byDurationMs: number;
    };
