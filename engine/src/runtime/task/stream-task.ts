import { assert } from '../../base/assert.ts';
import type { StreamsConfig } from '../../base/config.ts';
import type { RecordBatch, TopicPartition, TopicPartitionKey } from '../../base/record-batch.ts';
import type { ThreadCache } from '../../state/cache/thread-cache.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { SubTopology } from '../../topology/nodes.ts';
import { ProcessorGraph } from '../nodes/processor-graph.ts';
import type { RecordCollector } from '../output/record-collector.ts';
import { AsyncRecords, type CreateAsyncProcessor } from './async-records.ts';
import {
  decodePartitionTimeMs,
  decodeProcessorMetadata,
  encodeCommitMetadata,
  mergeProcessorMetadata,
} from './commit-metadata.ts';
import { ExternalSinks } from './external-sinks.ts';
import { NodeHost } from './node-host.ts';
import { PartitionGroup } from './partition-group.ts';
import { QueryQueue } from './query-queue.ts';
import type { RecordQueue } from './record-queue.ts';
import { SourcePartition } from './source-partition.ts';
import type { PartitionTask } from './task.ts';
import { TaskCache } from './task-cache.ts';
import { nextTaskState, type TaskEvent, type TaskState, type TaskWork, WORK_OF_STATE } from './task-state.ts';
import { TaskStores } from './task-stores.ts';

/** How many records may be taken between two looks at the clock: 64 records cost far less than a turn. */
const RECORDS_PER_CLOCK_CHECK = 64;

/** What a task is, and what it works with. */
export interface StreamTaskOptions {
  /** `0_1`: sub-topology and partition. */
  readonly taskId: string;
  /** Number of the partition that it has of each source topic, and of its changelogs. */
  readonly partition: number;
  /** The nodes and stores. */
  readonly subTopology: SubTopology;
  /** The source partitions, full topic names. */
  readonly partitions: readonly TopicPartition[];
  /** The application's, with every default filled in. */
  readonly config: StreamsConfig;
  /** Where its records and changelogs go. */
  readonly collector: RecordCollector;
  /** Folder of this task's persistent stores. */
  readonly stateDirectory: string;
  /** By name; its nodes may read them. */
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** The record cache that the thread's tasks share; undefined: stores don't cache. */
  readonly cache?: ThreadCache | undefined;
  /** Records of a partition that the broker has and the task hasn't; undefined: unknown. */
  readonly lagOf: (partition: TopicPartition) => number | undefined;
  /** Makes the processors of asynchronous nodes. */
  readonly createAsyncProcessor: CreateAsyncProcessor;
  /** Called when something waits in the mailbox, or a query does. */
  readonly wake: () => void;
}

/** What one commit of a task says: offsets to go on from, as of a moment between two records. */
export interface TaskCommit {
  /** Where each source partition goes on, with the metadata that Kafka Streams keeps beside an offset. */
  readonly offsets: readonly (TopicPartition & {
    /** The first record that is not finished. */
    readonly offset: number;
    /** Partition time and numbers of the nodes, in Kafka Streams' form. */
    readonly metadata: string;
  })[];
  /** The offsets by `topic-partition`, for sinks that store them beside their rows. */
  readonly positions: ReadonlyMap<string, number>;
}

/**
 * One sub-topology on one partition: the actor of the engine. Everything that happens to it happens between two records.
 *
 * Owns: record queues, processor graph, stores, what its nodes run in, what asynchronous operators hold, queries that wait.
 * Called by: StreamThread, TaskManager, TopologyTestDriver. Calls: RecordCollector.
 * Invariants: I1 a record is taken only where {@link WORK_OF_STATE} says so, and while a commit is on its way only if that commit
 * lets the task work; I2 a committed offset never passes an unfinished record; I3 a task is in one commit at a time; I4 a task that
 * failed processes and commits nothing more; I5 once draining it takes no new record, whatever its commits do.
 */
