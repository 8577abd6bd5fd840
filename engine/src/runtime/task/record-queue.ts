import { DeserializationError } from '../../base/errors.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { QueueOrder } from './queue-order.ts';

/** Timestamp of "nothing processed yet", as in Kafka Streams. */
export const UNKNOWN_TIMESTAMP = -1;

/** What the queue asks of its owner about a head record. */
export interface HeadInspector {
  /**
   * Event time of row `row`; negative drops the record (counted). Throws a {@link DeserializationError} for a record whose
   * timestamp can't be told because it can't be decoded.
   */
  timestampOf(batch: RecordBatch, row: number, partitionTimeMs: number): number;
  /** A record that will not be processed: a negative timestamp or an undecodable one that the handler let pass. */
  skipped(batch: RecordBatch, row: number, error: Error | undefined): void;
}

/**
 * The buffered records of one source partition: rows of fetched batches, in log order. No object exists per record.
 *
 * Owns: the batches until their last row was taken, then releases them. Called by: PartitionGroup, StreamTask.
 * Invariants: I1 `size` is the number of rows not yet taken; I2 while `size > 0` the head's timestamp is known and not negative;
 * I3 `nextOffset` never goes back but by `reset`.
 */
export class RecordQueue {
  readonly topic: string;
  readonly partition: number;
  /** Topic and partition as one key. */
  readonly key: string;
  /** Place in its partition group. */
  index = 0;
  /** Where the group keeps the queues that hold records. */
  order: QueueOrder | undefined;
  #batches: RecordBatch[] = [];
  #inspector: HeadInspector | undefined;
  /** Batch of the last taken record; released when the next one is taken from another batch. */
  #spent: RecordBatch | undefined;
  #fetchedOffset: number;
  /** Head row: valid while `size > 0`. */
  headBatch: RecordBatch | undefined;
  /** Row of the head in its batch. */
  headRow = 0;
  /** Event time of the head, epoch ms: what the order between partitions goes by. */
  headTimestampMs = UNKNOWN_TIMESTAMP;
  /** Rows buffered, the head included. */
  size = 0;
  /** Highest timestamp taken from this partition. */
  partitionTimeMs = UNKNOWN_TIMESTAMP;

  /** Without an inspector the records' own timestamps are used and a negative one is dropped. */
  constructor(topic: string, partition: number, key: string, startOffset: number, inspector?: HeadInspector) {
    this.topic = topic;
    this.partition = partition;
    this.key = key;
    this.#fetchedOffset = startOffset;
    this.#inspector = inspector;
  }

  /** Starts over at `offset` with an empty queue. */
  reset(offset: number, partitionTimeMs: number): void {
    this.clear();
    this.#fetchedOffset = offset;
    this.partitionTimeMs = partitionTimeMs;
  }

  /** Appends a fetched batch and takes over its ownership. */
  add(batch: RecordBatch): void {
    if (batch.count === 0) {
      batch.release();
      return;
    }
    this.size += batch.count;
    if (this.headBatch === undefined) {
      this.headBatch = batch;
      this.headRow = 0;
      this.#settleHead();
      if (this.size > 0) this.order?.add(this);
    } else {
      this.#batches.push(batch);
    }
  }

  /** The consumer's position after everything that was added, control records included. */
  advanceFetched(nextOffset: number): void {
    if (nextOffset > this.#fetchedOffset) this.#fetchedOffset = nextOffset;
  }

  /** The consumer's position as far as this queue knows. */
  get fetchedOffset(): number {
    return this.#fetchedOffset;
  }

  /** Offset of the first record that was not taken: what a commit may say when nothing is pending. */
  get nextOffset(): number {
    const batch = this.headBatch;
    return batch === undefined ? this.#fetchedOffset : (batch.offsets[this.headRow] as number);
  }

  /**
   * Moves past the head. The taken row stays readable until the next `take` or `releaseSpent`: the caller reads
   * `headBatch`/`headRow` first.
   */
  take(): void {
    const batch = this.headBatch as RecordBatch;
    if (this.headTimestampMs > this.partitionTimeMs) this.partitionTimeMs = this.headTimestampMs;
    if (this.#spent !== batch) {
      this.#spent?.release();
      this.#spent = batch;
    }
    this.size -= 1;
    this.#advance(batch);
    this.#settleHead();
  }

  /** Gives the last batch back when all its rows were processed. */
  releaseSpent(): void {
    if (this.#spent !== undefined && this.#spent !== this.headBatch) {
      this.#spent.release();
      this.#spent = undefined;
    }
  }

  /** Drops everything and releases the batches; the position stays. */
  clear(): void {
    this.#spent?.release();
    if (this.headBatch !== this.#spent) this.headBatch?.release();
    for (const batch of this.#batches) batch.release();
    this.#spent = undefined;
    this.headBatch = undefined;
    this.#batches = [];
    this.size = 0;
    this.headTimestampMs = UNKNOWN_TIMESTAMP;
    this.order?.remove(this);
  }

  #advance(batch: RecordBatch): void {
    this.headRow += 1;
    if (this.headRow < batch.count) return;
    this.headBatch = this.#batches.shift();
    this.headRow = 0;
  }

  /** Computes the head's timestamp, skipping rows that have none. */
  #settleHead(): void {
    for (;;) {
      const batch = this.headBatch;
      if (batch === undefined) {
        this.headTimestampMs = UNKNOWN_TIMESTAMP;
        return;
      }
      const inspector = this.#inspector;
      let timestampMs = batch.timestamps[this.headRow] as number;
      let failure: Error | undefined;
      if (inspector !== undefined) {
        try {
          timestampMs = inspector.timestampOf(batch, this.headRow, this.partitionTimeMs);
        } catch (error) {
          // What an extractor throws ends the task, as in Kafka Streams, whatever the handler says of records that can't be decoded.
          if (!(error instanceof DeserializationError)) throw error;
          failure = error;
          timestampMs = UNKNOWN_TIMESTAMP;
        }
      }
      if (timestampMs >= 0) {
        this.headTimestampMs = timestampMs;
        return;
      }
      inspector?.skipped(batch, this.headRow, failure);
      this.size -= 1;
      this.#advance(batch);
      if (this.headBatch !== batch && this.#spent !== batch) batch.release();
    }
  }
}
