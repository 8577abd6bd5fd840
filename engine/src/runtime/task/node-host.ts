import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { Log, MetricTags } from '../../base/metrics.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { Cancellable, Punctuation, RecordMetadata } from '../../processor/processor.ts';
import type { Record } from '../../processor/record.ts';
import type { StateStore } from '../../state/state-store.ts';
import { asError, ProcessingError, UndecodableRecord } from '../errors.ts';
import type { ContextHost } from '../nodes/node-context.ts';
import type { GraphHost } from '../nodes/task-nodes.ts';
import type { RecordCollector } from '../output/record-collector.ts';
import type { PartitionGroup } from './partition-group.ts';
import { firstOfGrid, PunctuationQueue } from './punctuation-queue.ts';
import { RecordContext } from './record-context.ts';
import { RecordFailures } from './record-failures.ts';
import type { SourcePartition } from './source-partition.ts';
import type { ProcessingFrame } from './task-cache.ts';
import type { TaskHeldRecord } from './task-held-record.ts';

/** What the nodes of a task may reach. */
export interface NodeHostOptions {
  /** `0_1`: sub-topology and partition. */
  readonly taskId: string;
  /** The application's, with every default filled in. */
  readonly config: StreamsConfig;
  /** Takes dead letters. */
  readonly collector: RecordCollector;
  /** Tells the stream time. */
  readonly group: PartitionGroup;
  /** Partitions that are added later appear here, too. */
  readonly sources: readonly SourcePartition[];
  /** Stores cache: what is being forwarded must be known. */
  readonly caches: boolean;
  /** By name; every node may read them. */
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** A store of the task by its name. */
  readonly storeOf: (name: string) => StateStore | undefined;
}

/**
 * What the nodes of a task run in: one record, punctuator or kept result after the other, and what a node may ask meanwhile.
 *
 * Owns: the frame of what is being processed, punctuations, numbers that are committed with the offsets.
 * Called by: StreamTask and AsyncRecords (which give it work), nodes and their contexts, TaskCache.
 * Invariants: I1 one piece of work at a time, synchronously; I2 between two pieces `context` is undefined; I3 whatever ran,
 * well or badly, a commit is due after it.
 */
export class NodeHost implements ContextHost, GraphHost, ProcessingFrame {
  readonly applicationId: string;
  readonly taskId: string;
  readonly config: StreamsConfig;
  readonly log: Log;
  readonly processorMetadata = new Map<string, number>();
  readonly openRecords: Record<unknown, unknown>[] | undefined;
  /** Punctuators by stream time. */
  readonly streamPunctuations = new PunctuationQueue();
  /** Punctuators by the clock. */
  readonly wallPunctuations = new PunctuationQueue();
  readonly #group: PartitionGroup;
  readonly #failures: RecordFailures;
  readonly #globalStores: ReadonlyMap<string, StateStore>;
  readonly #storeOf: (name: string) => StateStore | undefined;
  readonly #tags: MetricTags;
  readonly #live = new RecordContext();
  /** The input record being processed. */
  context: RecordContext | undefined;
  timestampMs = 0;
  origin: RecordMetadata | undefined;
  record: Record<unknown, unknown> | undefined;
  /** A record, punctuator or kept result runs at this moment. */
  isProcessing = false;
  /** Something was processed since the last commit. */
  needsCommit = false;
  /** A node asked for a commit. */
  isCommitRequested = false;