export class StreamTask implements PartitionTask {
  readonly taskId: string;
  readonly kind = 'active';
  readonly partition: number;
  /** The buffered records and their order. */
  readonly group: PartitionGroup;
  readonly stores: TaskStores;
  /** Reads of its stores from outside, answered while the state says that they are readable. */
  readonly queries: QueryQueue;
  /** What asynchronous operators hold, and the mailbox by which results re-enter. */
  readonly asyncRecords: AsyncRecords;
  /** Sinks that store offsets themselves. */
  readonly externalSinks: ExternalSinks;
  readonly #config: StreamsConfig;
  readonly #sources: SourcePartition[] = [];
  readonly #host: NodeHost;
  readonly #collector: RecordCollector;
  readonly #graph: ProcessorGraph;
  #state: TaskState = 'CREATED';
  #work: TaskWork = 'nothing';
  /** The commit on its way keeps the task still. */
  #isFrozen = false;
  #closed: Promise<void> | undefined;
  #runningSinceMs: number | undefined;

  /** Makes nodes and stores, opens nothing. Throws what a supplier of the user throws. */
  constructor(options: StreamTaskOptions) {
    const { cache, collector, config, subTopology, taskId } = options;
    this.taskId = taskId;
    this.partition = options.partition;
    this.#config = config;
    this.#collector = collector;
    this.group = new PartitionGroup([], {
      maxTaskIdleMs: config.maxTaskIdleMs,
      lagOf: options.lagOf,
      onEnforced: () => config.metrics.count('enforced-processing-total', { 'task-id': taskId }, 1),
    });
    const host = new NodeHost({
      taskId,
      config,
      collector,
      group: this.group,
      sources: this.#sources,
      caches: cache !== undefined,
      globalStores: options.globalStores,
      storeOf: (name) => this.stores.get(name),
    });
    this.#host = host;
    this.stores = new TaskStores(subTopology.stores, {
      applicationId: config.applicationId,
      taskId,
      partition: options.partition,
      stateDirectory: options.stateDirectory,
      disk: config.disk,
      clock: config.clock,
      metrics: config.metrics,
      log: config.log,
      timestampMs: () => host.timestampMs,
      cache: cache && new TaskCache(cache, host, (context) => host.keep(context)),
    });
    this.queries = new QueryQueue({
      owner: `task ${taskId}`,
      clock: config.clock,
      storeOf: (name) => {
        assert(!host.isProcessing, 'queries are answered between records');
        return this.stores.get(name);
      },
      isReadable: () => WORK_OF_STATE[this.#state] !== 'nothing',
      wake: options.wake,
    });
    this.asyncRecords = new AsyncRecords(host, this.#sources, options.createAsyncProcessor, options.wake);
    this.#graph = new ProcessorGraph(subTopology, {
      host,
      collector,
      createAsyncProcessor: this.asyncRecords.create,
      asyncHostOf: this.asyncRecords.hostOf,
    });
    this.externalSinks = new ExternalSinks(this.#graph.externalSinks);
    for (const partition of options.partitions) this.addPartition(partition);
  }

  /** Its partitions, in the order in which they were added. */
  get sources(): readonly SourcePartition[] {
    return this.#sources;
  }

  /** One more partition. While it runs only in the test driver, for topics of a pattern; the runtime makes tasks anew. */
  addPartition({ topic, partition }: TopicPartition): SourcePartition {
    const node = this.#graph.sourceOf(topic);
    const source = new SourcePartition(
      topic,
      partition,
      node,
      (batch, row, error) => this.#host.skip(node.name, batch, row, error),
      () => this.#host.systemTimeMs(),
      () => {
        this.#host.needsCommit = true;
      },
    );
    this.#sources.push(source);
    this.group.add(source.queue);
    return source;
  }

  get state(): TaskState {
    return this.#state;
  }

  #transition(event: TaskEvent): void {
    this.#state = nextTaskState(this.taskId, this.#state, event);
    this.#work = this.#isFrozen ? 'nothing' : WORK_OF_STATE[this.#state];
  }

