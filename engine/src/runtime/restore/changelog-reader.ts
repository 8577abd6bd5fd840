import { assert } from '../../base/assert.ts';
import { yieldTurn } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import type { MetricTags } from '../../base/metrics.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { Broker, BrokerConsumer, FetchedPartition, OffsetAndMetadata } from '../../broker/broker.ts';
import { isOutOfRange } from '../errors.ts';
import { type ChangelogEnds, type RestoredTask, RestoringChangelog } from './restoring-changelog.ts';

/** Longest wait of one poll. Only a bound: what arrives, comes or goes is noticed at once. */
const RESTORE_POLL_MS = 100;
/** Longest synchronous stretch of restoring, as long as a turn of the thread: tasks that run get every other turn. */
const TURN_MS = 5;
/** Rows between two looks at the clock: the slowest stores take about 20 µs a row. */
const ROWS_PER_LOOK = 64;
/**
 * Changelogs that are read at a time, the shortest first; the others wait. Of each, two fetched answers may wait in memory, of
 * `partitionFetchBytesMax` (1 MB) each.
 */
const CHANGELOGS_READ_MAX = 32;
/** Offsets that the application's group has committed, by `topic-partition`. */
type CommittedOffsets = ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>;

/** Where a changelog reader reads, and by which name. */
export interface ChangelogReaderOptions {
  /** Makes the consumer; not closed by the reader. */
  readonly broker: Broker;
  /** Sizes of fetches, clock, metrics and log. */
  readonly config: StreamsConfig;
  /** Name of its consumer in the broker's logs and quotas. */
  readonly clientId: string;
}

/** What a task that is followed needs besides its stores. */
export interface FollowOptions {
  /** Asks what the group has committed: how far a source topic that serves as changelog may be read. */
  readonly committed: (partitions: readonly TopicPartition[]) => Promise<CommittedOffsets>;
  /** A changelog can't be read any more, or a store took no more of it. The task is followed no longer. */
  readonly onError: (error: unknown) => void;
}

/** How far one changelog is. */
export interface RestoreProgress extends TopicPartition {
  /** Sub-topology and partition of the task, as `0_1`. */
  readonly taskId: string;
  /** Store that this changelog is read into. */
  readonly storeName: string;
  /** Records that went into the store so far. */
  readonly restored: number;
  /** Offsets from the store's position to the end where it is restored; 0 from then on. */
  readonly remaining: number;
}

/** One task whose stores are being restored or followed. */
interface Restoration {
  readonly task: RestoredTask;
  readonly changelogs: readonly RestoringChangelog[];
  /** What was committed when restoring began; undefined where the task is followed. */
  readonly committed: CommittedOffsets | undefined;
  readonly follow: FollowOptions | undefined;
  readonly outcome: PromiseWithResolvers<boolean>;
  readonly startedMs: number;
  readonly tags: MetricTags;
}

/**
 * Brings stores up to the ends of their changelogs, and keeps them there for tasks that are followed (standby tasks). Each task
 * is done as soon as its own stores are, whatever else is being restored; tasks come and go at any time.
 *
 * A changelog ends by *position*: the last offsets of a log may be control records or compacted away. A store that is ahead of its
 * changelog, behind its beginning or too old is wiped and restored whole. What was restored is kept when a task leaves before the
 * end: it goes on from there.
 *
 * Owns: one consumer, the changelogs that it reads. Called by: TaskManager, StreamThread.
 * Invariants: I1 a store is touched only between `restore` or `follow` and the moment its promise settles or `remove` returns (of
 * a followed task: until `remove`); I2 what fails in one changelog ends the restoration of its own task, and of no other; I3 no
 * synchronous stretch is much longer than {@link TURN_MS}; I4 a changelog partition belongs to one store.
 */
export class ChangelogReader {
  readonly #options: ChangelogReaderOptions;
  readonly #restorations = new Map<RestoredTask, Restoration>();
  /** Not planned yet: those of one turn ask for their offsets together. */
  readonly #added: Restoration[] = [];
  /** What the consumer reads, by `topic-partition`. */
  readonly #reading = new Map<TopicPartitionKey, { readonly log: RestoringChangelog; readonly of: Restoration }>();
  #consumer: BrokerConsumer | undefined;
  #loop: Promise<void> | undefined;
  #isRunning = false;
  #isClosed = false;
  #turnEndsMs = 0;
  #limitsAskedMs = Number.NEGATIVE_INFINITY;
  #isAskingLimits = false;

  /** Its consumer is made when there is something to read. */
  constructor(options: ChangelogReaderOptions) {
    this.#options = options;
  }

