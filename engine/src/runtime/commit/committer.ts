import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import { type TopicPartition, topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerAdmin, GroupMembership, OffsetAndMetadata } from '../../broker/broker.ts';
import type { BatchingCollector } from '../output/batching-collector.ts';
import type { StreamTask, TaskCommit } from '../task/stream-task.ts';
import { allowsEvent } from '../task/task-state.ts';

/** Kafka Streams' `repartition.purge.interval.ms`. */
const purgeIntervalMs = 30_000;

export interface CommitterOptions {
  readonly group: GroupMembership;
  readonly collector: BatchingCollector;
  readonly config: StreamsConfig;
  readonly admin: BrokerAdmin;
  /** Topics of the application's own that nobody reads again once they are committed. */
  readonly repartitionTopics: ReadonlySet<string>;
}

/**
 * Commits tasks: outputs acknowledged, then external sinks, then Kafka's offsets, then stores. In this order a crash at any
 * point repeats records and loses none.
 *
 * Owns: which commits are on their way, the offsets last committed. Called by: StreamThread, TaskManager.
 * Invariants: I1 a task stands still while its commit is on its way, so its state and its changelog are of one moment; I2 a task
 * is in one commit at a time.
 */
export class Committer {
  readonly #group: GroupMembership;
  readonly #collector: BatchingCollector;
  readonly #config: StreamsConfig;
  readonly #admin: BrokerAdmin;
  readonly #repartitionTopics: ReadonlySet<string>;
  readonly #purgeable = new Map<string, TopicPartition & { readonly offset: number }>();
  #lastPurgeMs: number;
  readonly #inFlight = new Map<StreamTask, Promise<void>>();
  readonly #committed = new Map<string, number>();

  constructor(options: CommitterOptions) {
    this.#group = options.group;
    this.#collector = options.collector;
    this.#config = options.config;
    this.#admin = options.admin;
    this.#repartitionTopics = options.repartitionTopics;
    this.#lastPurgeMs = options.config.clock.monotonicMs();
  }

  /** Starts a new count for partitions whose tasks were created anew. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) this.#committed.delete(key);
  }

  /**
   * Rejects with the first error; nothing of a failed task's commit counts then. `final` leaves nothing for a later commit to make
   * durable.
   */
  commit(tasks: readonly StreamTask[], final = false): Promise<void> {
    const ready = tasks.filter(({ state }) => allowsEvent(state, 'beginCommit'));
    if (ready.length === 0) return Promise.resolve();
    const commits = new Map<StreamTask, TaskCommit>();
    for (const task of ready) {
      try {
        commits.set(task, task.beginCommit(false));
      } catch (error) {
        // Its cache has handed on some of what it held, and nobody knows how much: this task can't go on from here.
        task.fail();
        for (const prepared of commits.keys()) prepared.endCommit(false);
        return Promise.reject(notMigrating(task, error));
      }
    }
    const ended = (committed: boolean): void => {
      for (const task of ready) {
        this.#inFlight.delete(task);
        task.endCommit(committed);
      }
    };
    const done = this.#run(commits, final).then(
      () => ended(true),
      (error: unknown) => {
        ended(false);
        throw error;
      },
    );
    for (const task of ready) this.#inFlight.set(task, done);
    return done;
  }

  /** Waits until no commit of these tasks is on its way; errors are told to whoever started them. */
  async settled(tasks: readonly StreamTask[]): Promise<void> {
    const running = tasks.map((task) => this.#inFlight.get(task)).filter((promise) => promise !== undefined);
    await Promise.allSettled(running);
  }

  async #run(commits: ReadonlyMap<StreamTask, TaskCommit>, final: boolean): Promise<void> {
    const startedMs = this.#config.clock.monotonicMs();
    const tasks = [...commits.keys()];
    await this.#collector.flush();
    await Promise.all(tasks.map((task) => task.externalSinks.commit((commits.get(task) as TaskCommit).positions)));
    const offsets = new Map<string, TopicPartition & OffsetAndMetadata>();
    for (const commit of commits.values()) {
      for (const each of commit.offsets) {
        const key = `${each.topic}-${each.partition}`;
        if (this.#committed.get(key) !== each.offset) offsets.set(key, each);
      }
    }
    if (offsets.size > 0) await this.#group.commit(offsets);
    for (const [key, each] of offsets) {
      this.#committed.set(key, each.offset);
      if (this.#repartitionTopics.has(each.topic)) this.#purgeable.set(key, each);
    }
    for (const task of tasks) {
      if (task.state === 'CLOSED') continue;
      const { positions } = commits.get(task) as TaskCommit;
      const consumedEnd = (topic: string, partition: number) => positions.get(topicPartitionKey(topic, partition));
      task.stores.commit(this.#collector.ackedEnd, final, consumedEnd);
    }
    const elapsedMs = this.#config.clock.monotonicMs() - startedMs;
    this.#config.metrics.count('commit-total', {}, tasks.length);
    this.#config.metrics.observe('commit-latency', {}, elapsedMs);
  }

  /** Deletes what is committed from repartition topics, whose retention is unlimited. Never rejects: the next purge covers it. */
  async purgeIfDue(): Promise<void> {
    const nowMs = this.#config.clock.monotonicMs();
    if (this.#purgeable.size === 0 || nowMs - this.#lastPurgeMs < purgeIntervalMs) return;
    this.#lastPurgeMs = nowMs;
    const offsets = [...this.#purgeable.values()].map(({ topic, partition, offset }) => ({ topic, partition, offset }));
    this.#purgeable.clear();
    try {
      await this.#admin.deleteRecords(offsets);
    } catch (error) {
      this.#config.log.warn({ err: error }, 'Repartition topics could not be purged');
    }
  }
}

/** A failed flush can't be taken up again by the same task, whatever the error would allow otherwise. */
function notMigrating(task: StreamTask, error: unknown): unknown {
  if (!(error instanceof StreamsError) || error.recovery !== 'migrate') return error;
  const message = `Task ${task.taskId} could not hand on what its caches held: ${error.message}`;
  return new StreamsError(message, { code: error.code, recovery: 'retry', cause: error });
}