  /** Runs nothing yet. */
  constructor(options: NodeHostOptions) {
    const { collector, config, sources, taskId } = options;
    this.applicationId = config.applicationId;
    this.taskId = taskId;
    this.config = config;
    this.log = config.log;
    this.openRecords = options.caches ? [] : undefined;
    this.#group = options.group;
    this.#globalStores = options.globalStores;
    this.#storeOf = options.storeOf;
    this.#tags = { 'task-id': taskId };
    this.#failures = new RecordFailures({
      taskId,
      config,
      collector,
      countDropped: (nodeName, reason) => this.countDropped(nodeName, reason),
      checkDecodable: (sourceIndex) => sources[sourceIndex]?.node.checkDecodable(),
    });
  }

  /** Runs a row through the nodes below its source. */
  process(source: SourcePartition, batch: RecordBatch, row: number, timestampMs: number): void {
    const context = this.#live;
    context.topic = batch.topic;
    context.partition = batch.partition;
    context.offset = batch.offsets[row] as number;
    context.sourceIndex = source.queue.index;
    context.batch = batch;
    context.row = row;
    context.pending = undefined;
    this.timestampMs = timestampMs;
    this.record = source.node.record;
    this.context = context;
    if (this.openRecords !== undefined) this.openRecords.length = 0;
    this.isProcessing = true;
    this.needsCommit = true;
    try {
      source.node.process(batch, row, timestampMs);
    } catch (error) {
      if (!(error instanceof UndecodableRecord)) throw this.#locate(error);
      this.#failures.undecodable(source.node.name, context, timestampMs, error.failure);
    } finally {
      this.isProcessing = false;
      this.context = undefined;
      context.batch = undefined;
    }
  }

  /** A row that its queue left out before it was processed: why, or undefined for a time that the extractor refused. */
  skip(nodeName: string, batch: RecordBatch, row: number, error: Error | undefined): void {
    this.needsCommit = true;
    if (error === undefined) {
      this.countDropped(nodeName, 'negative-timestamp');
      return;
    }
    const context = new RecordContext();
    context.topic = batch.topic;
    context.partition = batch.partition;
    context.offset = batch.offsets[row] as number;
    context.batch = batch;
    context.row = row;
    this.#failures.undecodable(nodeName, context, Math.max(0, batch.timestamps[row] as number), error);
  }

  /** Runs `forwardAll` as part of a record that was held. */
  runHeld(held: TaskHeldRecord, forwardAll: () => void): void {
    const outer = this.context;
    const outerMs = this.timestampMs;
    this.context = held.context;
    this.timestampMs = held.timestampMs;
    this.isProcessing = true;
    this.needsCommit = true;
    try {
      forwardAll();
    } finally {
      this.isProcessing = false;
      this.context = outer;
      this.timestampMs = outerMs;
    }
  }

  /** What is to be done about the failure of a held record. */
  heldFailed(nodeName: string, held: TaskHeldRecord, thrown: unknown): void {
    const outer = this.context;
    this.context = held.context;
    this.timestampMs = held.timestampMs;
    try {
      this.nodeFailed(nodeName, thrown);
    } finally {
      this.context = outer;
    }
  }

  /** A context that outlives the present record. */
  keep(current: RecordContext): RecordContext {
    if (current !== this.#live) return current;
    const context = new RecordContext();
    context.topic = current.topic;
    context.partition = current.partition;
    context.offset = current.offset;
    context.sourceIndex = current.sourceIndex;
    context.pending = current.pending;
    if (this.config.deadLetterQueueTopicName !== undefined) {
      context.rawKey = current.rawKeyBytes();
      context.rawValue = current.rawValueBytes();
      context.rawHeaders = current.headerList();
    }
    return context;
  }

  /** Fires punctuators that stream time has made due. */
  punctuateStreamTime(): void {
    const { streamTimeMs } = this.#group;
    if (streamTimeMs >= 0) this.streamPunctuations.punctuate(streamTimeMs, this.#firePunctuation);
  }

  /** Fires due wall-clock punctuators; returns how many. */
  punctuateWallClock(nowMs: number): number {
    return this.wallPunctuations.punctuate(nowMs, this.#firePunctuation);
  }

  /** Forgets all punctuators: the task is over. */
  clearPunctuations(): void {
    this.streamPunctuations.clear();
    this.wallPunctuations.clear();
  }

  readonly #firePunctuation = (nodeName: string, timestampMs: number, callback: (nowMs: number) => void): void => {
    this.timestampMs = timestampMs;
    this.record = undefined;
    this.needsCommit = true;
    this.isProcessing = true;
    try {
      callback(timestampMs);
    } catch (error) {
      this.nodeFailed(nodeName, error);
    } finally {
      this.isProcessing = false;
    }
  };

  // ContextHost

  currentMetadata(): RecordMetadata | undefined {
    if (this.origin !== undefined) return this.origin;
    const context = this.context;
    if (context === undefined) return undefined;
    return { topic: context.topic, partition: context.partition, offset: context.offset };
  }

  streamTimeMs(): number {
    return this.#group.streamTimeMs;
  }

  systemTimeMs(): number {
    return this.config.clock.nowMs();
  }

  countDropped(nodeName: string, reason: string): void {
    this.config.metrics.count('dropped-records-total', { ...this.#tags, 'processor-node-id': nodeName, reason }, 1);
  }

  requestCommit(): void {
    this.isCommitRequested = true;
  }

  schedule(nodeName: string, { type, intervalMs, startTimeMs, callback }: Punctuation): Cancellable {
    const byStream = type === 'STREAM_TIME';
    const queue = byStream ? this.streamPunctuations : this.wallPunctuations;
    const nowMs = byStream ? this.streamTimeMs() : this.systemTimeMs();
    const usualMs = byStream ? 0 : nowMs + intervalMs;
    const firstMs = startTimeMs === undefined ? usualMs : firstOfGrid(startTimeMs, intervalMs, nowMs);
    return queue.schedule(nodeName, firstMs, intervalMs, callback);
  }

  store(name: string): StateStore | undefined {
    return this.#storeOf(name) ?? this.#globalStores.get(name);
  }

  isGlobalStore(name: string): boolean {
    return this.#globalStores.has(name);
  }

  // GraphHost

  nodeFailed(nodeName: string, thrown: unknown): void {
    this.#failures.nodeFailed(nodeName, thrown, this.#failedContext(), this.timestampMs);
  }

  sendFailed(nodeName: string, topic: string, thrown: unknown): void {
    this.#failures.sendFailed(nodeName, topic, thrown, this.#failedContext(), this.timestampMs);
  }

  #failedContext(): RecordContext | undefined {
    return this.origin === undefined ? this.context : RecordContext.ofKept(this.origin);
  }

  #locate(error: unknown): unknown {
    if (error instanceof StreamsError) return error;
    return new ProcessingError(`Task ${this.taskId} failed: ${asError(error).message}`, '', error);
  }
}