  /** Records, messages or punctuators may run now. */
  get mayWork(): boolean {
    return this.#work !== 'nothing';
  }

  /** From `start` to `close`: its stores hold what their changelogs hold, whatever became of the task since. */
  get isStarted(): boolean {
    return this.#runningSinceMs !== undefined && this.#state !== 'CLOSED';
  }

  /** Opens the stores. CREATED → RESTORING. */
  initializeStores(): void {
    this.#transition('initialize');
    this.stores.open();
  }

  /** Where each partition goes on, and the partition time that the last commit kept. Before `start`. */
  setPosition(source: SourcePartition, offset: number, metadata = ''): void {
    source.begin(offset, decodePartitionTimeMs(metadata));
    mergeProcessorMetadata(this.#host.processorMetadata, decodeProcessorMetadata(metadata));
    if (source.queue.partitionTimeMs > this.group.streamTimeMs) this.group.streamTimeMs = source.queue.partitionTimeMs;
  }

  /** The source's position lay outside the log; the next commit says where it goes on, even if no record comes. */
  movePosition(source: SourcePartition, offset: number): void {
    source.moveTo(offset);
    this.#host.needsCommit = true;
  }

  /** All stores are restored: initialises the processors. RESTORING → RUNNING, unless a processor's `init` throws. */
  start(): void {
    this.stores.startLogging(this.#collector);
    this.#graph.init();
    this.#transition('restored');
    this.#runningSinceMs = this.#config.clock.monotonicMs();
  }

  /** How long ago it was started. */
  get runningMs(): number {
    return this.#runningSinceMs === undefined ? 0 : this.#config.clock.monotonicMs() - this.#runningSinceMs;
  }

  changelogOffsets(): ReadonlyMap<TopicPartitionKey, number> {
    return this.stores.changelogOffsets();
  }

  #mayTake(nowMs: number): boolean {
    return this.#work === 'records' && !this.isSaturated && this.group.isReadyToProcess(nowMs);
  }

  /** True while an asynchronous operator or an external sink takes no more. */
  get isSaturated(): boolean {
    if (this.asyncRecords.isSaturated) return true;
    if (!this.externalSinks.isFull) return false;
    this.#host.requestCommit();
    return true;
  }

  /**
   * Messages first, then records until none may be taken, `recordsMax` were, or `deadlineMs` of the monotonic clock passed.
   * Returns the number of records taken; none where the state allows no work.
   */
  process(nowMs: number, deadlineMs: number, recordsMax = Number.POSITIVE_INFINITY): number {
    if (!this.mayWork) return 0;
    const { group } = this;
    const { clock } = this.#config;
    let taken = 0;
    while (taken < recordsMax) {
      if (this.asyncRecords.hasMail) this.runMailbox();
      if (!this.#mayTake(nowMs)) break;
      this.#processNext(group.nextQueue() as RecordQueue);
      taken += 1;
      if (taken % RECORDS_PER_CLOCK_CHECK === 0 && clock.monotonicMs() >= deadlineMs) break;
    }
    if (taken > 0) {
      for (let i = 0; i < group.queues.length; i += 1) group.queues[i]?.releaseSpent();
    }
    return taken;
  }

  /** Processes exactly one record if one is buffered, whatever other partitions hold (test driver). */
  processOne(): boolean {
    if (this.asyncRecords.hasMail) this.runMailbox();
    const queue = this.group.nextQueue();
    if (queue === undefined || this.isSaturated) return false;
    this.#processNext(queue);
    queue.releaseSpent();
    return true;
  }

  #processNext(queue: RecordQueue): void {
    const batch = queue.headBatch as RecordBatch;
    const row = queue.headRow;
    const timestampMs = this.group.take(queue);
    const host = this.#host;
    host.process(this.#sources[queue.index] as SourcePartition, batch, row, timestampMs);
    if (host.streamPunctuations.nextMs <= this.group.streamTimeMs) host.punctuateStreamTime();
  }

  /** Fires due wall-clock punctuators; returns how many. */
  punctuateWallClock(nowMs: number): number {
    if (!this.mayWork) return 0;
    return this.#host.punctuateWallClock(nowMs);
  }

  /** When the next wall-clock punctuator or idle wait is due, epoch ms; Infinity for never. */
  nextWakeMs(nowMs: number): number {
    const idleMs = this.group.nextIdleDeadlineMs(nowMs) ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#host.wallPunctuations.nextMs, idleMs);
  }

  /** Runs what asynchronous operators left, in order; true when there was something. Between records only. */
  runMailbox(): boolean {
    if (!this.asyncRecords.hasMail || !this.mayWork) return false;
    this.asyncRecords.runMailbox();
    return true;
  }

  /**
   * Whether a commit has something to do: as the last one before a clean `close`, when the `interval` is over, or `early`, because
   * a node, a full sink or a store asks for it.
   */
  wantsCommit(occasion: 'early' | 'interval' | 'last'): boolean {
    const { needsCommit, isCommitRequested } = this.#host;
    if (occasion === 'last') return needsCommit || !this.externalSinks.isEmpty || this.stores.hasDeferred;
    return needsCommit && (occasion === 'interval' || isCommitRequested || this.stores.wantsCommit);
  }

  /**
   * Hands cached writes on and tells what may be committed: a commit of this task is on its way until `endCommit`. RUNNING →
   * COMMITTING, DRAINING → DRAINING_COMMITTING. With `worksMeanwhile` the task goes on processing, else it stands still.
   * What a cache hands on may fail: whoever asked then ends the commit, or the task.
   */
  beginCommit(worksMeanwhile: boolean): TaskCommit {
    this.#isFrozen = !worksMeanwhile;
    this.#transition('beginCommit');
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
        metadata: encodeCommitMetadata(source.queue.partitionTimeMs, this.#host.processorMetadata),
      });
    }
    this.#host.needsCommit = this.asyncRecords.pending > 0;
    this.#host.isCommitRequested = false;
    return { offsets, positions };
  }

