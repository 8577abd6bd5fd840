import { assert } from '../../base/assert.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerAdmin, OffsetAndMetadata } from '../../broker/broker.ts';
import type { StreamTask } from '../task/stream-task.ts';
import { allowsEvent } from '../task/task-state.ts';
import type { CommitProtocol, CommittingTask } from './commit-protocol.ts';
import { RepartitionPurge } from './repartition-purge.ts';

/** What a thread's committer works with, and who is told what becomes of commits. */
export interface CommitterOptions {
  /** In which steps is committed. */
  readonly protocol: CommitProtocol;
  /** The commit interval, clock and log. */
  readonly config: StreamsConfig;
  /** Purges repartition topics. */
  readonly admin: BrokerAdmin;
  /** Topics of the application's own that nobody reads again once they are committed. */
  readonly repartitionTopics: ReadonlySet<string>;
  /** The tasks of the thread. */
  readonly tasks: () => readonly StreamTask[];
  /** A commit that was due is done. */
  readonly onCommitted: (tasks: readonly StreamTask[]) => void;
  /** These tasks can't go on from where they are. */
  readonly onFailed: (tasks: readonly StreamTask[], error: unknown) => void;
}

/**
 * Which tasks of a thread are committed, and when; how, its protocol says.
 *
 * Owns: what is being committed, the offsets last committed. Called by: StreamThread, TaskManager.
 * Invariants: I1 a task knows that it is being committed from `beginCommit` to `endCommit`, and both come from here; I2 a task is in
 * one commit at a time, a thread too under scope `thread`; I3 a task that failed is in no further commit, and under scope `thread`
 * nothing is committed before its work is abandoned.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #protocol: CommitProtocol;
  readonly #config: StreamsConfig;
  readonly #purge: RepartitionPurge;
  /** Of each task that is being committed, the end of its commit, well or badly. */
  readonly #inFlight = new Map<StreamTask, Promise<void>>();
  readonly #abandoned = new WeakMap<StreamTask, Promise<void>>();
  readonly #abandoning = new Set<Promise<void>>();
  readonly #committed = new Map<TopicPartitionKey, number>();
  #lastCommitMs: number;

  /** The first commit is due after an interval from now. */
  constructor(options: CommitterOptions) {
    const { admin, config, protocol, repartitionTopics } = options;
    this.#options = options;
    this.#protocol = protocol;
    this.#config = config;
    this.#purge = new RepartitionPurge(admin, config, repartitionTopics);
    this.#lastCommitMs = config.clock.monotonicMs();
  }

  /** Where new tasks of these partitions go on, as {@link CommitProtocol.committed} says. They start a new count. */
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    for (const { topic, partition } of partitions) this.#committed.delete(topicPartitionKey(topic, partition));
    return this.#protocol.committed(partitions);
  }

  /** When the next commit is due, by the monotonic clock; Infinity while there is nothing to commit. */
  get nextDueMs(): number {
    const wanting = this.#options.tasks().some((task) => task.state === 'RUNNING' && task.wantsCommit('interval'));
    return wanting ? this.#lastCommitMs + this.#config.commitIntervalMs : Number.POSITIVE_INFINITY;
  }

  /** Begins the commits that are due, between two records. What becomes of them is told by the callbacks. */
  commitIfDue(): void {
    if (!this.#isFree()) return;
    const nowMs = this.#config.clock.monotonicMs();
    const isDue = nowMs - this.#lastCommitMs >= this.#config.commitIntervalMs;
    if (isDue) this.#lastCommitMs = nowMs;
    const occasion = isDue ? 'interval' : 'early';
    // Whoever drains a task commits it.
    const due = this.#options.tasks().filter((task) => task.state === 'RUNNING' && task.wantsCommit(occasion));
    if (due.length === 0) return;
    for (const task of due) task.asyncRecords.completeBundles();
    if (this.#protocol.scope === 'thread') {
      this.#commitDue(this.#all());
      return;
    }
    const plain: StreamTask[] = [];
    for (const task of due) {
      // An outside system may be slow: it holds up nobody but its own task.
      if (task.externalSinks.isEmpty) plain.push(task);
      else this.#commitDue([task]);
    }
    if (plain.length > 0) this.#commitDue(plain);
  }

  /** The last commit of these tasks before they are closed. Rejects when it did not happen. */
  async commitLast(tasks: readonly StreamTask[]): Promise<void> {
    while (!this.#isFree(tasks)) {
      await this.#commitsOver(tasks);
      await Promise.all(this.#abandoning);
    }
    const last = tasks.filter((task) => allowsEvent(task.state, 'beginCommit') && task.wantsCommit('last'));
    if (last.length === 0) return;
    const all = this.#protocol.scope === 'thread' ? new Set([...last, ...this.#all()]) : last;
    await this.#commit([...all], new Set(last));
  }

  /**
   * These tasks end without a commit: what they did since their last one doesn't count. Resolves when no commit has anything to do
   * with them any more. Never rejects.
   */
  async abandon(tasks: readonly StreamTask[]): Promise<void> {
    const fresh = tasks.filter((task) => !this.#abandoned.has(task));
    if (fresh.length > 0) {
      const done = this.#abandon(fresh).finally(() => this.#abandoning.delete(done));
      this.#abandoning.add(done);
      for (const task of fresh) this.#abandoned.set(task, done);
    }
    await Promise.all(tasks.map((task) => this.#abandoned.get(task)));
  }

  async #abandon(tasks: readonly StreamTask[]): Promise<void> {
    await this.#commitsOver(tasks);
    const others = this.#all().filter((task) => !tasks.includes(task));
    for (const task of await this.#protocol.abandon(tasks, others)) this.#undo(task, tasks);
  }

  #undo(task: StreamTask, others: readonly StreamTask[]): void {
    if (task.state === 'CLOSED') return;
    task.fail();
    this.#abandoned.set(task, Promise.resolve());
    const cause = others.map(({ taskId }) => taskId).join(', ');
    const message = `Task ${task.taskId} begins again: what it did since its last commit was undone with that of ${cause}`;
    this.#options.onFailed([task], new StreamsError(message, { code: 'TASK_CORRUPTED', recovery: 'retry' }));
  }

  /** Every task that has something to commit, draining ones too. */
  #all(): readonly StreamTask[] {
    return this.#options
      .tasks()
      .filter((task) => allowsEvent(task.state, 'beginCommit') && task.wantsCommit('interval'));
  }

  /** Whether a commit of these tasks may begin now; begins to abandon what stands in its way. */
  #isFree(tasks: readonly StreamTask[] = []): boolean {
    if (this.#protocol.scope === 'task') return tasks.every((task) => !this.#inFlight.has(task));
    const failed = this.#options.tasks().filter((task) => task.state === 'FAILED' && !this.#abandoned.has(task));
    if (failed.length > 0) void this.abandon(failed);
    return this.#inFlight.size === 0 && this.#abandoning.size === 0;
  }

  /** The commits on their way that keep these tasks from another; more may begin meanwhile. */
  async #commitsOver(tasks: readonly StreamTask[]): Promise<void> {
    const { scope } = this.#protocol;
    await Promise.all(scope === 'thread' ? this.#inFlight.values() : tasks.map((task) => this.#inFlight.get(task)));
  }

  #commitDue(tasks: readonly StreamTask[]): void {
    void this.#commit(tasks, new Set()).then(
      () => {
        this.#options.onCommitted(tasks);
        return this.#purge.runIfDue();
      },
      (error: unknown) => {
        this.#config.log.warn({ err: error, tasks: tasks.map(({ taskId }) => taskId) }, 'A commit failed');
        // The group is changing: its listener closes what moves, the rest commits next time.
        if (error instanceof StreamsError && error.recovery === 'migrate') return;
        this.#options.onFailed(tasks, error);
      },
    );
  }

  #commit(tasks: readonly StreamTask[], last: ReadonlySet<StreamTask>): Promise<void> {
    assert(this.#isFree(tasks), 'a task is in one commit at a time, and what failed is abandoned first');
    const begun: CommittingTask[] = [];
    for (const task of tasks) {
      try {
        const point = task.beginCommit(this.#protocol.worksMeanwhile);
        begun.push({ ...point, task, isLast: last.has(task) });
      } catch (error) {
        // Its cache has handed on some of what it held, and nobody knows how much: this task can't go on from here.
        task.fail();
        for (const each of begun) each.task.endCommit(false);
        return Promise.reject(notMigrating(task, error));
      }
    }
    const over = Promise.withResolvers<void>();
    for (const task of tasks) this.#inFlight.set(task, over.promise);
    return this.#run(begun).finally(over.resolve);
  }

  async #run(tasks: readonly CommittingTask[]): Promise<void> {
    const { clock, metrics } = this.#config;
    const startedMs = clock.monotonicMs();
    const offsets = this.#moved(tasks);
    let committed = false;
    try {
      await this.#protocol.commit({ tasks, offsets });
      committed = true;
    } finally {
      for (const { task } of tasks) {
        this.#inFlight.delete(task);
        task.endCommit(committed);
      }
    }
    for (const [key, { offset }] of offsets) this.#committed.set(key, offset);
    this.#purge.note(offsets);
    metrics.count('commit-total', {}, tasks.length);
    metrics.observe('commit-latency', {}, clock.monotonicMs() - startedMs);
  }

  /** Without the offsets that are committed already. */
  #moved(tasks: readonly CommittingTask[]): Map<TopicPartitionKey, TopicPartition & OffsetAndMetadata> {
    const moved = new Map<TopicPartitionKey, TopicPartition & OffsetAndMetadata>();
    for (const { offsets } of tasks) {
      for (const each of offsets) {
        const key = topicPartitionKey(each.topic, each.partition);
        if (this.#committed.get(key) !== each.offset) moved.set(key, each);
      }
    }
    return moved;
  }
}

/** A failed flush can't be taken up again by the same task, whatever the error would allow otherwise. */
function notMigrating(task: StreamTask, error: unknown): unknown {
  if (!(error instanceof StreamsError) || error.recovery !== 'migrate') return error;
  const message = `Task ${task.taskId} could not hand on what its caches held: ${error.message}`;
  return new StreamsError(message, { code: error.code, recovery: 'retry', cause: error });
}
