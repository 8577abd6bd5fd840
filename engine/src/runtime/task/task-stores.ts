import type { BinaryKey } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import type { Log, Metrics } from '../../base/metrics.ts';
import { type Header, type RecordBatch, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { RecordCacheContext } from '../../state/cache/cache-origin.ts';
import type { StateStore, StateStoreContext } from '../../state/state-store.ts';
import type { SubTopologyStore } from '../../topology/nodes.ts';
import type { ChangelogOutput, RecordCollector } from '../output/record-collector.ts';

/**
 * A persistent store with a changelog is made durable at the first commit after this long. A crash in between restores that much
 * more from the changelog, and nothing else: an lmdb transaction per commit interval would cost more than the processing.
 */
const DURABLE_INTERVAL_MS = 1_000;

/** One store of a task with its changelog partition. */
export interface TaskStore {
  /** The typed store, as processors get it. */
  readonly store: StateStore;
  /** Undefined when the store doesn't log: what it held is lost when the task moves. */
  readonly changelogTopic: string | undefined;
  /** The changelog is a source topic: nothing is written to it, and it is restored up to what was committed. */
  readonly changelogIsSource: boolean;
}

/** Whose stores they are, and what they may use. */
export interface TaskStoresOptions {
  /** Part of the changelogs' names. */
  readonly applicationId: string;
  /** Names the task in metrics and errors. */
  readonly taskId: string;
  /** Partition of the changelogs. */
  readonly partition: number;
  /** Folder of the task's persistent stores. */
  readonly stateDirectory: string;
  /** Where the folder is. */
  readonly disk: Disk;
  /** Says when stores are made durable. */
  readonly clock: Clock;
  /** Gets what the stores count. */
  readonly metrics: Metrics;
  /** For the stores. */
  readonly log: Log;
  /** Time of the record being processed, epoch ms. */
  readonly timestampMs: () => number;
  /** Undefined: stores don't cache. */
  readonly cache?: RecordCacheContext | undefined;
}

/**
 * The state stores of a task.
 *
 * Owns: the stores and the changelog offset that each has reached. Called by: the task, whoever restores it.
 * Invariants: I1 nothing is logged while restoring; I2 `position` of a store is the first changelog offset it doesn't hold.
 */
export class TaskStores implements StateStoreContext {
  readonly applicationId: string;
  readonly taskId: string;
  /** Partition of the changelogs. */
  readonly partition: number;
  readonly stateDirectory: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly cache?: RecordCacheContext;
  readonly #timestampMs: () => number;
  readonly #stores = new Map<string, TaskStore>();
  readonly #changelogs = new Map<string, ChangelogOutput>();
  readonly #positions = new Map<string, number>();
  #isLogging = false;
  #lastDurableMs = 0;
  #hasDeferred = false;

  /** Makes the stores by their builders; `open` opens them. */
  constructor(specs: readonly SubTopologyStore[], options: TaskStoresOptions) {
    this.applicationId = options.applicationId;
    this.taskId = options.taskId;
    this.partition = options.partition;
    this.stateDirectory = options.stateDirectory;
    this.disk = options.disk;
    this.clock = options.clock;
    this.metrics = options.metrics;
    this.log = options.log;
    if (options.cache !== undefined) this.cache = options.cache;
    this.#timestampMs = options.timestampMs;
    for (const spec of specs) {
      this.#stores.set(spec.builder.name, {
        store: spec.builder.build(options.cache !== undefined),
        changelogTopic: spec.changelogTopic,
        changelogIsSource: spec.changelogIsSource,
      });
    }
  }

  timestampMs(): number {
    return this.#timestampMs();
  }

  logChange(
    storeName: string,
    key: BinaryKey,
    value: Buffer | null,
    timestampMs: number | null,
    headers?: readonly Header[],
  ): void {
    if (!this.#isLogging) return;
    this.#changelogs.get(storeName)?.append(key, value, timestampMs, headers);
  }

  /** Everything is restored: changes are logged from now on, until `close`. */
  startLogging(collector: RecordCollector): void {
    for (const { store, changelogTopic, changelogIsSource } of this.#stores.values()) {
      if (changelogTopic === undefined || changelogIsSource) continue;
      this.#changelogs.set(store.name, collector.changelog(changelogTopic, this.partition));
    }
    this.#isLogging = true;
  }

  /** A store holds so many uncommitted writes that the task should not wait for its commit interval. */
  get wantsCommit(): boolean {
    for (const { store } of this.#stores.values()) if (store.wantsCommit === true) return true;
    return false;
  }

  /** A store of this task; undefined where it has none of this name. */
  get(name: string): StateStore | undefined {
    return this.#stores.get(name)?.store;
  }

  /** In the topology's order. */
  all(): Iterable<TaskStore> {
    return this.#stores.values();
  }

  /** Some of it is on the disk. */
  get hasPersistent(): boolean {
    for (const { store } of this.#stores.values()) if (store.persistent) return true;
    return false;
  }

  /** Opens the stores that are not open, and takes over how far each has been restored before. */
  open(): void {
    if (this.hasPersistent) this.disk.makeFolderSync(this.stateDirectory);
    for (const { store } of this.#stores.values()) {
      if (!store.isOpen) store.open(this);
      if (store.restoredOffset !== undefined) this.#positions.set(store.name, store.restoredOffset);
    }
  }

  /** First offset of each changelog that its store doesn't hold, where that is known. */
  changelogOffsets(): ReadonlyMap<TopicPartitionKey, number> {
    const offsets = new Map<TopicPartitionKey, number>();
    for (const { store, changelogTopic } of this.#stores.values()) {
      const position = this.#positions.get(store.name);
      if (changelogTopic === undefined || position === undefined) continue;
      offsets.set(topicPartitionKey(changelogTopic, this.partition), position);
    }
    return offsets;
  }

  /** Where restoring goes on; undefined: from the beginning. */
  position(storeName: string): number | undefined {
    return this.#positions.get(storeName);
  }

  /** Applies a batch of a changelog to its store; `nextOffset` is where restoring goes on. */
  restore(store: StateStore, batch: RecordBatch, nextOffset: number): void {
    store.restore(batch, nextOffset);
    this.#positions.set(store.name, nextOffset);
  }

  /** After control records at the end of a changelog, or when it is empty. */
  advance(store: StateStore, nextOffset: number): void {
    this.#positions.set(store.name, nextOffset);
  }

  /** Removes what a store holds, so that it is restored from the beginning. */
  wipe(entry: TaskStore): void {
    const { store } = entry;
    if (store.isOpen) store.close();
    store.wipe();
    this.#positions.delete(store.name);
    store.open(this);
  }

  /** Hands cached writes on, before the outputs of a commit are flushed. */
  flush(): void {
    for (const { store } of this.#stores.values()) store.flush();
    // What was flushed may have been put into a store that came before.
    while (this.#isDirty) for (const { store } of this.#stores.values()) store.flush();
  }

  get #isDirty(): boolean {
    for (const { store } of this.#stores.values()) if (store.isDirty === true) return true;
    return false;
  }

  /** What was committed is not yet all durable here: a clean close commits once more. */
  get hasDeferred(): boolean {
    return this.#hasDeferred;
  }

  /**
   * After the outputs were acknowledged: `ackedEnd` tells the changelog's end as far as this producer wrote it. `final` makes
   * everything durable now. `consumedEnd` tells how far a source topic that serves as changelog was committed.
   */
  commit(
    ackedEnd: (topic: string, partition: number) => number | undefined,
    final = false,
    consumedEnd: (topic: string, partition: number) => number | undefined = () => undefined,
  ): void {
    const nowMs = this.clock.monotonicMs();
    const due = final || nowMs - this.#lastDurableMs >= DURABLE_INTERVAL_MS || this.wantsCommit;
    if (due) this.#lastDurableMs = nowMs;
    this.#hasDeferred = !due;
    for (const { store, changelogTopic, changelogIsSource } of this.#stores.values()) {
      if (changelogTopic !== undefined) {
        const end = (changelogIsSource ? consumedEnd : ackedEnd)(changelogTopic, this.partition);
        if (end !== undefined && end > (this.#positions.get(store.name) ?? 0)) this.#positions.set(store.name, end);
      }
      if (due || changelogTopic === undefined) store.commit(this.#positions.get(store.name));
    }
  }

  /** Closes all stores; the first error is thrown after all were closed. */
  close(): void {
    this.#isLogging = false;
    const failures: unknown[] = [];
    for (const { store } of this.#stores.values()) {
      try {
        if (store.isOpen) store.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Removes all durable data; the stores must be closed. */
  wipeAll(): void {
    for (const { store } of this.#stores.values()) store.wipe();
    this.#positions.clear();
  }
}
