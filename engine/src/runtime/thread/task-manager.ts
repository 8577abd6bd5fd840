import { sleep } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { type TopicPartition, topicPartitionKey } from '../../base/record-batch.ts';
import type { Broker, BrokerConsumer, OffsetAndMetadata } from '../../broker/broker.ts';
import { createAsyncProcessor } from '../../pipeline/create-async-processor.ts';
import type { ThreadCache } from '../../state/cache/thread-cache.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { ResolvedTopology } from '../../topology/nodes.ts';
import { layOutTasks, type TaskSpec, tasksByPartition } from '../assignment/task-layout.ts';
import type { Committer } from '../commit/committer.ts';
import type { StateDirectory } from '../directory/state-directory.ts';
import type { BatchingCollector } from '../output/batching-collector.ts';
import type { ChangelogReader } from '../restore/changelog-reader.ts';
import { resetOffset, startPositions } from '../restore/start-positions.ts';
import type { SourcePartition } from '../task/source-partition.ts';
import { StreamTask } from '../task/stream-task.ts';
import type { PartitionTask } from '../task/task.ts';
import { newThreadCache } from '../task/task-cache.ts';
import { allowsEvent } from '../task/task-state.ts';

/** How often a draining task is looked at when nothing wakes it. */
const DRAIN_CHECK_MS = 5;
/** Longest wait for asynchronous operators before partitions are given up; also bounded by half the rebalance timeout. */
const DRAIN_MS_MAX = 30_000;

/** What the tasks of a thread are made from, and who is told how they fare. */
export interface TaskManagerOptions {
  /** The application's, with every default filled in. */
  readonly config: StreamsConfig;
  /** The topology, with complete names. */
  readonly resolved: ResolvedTopology;
  /** The topics as they were at the start; `layOut` tells of later ones. */
  readonly partitionCounts: ReadonlyMap<string, number>;
  /** Asks for topics and partitions that came after the start, and calls `layOut`. Rejects when they can't be processed. */
  readonly refreshLayout: () => Promise<void>;
  /** Where the tasks' stores lie on disk. */
  readonly stateDirectory: StateDirectory;
  /** Asked where partitions begin and end. */
  readonly broker: Broker;
  /** Reads the source topics. */
  readonly consumer: BrokerConsumer;
  /** Where the tasks' records and changelogs go. */
  readonly collector: BatchingCollector;
  /** Commits tasks before they are closed, and knows where new ones go on. */
  readonly committer: Committer;
  /** Restores the tasks' stores. */
  readonly changelogs: ChangelogReader;
  /** By name; the tasks may read them. */
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** Batches of this partition wait outside its queue, so its lag is not known to be zero. */
  readonly isWaiting: (source: SourcePartition) => boolean;
  /** Lets the thread look at once whether there is something to do. */
  readonly wake: () => void;
  /** Starting tasks failed for good. */
  readonly onError: (error: unknown, task: StreamTask) => void;
  /** All tasks run, or some don't yet. */
  readonly onReadiness: () => void;
}

/**
 * The tasks of a thread, from assignment to close.
 *
 * Owns: tasks, which partition belongs to which. Called by: StreamThread, the group's listener.
 * Invariants: I1 a partition is in one task at most; I2 a task that was revoked is closed before `revoked` resolves; I3 a task that
 * was not started, or failed, processes nothing.
 */
export class TaskManager {
  readonly #options: TaskManagerOptions;
  #taskOf: ReadonlyMap<string, TaskSpec>;
  readonly #tasks = new Map<string, { readonly task: StreamTask; readonly spec: TaskSpec }>();
  readonly #sources = new Map<string, { readonly task: StreamTask; readonly source: SourcePartition }>();
  readonly #closing = new Map<StreamTask, Promise<void>>();
  readonly #cache: ThreadCache | undefined;
  #starting = 0;

  /** Without tasks: the group assigns them. */
  constructor(options: TaskManagerOptions) {
    this.#options = options;
    this.#cache = newThreadCache(options.config);
    this.#taskOf = tasksByPartition(layOutTasks(options.resolved, options.partitionCounts));
  }

  /** Tells what tasks there are; those that exist are not touched. */
  layOut(partitionCounts: ReadonlyMap<string, number>): void {
    this.#taskOf = tasksByPartition(layOutTasks(this.#options.resolved, partitionCounts));
  }