  /**
   * Restores the stores of a task; `committed` says how far source topics that serve as changelogs were processed. Resolves with
   * true when all are at the ends that their changelogs have now, with false when the task was removed before. Rejects when one of
   * its changelogs can't be read or one of its stores fails.
   */
  restore(task: RestoredTask, committed: CommittedOffsets): Promise<boolean> {
    return this.#add(task, committed, undefined);
  }

  /**
   * Restores the stores of a task, and then goes on applying what others write to their changelogs, until `remove`.
   * Resolves and rejects as `restore` does; what fails later goes to `onError`. The owner of the task commits its
   * stores.
   */
  follow(task: RestoredTask, options: FollowOptions): Promise<boolean> {
    return this.#add(task, undefined, options);
  }

  /** Ends restoring or following; what a persistent store has got so far is made durable. Before the stores are closed. */
  remove(task: RestoredTask): void {
    const restoration = this.#restorations.get(task);
    if (restoration === undefined) return;
    this.#leave(restoration);
    restoration.outcome.resolve(false);
  }

  /** By `topic-partition`: offsets between the store and the present end of its changelog, as far as the last fetch knows. */
  lag(task: RestoredTask): ReadonlyMap<TopicPartitionKey, number> {
    const lags = new Map<TopicPartitionKey, number>();
    for (const log of this.#restorations.get(task)?.changelogs ?? []) {
      const known = this.#reading.get(log.key)?.log === log ? this.#consumer?.knownEndOffset(log) : undefined;
      lags.set(log.key, Math.max(0, (known ?? log.endOffset) - log.position));
    }
    return lags;
  }

  /** The changelogs of all tasks that are being restored or followed. */
  progress(): readonly RestoreProgress[] {
    return [...this.#restorations.values()].flatMap(({ changelogs, task: { taskId } }) =>
      changelogs.map(({ topic, partition, entry, restored, remaining }) => ({
        topic,
        partition,
        taskId,
        storeName: entry.store.name,
        restored,
        remaining,
      })),
    );
  }

  /** Removes all tasks and closes the consumer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const task of [...this.#restorations.keys()]) this.remove(task);
    await this.#consumer?.close();
    await this.#loop;
  }

  #add(
    task: RestoredTask,
    committed: CommittedOffsets | undefined,
    follow: FollowOptions | undefined,
  ): Promise<boolean> {
    this.remove(task);
    const changelogs: RestoringChangelog[] = [];
    for (const entry of task.stores.all()) {
      if (entry.changelogTopic !== undefined)
        changelogs.push(new RestoringChangelog(entry.changelogTopic, task, entry));
    }
    if (this.#isClosed || changelogs.length === 0) return Promise.resolve(!this.#isClosed);
    const outcome = Promise.withResolvers<boolean>();
    const startedMs = this.#options.config.clock.monotonicMs();
    const tags = { 'task-id': task.taskId };
    const restoration = { task, changelogs, committed, follow, outcome, startedMs, tags };
    this.#restorations.set(task, restoration);
    this.#added.push(restoration);
    if (this.#added.length === 1) queueMicrotask(() => void this.#begin(this.#added.splice(0)));
    return outcome.promise;
  }

  #isOpen(restoration: Restoration): boolean {
    return this.#restorations.get(restoration.task) === restoration;
  }

  /** Never rejects. What fails for several tasks together is asked for each alone: one of them may be to blame. */
  async #begin(added: readonly Restoration[]): Promise<void> {
    const logs = added.flatMap(({ changelogs }) => changelogs);
    const admin = this.#options.broker.admin();
    let begins: ReadonlyMap<TopicPartitionKey, number>;
    let ends: ReadonlyMap<TopicPartitionKey, number>;
    try {
      [begins, ends] = await Promise.all([admin.beginningOffsets(logs), admin.endOffsets(logs)]);
    } catch (error) {
      if (added.length > 1) await Promise.all(added.map((each) => this.#begin([each])));
      else for (const restoration of added) this.#fail(restoration, error);
      return;
    }
    await Promise.all(
      added.map(async (restoration) => {
        try {
          const committed = await committedOf(restoration);
          if (!this.#isOpen(restoration)) return;
          for (const log of restoration.changelogs) {
            const beginningOffset = begins.get(log.key) ?? 0;
            const endOffset = ends.get(log.key) ?? 0;
            this.#place(restoration, log, {
              beginningOffset,
              endOffset,
              committedOffset: committed.get(log.key)?.offset,
            });
          }
          this.#finishIfRestored(restoration);
        } catch (error) {
          this.#fail(restoration, error);
        }
      }),
    );
    this.#regulate();
    this.#readOn();
  }

