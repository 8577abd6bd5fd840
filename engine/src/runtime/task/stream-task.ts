import { assert } from '../../base/assert.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { Log, Metrics, MetricTags } from '../../base/metrics.ts';
import type { RecordBatch, TopicPartition } from '../../base/record-batch.ts';
import type { AsyncOperator } from '../../processor/async-operator.ts';
import type {
  AsyncHost,
  AsyncProcessor,
  Cancellable,
  HeldRecord,
  Punctuation,
  RecordMetadata,
} from '../../processor/processor.ts';
import type { Record } from '../../processor/record.ts';
import type { ThreadCache } from '../../state/cache/thread-cache.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { SubTopology } from '../../topology/nodes.ts';
import { asError, ProcessingError, UndecodableRecord } from '../errors.ts';
import type { GraphHost } from '../graph/graph-nodes.ts';
import type { ContextHost } from '../graph/node-context.ts';
import { ProcessorGraph } from '../graph/processor-graph.ts';
import type { RecordCollector } from '../output/record-collector.ts';
import {
  decodePartitionTimeMs,
  decodeProcessorMetadata,
  encodeCommitMetadata,
  mergeProcessorMetadata,
} from './commit-metadata.ts';
import { PartitionGroup } from './partition-group.ts';
import { firstOfGrid, PunctuationQueue } from './punctuation-queue.ts';
import { RecordContext } from './record-context.ts';
import { RecordFailures } from './record-failures.ts';
import type { RecordQueue } from './record-queue.ts';
import { SourcePartition } from './source-partition.ts';
import { TaskCache } from './task-cache.ts';
import { TaskHeldRecord } from './task-held-record.ts';
import { nextTaskState, type TaskEvent, type TaskState } from './task-state.ts';
import { TaskStores } from './task-stores.ts';

/** How many records may be taken between two looks at the clock: 64 records cost far less than a turn. */
const recordsPerClockCheck = 64;

export interface StreamTaskOptions {
  /** `0_1` */
  readonly taskId: string;
  readonly partition: number;
  readonly subTopology: SubTopology;
  /** The source partitions, full topic names. */
  readonly partitions: readonly TopicPartition[];
  readonly config: StreamsConfig;
  readonly collector: RecordCollector;
  /** Folder of this task's persistent stores. */
  readonly stateDirectory: string;
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** The record cache that the thread's tasks share; undefined: stores don't cache. */
  readonly cache?: ThreadCache | undefined;
  /** Records of a partition that the broker has and the task hasn't; undefined: unknown. */
  readonly lagOf: (partition: TopicPartition) => number | undefined;
  readonly createAsyncProcessor: (operator: AsyncOperator, nodeName: string, taskId: string) => AsyncProcessor;
  /** Called when something waits in the mailbox. */
  readonly wake: () => void;
}

/** What one commit of a task says: offsets to go on from, as of a moment between two records. */
export interface TaskCommit {
  readonly offsets: readonly (TopicPartition & { readonly offset: number; readonly metadata: string })[];
  /** The same by `topic-partition`, for sinks that store offsets themselves. */
  readonly positions: ReadonlyMap<string, number>;
}

/**
 * One sub-topology on one partition: the actor of the engine. Everything that happens to it happens between two records.
 *
 * Owns: record queues, processor graph, stores, punctuations, mailbox, pending offsets.
 * Called by: StreamThread, TaskManager, TopologyTestDriver. Calls: RecordCollector.
 * Invariants: I1 `process` takes a record only while RUNNING and not frozen; I2 a committed offset never passes an unfinished
 * record; I3 no message of the mailbox runs while a record is processed.
 */