  /** All that are known, restoring and closing ones included. */
  get tasks(): readonly StreamTask[] {
    return [...this.#tasks.values()].map(({ task }) => task);
  }

  /** Whether every assigned task has been restored and started. */
  get areAllRunning(): boolean {
    return this.#starting === 0 && this.tasks.every((task) => task.isStarted);
  }

  /** The task of a partition; undefined where none is here. */
  sourceOf(
    topic: string,
    partition: number,
  ):
    | {
        /** The task that reads the partition. */
        readonly task: StreamTask;
        /** The partition's queue and source node. */
        readonly source: SourcePartition;
      }
    | undefined {
    return this.#sources.get(topicPartitionKey(topic, partition));
  }

  /** Creates the tasks of new partitions and starts them in the background: restore, positions, RUNNING. */
  async assigned(added: readonly TopicPartition[]): Promise<void> {
    if (added.some(({ topic, partition }) => !this.#taskOf.has(topicPartitionKey(topic, partition)))) {
      await this.#options.refreshLayout();
    }
    const specs = new Map<string, TaskSpec>();
    for (const { topic, partition } of added) {
      const spec = this.#taskOf.get(topicPartitionKey(topic, partition));
      if (spec === undefined) {
        this.#options.config.log.warn({ topic, partition }, 'Was assigned a partition that no task reads');
      } else specs.set(spec.taskId, spec);
    }
    const owned = new Set(
      this.#options.consumer.assignment().map(({ topic, partition }) => topicPartitionKey(topic, partition)),
    );
    const created: { task: StreamTask; spec: TaskSpec }[] = [];
    for (const spec of specs.values()) {
      // A further topic of a task that runs already: it starts over with all its partitions.
      const running = this.#tasks.get(spec.taskId);
      if (running !== undefined) await this.#closeClean([running.task]);
      const partitions = spec.partitions.filter(({ topic, partition }) =>
        owned.has(topicPartitionKey(topic, partition)),
      );
      created.push({ task: this.#create(spec, partitions), spec });
    }
    if (created.length > 0) this.#startInBackground(created.map(({ task }) => task));
    this.#options.onReadiness();
  }

  /** Finishes what is in flight, commits and closes the tasks of these partitions. What else they read, they read on. */
  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const rest = this.#restOf(partitions);
    await this.#closeClean(this.#tasksOf(partitions));
    this.#goOnWith(rest);
    this.#options.onReadiness();
  }

  /** Everything: before the group is left, while commits are still taken. */
  async revokedAll(): Promise<void> {
    await this.#closeClean(this.tasks);
  }

  /** Somebody else owns them already: nothing is committed. */
  async lost(partitions: readonly TopicPartition[]): Promise<void> {
    const rest = this.#restOf(partitions);
    for (const task of this.#tasksOf(partitions)) await this.closeDirty(task);
    this.#goOnWith(rest);
    this.#options.onReadiness();
  }

  /** Of the tasks that lose these partitions: what remains to them, as where one of several topics was deleted. */
  #restOf(gone: readonly TopicPartition[]): readonly (readonly [TaskSpec, readonly TopicPartition[]])[] {
    const goneKeys = new Set(gone.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
    const rest: (readonly [TaskSpec, readonly TopicPartition[]])[] = [];
    for (const task of this.#tasksOf(gone)) {
      const kept = task.sources.filter(({ key }) => !goneKeys.has(key));
      const entry = this.#tasks.get(task.taskId);
      if (kept.length === 0 || entry?.task !== task) continue;
      rest.push([entry.spec, kept.map(({ topic, partition }) => ({ topic, partition }))]);
    }
    return rest;
  }

  /** A task has fixed partitions: with fewer of them it is another one, on the same state. */
  #goOnWith(rest: readonly (readonly [TaskSpec, readonly TopicPartition[]])[]): void {
    const created = rest.filter(([{ taskId }]) => !this.#tasks.has(taskId));
    if (created.length === 0) return;
    for (const [{ taskId }, partitions] of created) {
      this.#options.config.log.info(
        { taskId, partitions },
        'A task lost some of its partitions; it goes on with the rest',
      );
    }
    this.#startInBackground(created.map(([spec, partitions]) => this.#create(spec, partitions)));
  }

  /** Closes a failed task without a commit and starts it again; `wipe` also removes its local state first. */
  async recreate(failed: PartitionTask, wipe: boolean): Promise<void> {
    const entry = this.#tasks.get(failed.taskId);
    // Revoked meanwhile, perhaps assigned anew.
    if (entry?.task !== failed) return;
    const { task, spec } = entry;
    const partitions = task.sources.map(({ topic, partition }) => ({ topic, partition }));
    // It stays known until it is closed: a revocation meanwhile finds it, waits, and ends it for good.
    await this.#rollBackAndClose(task);
    if (this.#tasks.get(task.taskId)?.task !== task) return;
    this.#remove(task);
    if (wipe) task.stores.wipeAll();
    this.#startInBackground([this.#create(spec, partitions)]);
    this.#options.onReadiness();
  }

  /** Closes the task without a commit: what it did since its last one is done again by whoever gets it. */
  async closeDirty(task: StreamTask): Promise<void> {
    this.#remove(task);
    await this.#rollBackAndClose(task);
  }

  async #rollBackAndClose(task: StreamTask): Promise<void> {
    await this.#options.committer.abandon([task]);
    // Before the stores are rolled back: what was restored is kept with its position.
    this.#options.changelogs.remove(task);
    for (const { store } of task.stores.all()) if (store.isOpen) store.rollback();
    await this.#closeLogged(task);
  }

  /** Everything, without a commit. */
  async closeAllDirty(): Promise<void> {
    for (const task of this.tasks) await this.closeDirty(task);
  }

  /** Once a task, however many ask: the group may revoke what `close` is about to give back. */
  async #closeClean(tasks: readonly StreamTask[]): Promise<void> {
    const fresh = tasks.filter((task) => !this.#closing.has(task));
    if (fresh.length > 0) {
      const done = this.#finishAndClose(fresh).finally(() => {
        for (const task of fresh) this.#closing.delete(task);
      });
      for (const task of fresh) this.#closing.set(task, done);
    }
    await Promise.all(tasks.map((task) => this.#closing.get(task)));
  }

  async #finishAndClose(tasks: readonly StreamTask[]): Promise<void> {
    const { committer, config } = this.#options;
    const running = tasks.filter(({ state }) => allowsEvent(state, 'drain'));
    try {
      await this.#drain(running);
      await committer.commitLast(running);
    } catch (error) {
      config.log.warn(
        { err: error },
        'Closing tasks could not finish and commit; their records will be processed again',
      );
      for (const task of tasks) await this.closeDirty(task);
      return;
    }
    for (const task of tasks) {
      if (task.state === 'FAILED') await this.closeDirty(task);
      else {
        this.#remove(task);
        await this.#closeLogged(task);
      }
    }
  }

  /** Lets asynchronous operators finish, within a deadline; what isn't finished then will be done again by the next owner. */
  async #drain(tasks: readonly StreamTask[]): Promise<void> {
    const { clock, rebalanceTimeoutMs } = this.#options.config;
    const deadlineMs = clock.monotonicMs() + Math.min(DRAIN_MS_MAX, rebalanceTimeoutMs / 2);
    for (const task of tasks) task.drain();
    for (;;) {
      let pending = 0;
      for (const task of tasks) {
        if (task.state === 'FAILED' || task.state === 'CLOSED') continue;
        task.runMailbox();
        task.asyncRecords.flush();
        pending += task.asyncRecords.pending;
      }
      if (pending === 0) return;
      if (clock.monotonicMs() >= deadlineMs) {
        this.#options.config.log.warn({ pending }, 'Gave up waiting for asynchronous operators');
        return;
      }
      await sleep(clock, DRAIN_CHECK_MS);
    }
  }

  #create(spec: TaskSpec, partitions: readonly TopicPartition[]): StreamTask {
    const { config, collector, consumer, globalStores, isWaiting, stateDirectory, wake } = this.#options;
    const task = new StreamTask({
      taskId: spec.taskId,
      partition: spec.partition,
      subTopology: spec.subTopology,
      partitions,
      config,
      collector,
      stateDirectory: stateDirectory.folderOf(spec.taskId),
      globalStores,
      cache: this.#cache,
      lagOf: (partition) => {
        const entry = this.#sources.get(topicPartitionKey(partition.topic, partition.partition));
        if (entry === undefined || isWaiting(entry.source)) return undefined;
        const end = consumer.knownEndOffset(partition);
        return end === undefined ? undefined : Math.max(0, end - consumer.position(partition));
      },
      createAsyncProcessor: (operator, nodeName) =>
        createAsyncProcessor(operator, { clock: config.clock, random: config.random, nodeName }),
      wake,
    });
    this.#tasks.set(spec.taskId, { task, spec });
    for (const source of task.sources) this.#sources.set(source.key, { task, source });
    return task;
  }