  /** The consumer gets a changelog that there is something to read of. */
  #place(of: Restoration, log: RestoringChangelog, ends: ChangelogEnds): void {
    log.begin(ends, this.#options.config.clock.nowMs());
    if (log.isRestored && of.follow === undefined) return;
    assert(!this.#reading.has(log.key), `changelog ${log.key} belongs to one store`);
    this.#reading.set(log.key, { log, of });
    this.#reader().add([{ topic: log.topic, partition: log.partition, offset: log.position }]);
  }

  #reader(): BrokerConsumer {
    const { broker, clientId, config } = this.#options;
    const { fetchBytesMax, partitionFetchBytesMax } = config;
    this.#consumer ??= broker.consumer({ clientId, fetchBytesMax, partitionFetchBytesMax });
    return this.#consumer;
  }

  /** Pauses what has to wait: all but the shortest of the changelogs that are not restored yet, and those that are at their limits. */
  #regulate(): void {
    const behind = [...this.#reading.values()].filter(({ log }) => !log.isRestored).map(({ log }) => log);
    const waiting = new Set(behind.sort((one, other) => one.remaining - other.remaining).slice(CHANGELOGS_READ_MAX));
    for (const { log } of this.#reading.values()) {
      const mustWait = waiting.has(log) || log.isAtLimit;
      if (mustWait === log.isPaused) continue;
      log.isPaused = mustWait;
      if (mustWait) this.#consumer?.pause([log]);
      else this.#consumer?.resume([log]);
    }
  }

  /** Starts the loop where there is something to read. */
  #readOn(): void {
    if (this.#isRunning || this.#isClosed || this.#reading.size === 0) return;
    this.#isRunning = true;
    this.#loop = this.#run(this.#reader());
  }

  async #run(consumer: BrokerConsumer): Promise<void> {
    try {
      while (this.#reading.size > 0 && !this.#isClosed) {
        const fetched = await consumer.poll(RESTORE_POLL_MS);
        // Now: a task may go and come again while others are being restored, and what was fetched for the first is not the second's.
        const arrivals = fetched.map((each) => ({
          each,
          reading: this.#reading.get(topicPartitionKey(each.topic, each.partition)),
        }));
        // A poll that finds something resolves without a turn of the event loop.
        await this.#yield();
        arrivals.sort((one, other) => (one.reading?.log.remaining ?? 0) - (other.reading?.log.remaining ?? 0));
        for (const { each, reading } of arrivals) await this.#apply(each, reading?.of, reading?.log);
        this.#raiseLimitsIfDue();
      }
    } catch (error) {
      for (const restoration of [...this.#restorations.values()]) this.#fail(restoration, error);
    } finally {
      this.#isRunning = false;
    }
  }

  async #yield(): Promise<void> {
    const { clock } = this.#options.config;
    await yieldTurn(clock);
    this.#turnEndsMs = clock.monotonicMs() + TURN_MS;
  }