export class StreamTask implements ContextHost, GraphHost {
  readonly taskId: string;
  readonly applicationId: string;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly group: PartitionGroup;
  readonly stores: TaskStores;
  readonly config: StreamsConfig;
  /** ContextHost: committed with the offsets. */
  readonly processorMetadata = new Map<string, number>();
  readonly #sources: SourcePartition[];
  readonly #failures: RecordFailures;
  readonly #graph: ProcessorGraph;
  readonly #globalStores: ReadonlyMap<string, StateStore>;
  readonly #tags: MetricTags;
  readonly #wake: () => void;
  readonly #streamPunctuations = new PunctuationQueue();
  readonly #wallPunctuations = new PunctuationQueue();
  readonly #live = new RecordContext();
  /** @internal The input record being processed. */
  context: RecordContext | undefined;
  #mailbox: (() => void)[] = [];
  #state: TaskState = 'CREATED';
  #commitNeeded = false;
  #processing = false;
  /** No records, messages or punctuations while a commit is on its way. */
  frozen = false;
  #closed: Promise<void> | undefined;
  #runningSinceMs: number | undefined;
  /** Failed and about to be created anew: frozen for good, never committed. */
  failed = false;
  /** No new records; results of pending ones still come in (revocation, shutdown). */
  draining = false;
  commitRequested = false;
  /** ContextHost: timestamp of the record being processed. */
  timestampMs = 0;
  /** ContextHost: a kept record is being forwarded that came from there. */
  origin: RecordMetadata | undefined;
  /** ContextHost */
  record: Record<unknown, unknown> | undefined;
  /** ContextHost: kept where stores are cached. */
  readonly openRecords: Record<unknown, unknown>[] | undefined;
  recordsProcessed = 0;