  /** The commit is over; one that did not happen is due again. A task that failed or was closed meanwhile stays so. */
  endCommit(committed: boolean): void {
    this.#isFrozen = false;
    this.#transition('endCommit');
    if (!committed) this.#host.needsCommit = true;
  }

  /**
   * Takes no new record from now on; what asynchronous operators hold still comes in. RUNNING → DRAINING, COMMITTING →
   * DRAINING_COMMITTING. Throws what a cache's write ran into.
   */
  drain(): void {
    this.#transition('drain');
    // What caches hold back may go to asynchronous operators: now is the last time to wait for them.
    if (this.mayWork) this.stores.flush();
    this.asyncRecords.flush();
  }

  /** Nothing of this task counts any more since its last commit: it works no more and is never committed again. → FAILED. */
  fail(): void {
    this.#transition('fail');
    // It may have failed in the middle of a record.
    this.queries.close();
  }

  /** Closes processors, sinks and stores, once. Clean: the caller has committed. Dirty: nothing more is written. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#transition('close');
    this.queries.close();
    this.asyncRecords.discardMail();
    this.group.clear();
    this.#host.clearPunctuations();
    const failures: unknown[] = [];
    const attempt = async (action: () => void | Promise<void>): Promise<void> => {
      try {
        await action();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.#graph.close());
    await attempt(() => this.externalSinks.close());
    await attempt(() => this.stores.close());
    if (failures.length > 0) throw failures[0];
  }

  /** Whether the store is one of this task's own. */
  holdsStore(name: string): boolean {
    return this.stores.get(name) !== undefined;
  }
}