  /** Never rejects. */
  async #apply(
    each: FetchedPartition,
    of: Restoration | undefined,
    log: RestoringChangelog | undefined,
  ): Promise<void> {
    try {
      if (of === undefined || log === undefined || !this.#isReading(log)) return;
      if (each.error !== undefined) {
        void this.#recover(log, each.error).catch((error: unknown) => this.#fail(of, error));
        return;
      }
      const before = log.restored;
      await this.#applyRows(each, log);
      if (!this.#isReading(log)) return;
      log.advance(each.nextOffset);
      // What lies beyond the limit is read again when that is raised.
      if (each.nextOffset > log.limitOffset) this.#consumer?.seek(log, log.limitOffset);
      this.#count(of, log.restored - before);
      if (!log.isRestored && log.position >= log.endOffset) this.#restored(of, log);
      if (log.isRestored) this.#regulate();
    } catch (error) {
      if (of !== undefined) this.#fail(of, error);
    } finally {
      for (const batch of each.batches) batch.release();
    }
  }

  async #applyRows({ batches }: FetchedPartition, log: RestoringChangelog): Promise<void> {
    const { clock } = this.#options.config;
    for (const batch of batches) {
      const rows = log.rowsOf(batch);
      for (let row = 0; row < rows; row += ROWS_PER_LOOK) {
        log.apply(batch, row, Math.min(rows, row + ROWS_PER_LOOK));
        if (clock.monotonicMs() < this.#turnEndsMs) continue;
        await this.#yield();
        if (!this.#isReading(log)) return;
      }
    }
  }

  #isReading(log: RestoringChangelog): boolean {
    return this.#reading.get(log.key)?.log === log;
  }

  /** The position fell out of the log (retention): the store begins anew. Nothing of it is fetched before. Rejects with any other error. */
  async #recover(log: RestoringChangelog, error: Error): Promise<void> {
    if (!isOutOfRange(error)) throw error;
    const { broker, config } = this.#options;
    const { topic, partition } = log;
    config.log.warn({ err: error, topic, partition }, 'A changelog position is gone; restoring from its beginning');
    log.wipe();
    const begins = await broker.admin().beginningOffsets([{ topic, partition }]);
    if (!this.#isReading(log)) return;
    const begin = begins.get(log.key) ?? 0;
    log.task.stores.advance(log.entry.store, begin);
    this.#consumer?.seek(log, begin);
  }

  #count(of: Restoration, records: number): void {
    const { metrics } = this.#options.config;
    if (records > 0) metrics.count(of.follow === undefined ? 'restore-total' : 'update-total', of.tags, records);
    if (of.follow !== undefined) return;
    const remaining = of.changelogs.reduce((sum, log) => sum + log.remaining, 0);
    metrics.gauge('restore-remaining-records-total', of.tags, remaining);
  }

  #restored(of: Restoration, log: RestoringChangelog): void {
    log.isRestored = true;
    // An instance that is stopped before its first commit would restore it again.
    log.commit();
    if (of.follow === undefined) this.#drop(log);
    this.#finishIfRestored(of);
  }

  #finishIfRestored(of: Restoration): void {
    if (!of.changelogs.every(({ isRestored }) => isRestored)) return;
    const { clock, log } = this.#options.config;
    const records = of.changelogs.reduce((sum, { restored }) => sum + restored, 0);
    if (records > 0) {
      const elapsedMs = clock.monotonicMs() - of.startedMs;
      log.info({ taskId: of.task.taskId, records, elapsedMs }, 'Restored state from changelogs');
    }
    if (of.follow === undefined) this.#restorations.delete(of.task);
    of.outcome.resolve(true);
  }

  #drop(log: RestoringChangelog): void {
    this.#reading.delete(log.key);
    this.#consumer?.remove([log]);
  }

  #leave(restoration: Restoration): void {
    this.#restorations.delete(restoration.task);
    for (const log of restoration.changelogs) {
      if (!this.#isReading(log)) continue;
      this.#drop(log);
      try {
        log.commit();
      } catch (error) {
        const { topic, partition } = log;
        this.#options.config.log.warn({ err: error, topic, partition }, 'What was restored could not be kept');
      }
    }
    this.#regulate();
  }

  #fail(restoration: Restoration, error: unknown): void {
    if (!this.#isOpen(restoration)) return;
    const wasRestored = restoration.changelogs.every(({ isRestored }) => isRestored);
    this.#leave(restoration);
    if (wasRestored) restoration.follow?.onError(error);
    else restoration.outcome.reject(error);
  }

  /** Source topics that serve as changelogs are followed as far as the active task has committed them, and no further. */
  #raiseLimitsIfDue(): void {
    const { clock, commitIntervalMs, log: logger } = this.#options.config;
    const nowMs = clock.monotonicMs();
    if (this.#isAskingLimits || nowMs - this.#limitsAskedMs < commitIntervalMs) return;
    this.#limitsAskedMs = nowMs;
    const followed = [...this.#restorations.values()].filter(({ follow }) => follow !== undefined);
    this.#isAskingLimits = true;
    void Promise.all(
      followed.map(async (restoration) => {
        const committed = await committedOf(restoration);
        for (const log of restoration.changelogs) {
          if (!log.entry.changelogIsSource) continue;
          log.limitOffset = Math.max(log.limitOffset, committed.get(log.key)?.offset ?? 0);
        }
      }),
    )
      .catch((error: unknown) => logger.warn({ err: error }, 'Committed offsets could not be asked for'))
      .finally(() => {
        this.#isAskingLimits = false;
        this.#regulate();
      });
  }
}

/** How far the source topics among a task's changelogs were committed: now, where the task is followed. */
async function committedOf({ changelogs, committed, follow }: Restoration): Promise<CommittedOffsets> {
  if (committed !== undefined) return committed;
  const sources = changelogs.filter(({ entry }) => entry.changelogIsSource);
  if (sources.length === 0 || follow === undefined) return new Map();
  return follow.committed(sources.map(({ topic, partition }) => ({ topic, partition })));
}