  #startInBackground(tasks: readonly StreamTask[]): void {
    this.#starting += 1;
    void this.#start(tasks)
      .catch((error: unknown) => {
        for (const task of tasks) {
          if (task.state === 'CREATED' || task.state === 'RESTORING') this.#options.onError(error, task);
        }
      })
      .finally(() => {
        this.#starting -= 1;
        this.#options.onReadiness();
        this.#options.wake();
      });
  }

  async #start(created: readonly StreamTask[]): Promise<void> {
    const { committer, stateDirectory } = this.#options;
    const tasks: StreamTask[] = [];
    for (const task of created) {
      try {
        if (task.stores.hasPersistent) stateDirectory.lease(task.taskId);
        task.initializeStores();
        tasks.push(task);
      } catch (error) {
        // A damaged store is its own task's affair: the others must not be wiped with it.
        this.#options.onError(error, task);
      }
    }
    if (tasks.length === 0) return;
    const committed = await committer.committed(tasks.flatMap((task) => task.sources));
    await Promise.all(tasks.map((task) => this.#restoreAndRun(task, committed)));
  }

  /** Restored, positions, RUNNING: each task at its own pace. An error is this task's alone. */
  async #restoreAndRun(task: StreamTask, committed: ReadonlyMap<string, OffsetAndMetadata>): Promise<void> {
    const { changelogs, consumer, wake } = this.#options;
    try {
      // It may be closed at any time.
      if (!isRestoring(task) || !(await changelogs.restore(task, committed)) || !isRestoring(task)) return;
      const external = await task.externalSinks.open(task.sources, task.taskId);
      const positions = await startPositions(task.sources, committed, external, (source) =>
        this.resetOffset(task, source),
      );
      // Closed while a broker or a sink answered.
      if (!isRestoring(task)) return;
      // Before the processors begin: they ask what they left with the offsets.
      for (const source of task.sources) {
        const { offset, metadata } = positions.get(source.key) as OffsetAndMetadata;
        task.setPosition(source, offset, metadata);
      }
      task.start();
      for (const source of task.sources) {
        consumer.seek(source, (positions.get(source.key) as OffsetAndMetadata).offset);
      }
      wake();
    } catch (error) {
      this.#options.onError(error, task);
    }
  }

  /** Where a partition begins that has no valid offset. */
  resetOffset(task: StreamTask, source: SourcePartition): Promise<number> {
    const { broker, config } = this.#options;
    const { subTopology } = this.#tasks.get(task.taskId)?.spec ?? {};
    return resetOffset(source, subTopology?.repartitionSourceTopics ?? [], config, broker.admin());
  }

  #tasksOf(partitions: readonly TopicPartition[]): readonly StreamTask[] {
    const tasks = new Set<StreamTask>();
    for (const { topic, partition } of partitions) {
      const entry = this.#sources.get(topicPartitionKey(topic, partition));
      if (entry !== undefined) tasks.add(entry.task);
    }
    return [...tasks];
  }

  /** Nobody runs it from now on. */
  #remove(task: StreamTask): void {
    task.queries.close();
    if (this.#tasks.get(task.taskId)?.task === task) this.#tasks.delete(task.taskId);
    for (const source of task.sources) {
      if (this.#sources.get(source.key)?.task === task) this.#sources.delete(source.key);
    }
  }

  async #closeLogged(task: StreamTask): Promise<void> {
    this.#options.changelogs.remove(task);
    try {
      await task.close();
    } catch (error) {
      this.#options.config.log.error({ err: error, taskId: task.taskId }, 'A task did not close cleanly');
    }
    this.#options.stateDirectory.release(task.taskId);
  }
}

/** A call, so that the compiler doesn't think the state stays the same over an await. */
function isRestoring(task: StreamTask): boolean {
  return task.state === 'RESTORING';
}
