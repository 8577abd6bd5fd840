import {
  type RecordBatch,
  type TopicPartition,
  type TopicPartitionKey,
  topicPartitionKey,
} from '../../base/record-batch.ts';
import type { PartitionTask } from '../task/task.ts';
import type { TaskStore } from '../task/task-stores.ts';

/**
 * Kafka forgets tombstones a day after compaction (`delete.retention.ms`). Local state that missed them would keep deleted keys for
 * ever, so what is older is restored whole; the difference is for the hours that a restore may take.
 */
const STALE_AFTER_MS = 20 * 60 * 60 * 1_000;

/** What restoring asks of a task. */
export type RestoredTask = Pick<PartitionTask, 'taskId' | 'stores'>;

/** Where a changelog begins and ends, and how far the group has committed it where it is a source topic. */
export interface ChangelogEnds {
  /** The oldest record that there is. */
  readonly beginningOffset: number;
  /** Where the next record goes. */
  readonly endOffset: number;
  /** Undefined: nothing was committed, or it is no source topic. */
  readonly committedOffset: number | undefined;
}

/**
 * One changelog partition on its way into its store.
 *
 * Owns: how far this store is to go. Called by: ChangelogReader.
 * Invariants: I1 `position` is the first offset that the store doesn't hold, control records and compacted ones counted; I2 of
 * a source topic that serves as changelog no record from `limitOffset` on reaches the store: it is still to be processed.
 */
export class RestoringChangelog implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Topic and partition as one key. */
  readonly key: TopicPartitionKey;
  /** The task whose store it is. */
  readonly task: RestoredTask;
  /** The store and its changelog, as the task has them. */
  readonly entry: TaskStore;
  /** Where restoring ends: the end of the log when it began. Later records of an active task are its own. */
  endOffset = 0;
  /** Where a source topic that serves as changelog was committed; Infinity for other changelogs. */
  limitOffset = Number.POSITIVE_INFINITY;
  /** Records that went into the store. */
  restored = 0;
  /** The store has reached `endOffset`. */
  isRestored = false;
  /** Left out of fetches for the moment. */
  isPaused = false;
  /** What the store holds is what the log holds before `position`; false after it threw in the middle of a batch. */
  isSound = true;

  /** Where it is read from and to, `begin` says. */
  constructor(topic: string, task: RestoredTask, entry: TaskStore) {
    this.topic = topic;
    this.partition = task.stores.partition;
    this.key = topicPartitionKey(topic, this.partition);
    this.task = task;
    this.entry = entry;
  }

  /** Sets where it is read from and to. A store that does not fit its changelog, or is too old, is wiped. */
  begin({ beginningOffset, endOffset, committedOffset }: ChangelogEnds, nowMs: number): void {
    const { stores } = this.task;
    const { changelogIsSource, store } = this.entry;
    if (changelogIsSource) this.limitOffset = committedOffset ?? beginningOffset;
    this.endOffset = Math.min(endOffset, this.limitOffset);
    const position = stores.position(store.name);
    if (position !== undefined) {
      const ageMs = store.lastDurableMs === undefined ? 0 : nowMs - store.lastDurableMs;
      const isStale = position < this.endOffset && ageMs > STALE_AFTER_MS;
      if (isStale || position > this.endOffset || position < beginningOffset) this.wipe();
    }
    stores.advance(store, stores.position(store.name) ?? beginningOffset);
    this.isRestored = this.position >= this.endOffset;
  }

  /** The first offset that the store does not hold. */
  get position(): number {
    return this.task.stores.position(this.entry.store.name) ?? 0;
  }

  /** Records that are missing until it is restored; those that were compacted away count, too. */
  get remaining(): number {
    return Math.max(0, this.endOffset - this.position);
  }

  /** Nothing more may be read before the limit is raised. */
  get isAtLimit(): boolean {
    return this.position >= this.limitOffset;
  }

  /** How many rows of the batch belong into the store. */
  rowsOf(batch: RecordBatch): number {
    let { count } = batch;
    while (count > 0 && (batch.offsets[count - 1] as number) >= this.limitOffset) count -= 1;
    return count;
  }

  /** Rows `[from, to)` go into the store. */
  apply(batch: RecordBatch, from: number, to: number): void {
    const { stores } = this.task;
    this.isSound = false;
    stores.restore(this.entry.store, rowsBetween(batch, from, to), (batch.offsets[to - 1] as number) + 1);
    this.isSound = true;
    this.restored += to - from;
  }

  /** All before this offset was read. */
  advance(nextOffset: number): void {
    this.task.stores.advance(this.entry.store, Math.min(nextOffset, this.limitOffset));
  }

  /** Forgets what the store holds: it is restored from the beginning of the log. */
  wipe(): void {
    this.task.stores.wipe(this.entry);
    this.isSound = true;
  }

  /** Makes what was restored durable, so that it is not restored again. */
  commit(): void {
    const { store } = this.entry;
    if (this.isSound && store.isOpen) store.commit(this.position);
  }
}

/** Rows `[from, to)` as a batch of their own over the same bytes. Whoever owns the whole one releases it. */
function rowsBetween(batch: RecordBatch, from: number, to: number): RecordBatch {
  if (from === 0 && to === batch.count) return batch;
  return {
    topic: batch.topic,
    partition: batch.partition,
    count: to - from,
    buffer: batch.buffer,
    offsets: batch.offsets.subarray(from, to),
    timestamps: batch.timestamps.subarray(from, to),
    keyStarts: batch.keyStarts.subarray(from, to),
    keyEnds: batch.keyEnds.subarray(from, to),
    valueStarts: batch.valueStarts.subarray(from, to),
    valueEnds: batch.valueEnds.subarray(from, to),
    headerStarts: batch.headerStarts.subarray(from, to),
    headerEnds: batch.headerEnds.subarray(from, to),
    release() {},
  };
}