  constructor(options: StreamTaskOptions) {
    const { config, subTopology } = options;
    this.taskId = options.taskId;
    this.applicationId = config.applicationId;
    this.metrics = config.metrics;
    this.log = config.log;
    this.config = config;
    this.#failures = new RecordFailures({
      taskId: options.taskId,
      config,
      collector: options.collector,
      countDropped: (nodeName, reason) => this.countDropped(nodeName, reason),
      checkDecodable: (sourceIndex) => this.sources[sourceIndex]?.node.checkDecodable(),
    });
    this.#globalStores = options.globalStores;
    this.#wake = options.wake;
    this.openRecords = options.cache === undefined ? undefined : [];
    this.#tags = { 'task-id': options.taskId };
    this.stores = new TaskStores(subTopology.stores, {
      applicationId: config.applicationId,
      taskId: options.taskId,
      partition: options.partition,
      stateDirectory: options.stateDirectory,
      clock: config.clock,
      metrics: config.metrics,
      log: config.log,
      collector: options.collector,
      timestampMs: () => this.timestampMs,
      cache: options.cache && new TaskCache(options.cache, this, (context) => this.#keep(context)),
    });
    this.#graph = new ProcessorGraph(subTopology, {
      host: this,
      collector: options.collector,
      createAsyncProcessor: options.createAsyncProcessor,
      asyncHostOf: (nodeName) => this.#asyncHost(nodeName),
    });
    this.#sources = options.partitions.map((partition) => this.#sourcePartition(partition));
    this.group = new PartitionGroup(
      this.sources.map((source) => source.queue),
      {
        maxTaskIdleMs: config.maxTaskIdleMs,
        lagOf: options.lagOf,
        onEnforced: () => this.metrics.count('enforced-processing-total', this.#tags, 1),
      },
    );
  }

  get sources(): readonly SourcePartition[] {
    return this.#sources;
  }

  /** One more partition of a pattern's topics, while it runs (test driver; the runtime makes tasks anew). */
  addPartition(partition: TopicPartition): SourcePartition {
    const source = this.#sourcePartition(partition);
    this.#sources.push(source);
    this.group.add(source.queue);
    return source;
  }

  #sourcePartition({ topic, partition }: TopicPartition): SourcePartition {
    return new SourcePartition(
      topic,
      partition,
      this.#graph.sourceOf(topic),
      (batch, row, error) => this.#skipped(batch, row, error),
      () => this.systemTimeMs(),
    );
  }

  /** A record, a punctuator or a result of an asynchronous operator is being processed. */
  get isProcessing(): boolean {
    return this.#processing;
  }

  get state(): TaskState {
    return this.#state;
  }

  #transition(event: TaskEvent): void {
    this.#state = nextTaskState(this.taskId, this.#state, event);
  }

  /** Opens the stores. CREATED → RESTORING. */
  initializeStores(): void {
    this.#transition('initialize');
    this.stores.open();
  }

  /** Offsets that external sinks hold; they override Kafka's. Awaits the outside system. */
  async openExternalSinks(): Promise<ReadonlyMap<string, number>> {
    const offsets = new Map<string, number>();
    for (const { sink } of this.#graph.externalSinks) {
      for (const [key, offset] of await sink.open(this.sources, this.taskId)) {
        // Several sinks: the one that is behind decides, the others drop what they have already.
        offsets.set(key, Math.min(offset, offsets.get(key) ?? offset));
      }
    }
    return offsets;
  }

  get hasExternalSinks(): boolean {
    return this.#graph.externalSinks.length > 0;
  }

  /** Where each partition goes on, and the partition time that the last commit kept. Before `start`. */
  setPosition(source: SourcePartition, offset: number, metadata = ''): void {
    source.begin(offset, decodePartitionTimeMs(metadata));
    mergeProcessorMetadata(this.processorMetadata, decodeProcessorMetadata(metadata));
    if (source.queue.partitionTimeMs > this.group.streamTimeMs) this.group.streamTimeMs = source.queue.partitionTimeMs;
  }

  /** The source's position lay outside the log; the next commit says where it goes on, even if no record comes. */
  movePosition(source: SourcePartition, offset: number): void {
    source.moveTo(offset);
    this.#commitNeeded = true;
  }

  /** All stores are restored: initialises the processors. RESTORING → RUNNING, unless a processor's `init` throws. */
  start(): void {
    this.stores.logging = true;
    this.draining = false;
    this.frozen = false;
    this.#graph.init();
    this.#transition('restored');
    this.#runningSinceMs = this.config.clock.monotonicMs();
  }

  /** How long it has been RUNNING. */
  get runningMs(): number {
    return this.#runningSinceMs === undefined ? 0 : this.config.clock.monotonicMs() - this.#runningSinceMs;
  }

  /** Takes over a fetched batch. */
  enqueue(source: SourcePartition, batch: RecordBatch): void {
    source.queue.add(batch);
  }

  #mayTake(nowMs: number): boolean {
    return !this.draining && !this.saturated && this.group.readyToProcess(nowMs);
  }

  /** True while an asynchronous operator or an external sink takes no more. */
  get saturated(): boolean {
    const { asyncNodes, externalSinks } = this.#graph;
    for (let i = 0; i < asyncNodes.length; i += 1) if (asyncNodes[i]?.asyncProcessor.saturated) return true;
    for (let i = 0; i < externalSinks.length; i += 1) {
      if (externalSinks[i]?.sink.full) {
        this.commitRequested = true;
        return true;
      }
    }
    return false;
  }

  /** Records that asynchronous operators hold. */
  get pending(): number {
    let pending = 0;
    for (const { asyncProcessor } of this.#graph.asyncNodes) pending += asyncProcessor.pending;
    return pending;
  }

  /** User calls of asynchronous operators that run now. */
  get callsInFlight(): number {
    let calls = 0;
    for (const { asyncProcessor } of this.#graph.asyncNodes) {
      if ('callsInFlight' in asyncProcessor) calls += asyncProcessor.callsInFlight as number;
    }
    return calls;
  }

  /** Lets asynchronous operators go on without waiting for more records. */
  flushAsync(): void {
    for (const { asyncProcessor } of this.#graph.asyncNodes) asyncProcessor.flush();
  }

  /**
   * Messages first, then records until none may be taken, `recordsMax` were, or `deadlineMs` of the monotonic clock passed.
   * Returns the number of records taken.
   */
  process(nowMs: number, deadlineMs: number, recordsMax = Number.POSITIVE_INFINITY): number {
    if (this.frozen || this.#state !== 'RUNNING') return 0;
    const { group } = this;
    const { clock } = this.config;
    let taken = 0;
    while (taken < recordsMax) {
      if (this.#mailbox.length > 0) this.runMailbox();
      if (!this.#mayTake(nowMs)) break;
      this.#processNext(group.nextQueue() as RecordQueue);
      taken += 1;
      if (taken % recordsPerClockCheck === 0 && clock.monotonicMs() >= deadlineMs) break;
    }
    if (taken > 0) {
      this.recordsProcessed += taken;
      for (let i = 0; i < group.queues.length; i += 1) group.queues[i]?.releaseSpent();
    }
    return taken;
  }

  /** Processes exactly one record if one is buffered, whatever other partitions hold (test driver). */
  processOne(): boolean {
    if (this.#mailbox.length > 0) this.runMailbox();
    const queue = this.group.nextQueue();
    if (queue === undefined || this.saturated) return false;
    this.#processNext(queue);
    queue.releaseSpent();
    this.recordsProcessed += 1;
    return true;
  }

  #processNext(queue: RecordQueue): void {
    const source = this.sources[queue.index] as SourcePartition;
    const batch = queue.headBatch as RecordBatch;
    const row = queue.headRow;
    const context = this.#live;
    context.topic = batch.topic;
    context.partition = batch.partition;
    context.offset = batch.offsets[row] as number;
    context.sourceIndex = queue.index;
    context.batch = batch;
    context.row = row;
    context.pending = undefined;
    const timestampMs = this.group.take(queue);
    this.timestampMs = timestampMs;
    this.record = source.node.record;
    this.context = context;
    if (this.openRecords !== undefined) this.openRecords.length = 0;
    this.#processing = true;
    this.#commitNeeded = true;
    try {
      source.node.process(batch, row, timestampMs);
    } catch (error) {
      if (!(error instanceof UndecodableRecord)) throw this.#locate(error);
      this.#failures.undecodable(source.node.name, context, timestampMs, error.failure);
    } finally {
      this.#processing = false;
      this.context = undefined;
      context.batch = undefined;
    }
    if (this.#streamPunctuations.nextMs <= this.group.streamTimeMs) this.punctuateStreamTime();
  }

  punctuateStreamTime(): void {
    const streamTimeMs = this.group.streamTimeMs;
    if (streamTimeMs < 0) return;
    this.#streamPunctuations.punctuate(streamTimeMs, this.#firePunctuation);
  }

  /** Fires due wall-clock punctuators; returns how many. */
  punctuateWallClock(nowMs: number): number {
    if (this.frozen || this.#state !== 'RUNNING') return 0;
    return this.#wallPunctuations.punctuate(nowMs, this.#firePunctuation);
  }

  /** When the next wall-clock punctuator or idle wait is due, epoch ms; Infinity for never. */
  nextWakeMs(nowMs: number): number {
    return Math.min(this.#wallPunctuations.nextMs, this.group.nextIdleDeadlineMs(nowMs) ?? Number.POSITIVE_INFINITY);
  }

  readonly #firePunctuation = (nodeName: string, timestampMs: number, callback: (nowMs: number) => void): void => {
    this.timestampMs = timestampMs;
    this.record = undefined;
    this.#commitNeeded = true;
    this.#processing = true;
    try {
      callback(timestampMs);
    } catch (error) {
      this.nodeFailed(nodeName, error);
    } finally {
      this.#processing = false;
    }
  };

  /** Runs what asynchronous operators left, in order. Between records only. */
  runMailbox(): void {
    assert(!this.#processing, 'the mailbox runs between records');
    if (this.#state !== 'RUNNING') {
      this.#mailbox = [];
      return;
    }
    while (this.#mailbox.length > 0) {
      const messages = this.#mailbox;
      this.#mailbox = [];
      for (const message of messages) message();
    }
  }

  get hasMail(): boolean {
    return this.#mailbox.length > 0;
  }

  /** Something was processed since the last commit. */
  get commitNeeded(): boolean {
    return this.#commitNeeded;
  }

  /** Ends bundles of `pipe` operators, whose results otherwise never let an offset go. */
  completeBundles(): void {
    for (const { asyncProcessor } of this.#graph.asyncNodes) {
      if ('completeBundle' in asyncProcessor) (asyncProcessor as { completeBundle(): void }).completeBundle();
    }
  }

  /** Hands cached writes on and tells what may be committed. The caller freezes the task first. */
  prepareCommit(): TaskCommit {
    // A closed task's queues are empty: their positions would pass what was never processed.
    assert(this.#state === 'RUNNING', 'only running tasks are committed');
    this.stores.flush();
    const offsets: (TopicPartition & { offset: number; metadata: string })[] = [];
    const positions = new Map<string, number>();
    for (const source of this.sources) {
      const offset = source.committableOffset;
      if (offset < 0) continue;
      positions.set(source.key, offset);
      offsets.push({
        topic: source.topic,
        partition: source.partition,
        offset,
        metadata: encodeCommitMetadata(source.queue.partitionTimeMs, this.processorMetadata),
      });
    }
    this.#commitNeeded = this.pending > 0;
    this.commitRequested = false;
    return { offsets, positions };
  }

  /** Nothing of this task counts any more since its last commit. */
  markFailed(): void {
    this.failed = true;
    this.frozen = true;
  }

  /** The commit did not happen: it is due again. */
  commitFailed(): void {
    this.#commitNeeded = true;
  }

  async commitExternalSinks(positions: ReadonlyMap<string, number>): Promise<void> {
    for (const { sink } of this.#graph.externalSinks) await sink.commit(positions);
  }

  /** Closes processors, sinks and stores, once. Clean: the caller has committed. Dirty: nothing more is written. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#transition('close');
    this.#mailbox = [];
    this.group.clear();
    this.#streamPunctuations.clear();
    this.#wallPunctuations.clear();
    const failures: unknown[] = [];
    const attempt = async (action: () => void | Promise<void>): Promise<void> => {
      try {
        await action();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.#graph.close());
    for (const { sink } of this.#graph.externalSinks) await attempt(() => sink.close());
    await attempt(() => this.stores.close());
    if (failures.length > 0) throw failures[0];
  }

  // ContextHost

  currentMetadata(): RecordMetadata | undefined {
    if (this.origin !== undefined) return this.origin;
    const context = this.context;
    if (context === undefined) return undefined;
    return { topic: context.topic, partition: context.partition, offset: context.offset };
  }

  streamTimeMs(): number {
    return this.group.streamTimeMs;
  }

  systemTimeMs(): number {
    return this.config.clock.nowMs();
  }

  countDropped(nodeName: string, reason: string): void {
    this.metrics.count('dropped-records-total', { ...this.#tags, 'processor-node-id': nodeName, reason }, 1);
  }

  requestCommit(): void {
    this.commitRequested = true;
  }

  schedule(nodeName: string, { type, intervalMs, startTimeMs, callback }: Punctuation): Cancellable {
    const byStream = type === 'STREAM_TIME';
    const queue = byStream ? this.#streamPunctuations : this.#wallPunctuations;
    const nowMs = byStream ? this.streamTimeMs() : this.systemTimeMs();
    const usualMs = byStream ? 0 : nowMs + intervalMs;
    const firstMs = startTimeMs === undefined ? usualMs : firstOfGrid(startTimeMs, intervalMs, nowMs);
    return queue.schedule(nodeName, firstMs, intervalMs, callback);
  }

  store(name: string): StateStore | undefined {
    return this.stores.get(name) ?? this.#globalStores.get(name);
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

  /** A row that the queue left out before it was processed. */
  #skipped(batch: RecordBatch, row: number, error: Error | undefined): void {
    const node = this.#graph.sourceOf(batch.topic);
    this.#commitNeeded = true;
    if (error === undefined) {
      this.countDropped(node.name, 'negative-timestamp');
      return;
    }
    const context = new RecordContext();
    context.topic = batch.topic;
    context.partition = batch.partition;
    context.offset = batch.offsets[row] as number;
    context.batch = batch;
    context.row = row;
    this.#failures.undecodable(node.name, context, Math.max(0, batch.timestamps[row] as number), error);
  }

  #locate(error: unknown): unknown {
    if (error instanceof StreamsError) return error;
    return new ProcessingError(`Task ${this.taskId} failed: ${asError(error).message}`, '', error);
  }

  #asyncHost(nodeName: string): AsyncHost {
    return {
      hold: () => this.#hold(nodeName),
      enter: (callback) => {
        this.#mailbox.push(callback);
        this.#wake();
      },
      fail: (held, thrown) => {
        const outer = this.context;
        const context = (held as TaskHeldRecord).context;
        this.context = context;
        this.timestampMs = (held as TaskHeldRecord).timestampMs;
        try {
          this.nodeFailed(nodeName, thrown);
        } finally {
          this.context = outer;
        }
        held.release(() => {});
      },
    };
  }

  #hold(nodeName: string): HeldRecord {
    const current = this.context;
    assert(current !== undefined, `asynchronous node ${nodeName} gets records of a source, not of a punctuator`);
    const source = this.sources[current.sourceIndex] as SourcePartition;
    // One whose holds are over was finished before: what a cache let go of later may hold it again.
    if (current.pending === undefined || current.pending.holds === 0) {
      current.pending = source.pending.add(current.offset);
    }
    current.pending.holds += 1;
    let context = current;
    const { origin } = this;
    if (origin !== undefined) {
      context = RecordContext.ofKept(origin);
      context.sourceIndex = current.sourceIndex;
      context.pending = current.pending;
    } else context = this.#keep(current);
    return new TaskHeldRecord(context, this.timestampMs, (held, forwardAll) => this.#runHeld(held, forwardAll));
  }

  /** A context that outlives the present record. */
  #keep(current: RecordContext): RecordContext {
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

  #runHeld(held: TaskHeldRecord, forwardAll: () => void): void {
    const outer = this.context;
    const outerMs = this.timestampMs;
    this.context = held.context;
    this.timestampMs = held.timestampMs;
    this.#processing = true;
    this.#commitNeeded = true;
    try {
      forwardAll();
    } finally {
      this.#processing = false;
      this.context = outer;
      this.timestampMs = outerMs;
    }
  }
}
