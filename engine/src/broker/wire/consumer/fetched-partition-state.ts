import type { TopicPartition, TopicPartitionKey } from '../../../base/record-batch.ts';
import { topicPartitionKey } from '../../../base/record-batch.ts';
import type { AbortedTransaction } from '../../aborted-producers.ts';
import type { SharedBuffer } from '../../buffer-pool.ts';

/** What one fetch brought for one partition, not decoded yet; or why it brought nothing. */
export interface QueuedFetch {
  /** Holds the records, and is released when they were decoded; undefined with an error. */
  readonly shared: SharedBuffer | undefined;
  /** Where the batches begin in the buffer. */
  readonly start: number;
  /** Where they end, exclusive. */
  readonly end: number;
  /** Offset that was asked for: records before it are skipped. */
  readonly fromOffset: number;
  /** Offset after the last complete batch. */
  readonly nextOffset: number;
  /** Where the log ended for this reader when the broker answered. */
  readonly endOffset: number;
  /** Transactions among the records that were aborted. */
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined;
  /** Why nothing came; undefined where something did. */
  readonly error: Error | undefined;
}

/**
 * One assigned partition of a wire consumer.
 *
 * Owns: its two positions and what has arrived and was not taken. Called by: {@link WireConsumer}.
 * Invariants: I1 `position` ≤ `fetchOffset`, and the queue holds exactly what lies between; I2 an answer counts only while its
 * `epoch` is the partition's: every seek begins a new one.
 */
export class FetchedPartitionState implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Topic and partition as one key. */
  readonly key: TopicPartitionKey;
  /** Offset of the next record to hand over; -1: unknown, not fetched. */
  position = -1;
  /** Offset of the next record to ask for. */
  fetchOffset = -1;
  /** Goes up with each seek: what was asked for before is not wanted any more. */
  epoch = 0;
  /** The caller wants no records at present; what has arrived stays. */
  isPaused = false;
  /** An error was handed over or queued; nothing is fetched until the next seek. */
  hasFailed = false;
  /** A fetch that asks for it has not been answered. */
  isInFlight = false;
  /** Where the log ended as of the last answer; undefined before the first. */
  endOffset: number | undefined;
  /** Monotonic time before which it isn't asked again. */
  retryAtMs = 0;
  /** Failed fetches in a row. */
  failures = 0;
  /** Since when the broker says that there is no such topic. */
  unknownSinceMs: number | undefined;
  /** What has arrived and was not taken, oldest first. */
  readonly queue: QueuedFetch[] = [];

  /** Without a position: `moveTo` gives it one. */
  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.key = topicPartitionKey(topic, partition);
  }

  /** Goes on from `offset`; what has arrived or is in flight is dropped. */
  moveTo(offset: number): void {
    this.drop();
    this.position = offset;
    this.fetchOffset = offset;
    this.hasFailed = false;
    this.retryAtMs = 0;
    this.failures = 0;
    this.unknownSinceMs = undefined;
  }

  /** Forgets what has arrived and what is in flight. */
  drop(): void {
    this.epoch += 1;
    this.isInFlight = false;
    for (const { shared } of this.queue.splice(0)) shared?.release();
  }

  /** Lets the caller see the error after what has arrived before it. */
  fail(error: Error): void {
    this.hasFailed = true;
    this.queue.push({
      shared: undefined,
      start: 0,
      end: 0,
      fromOffset: this.fetchOffset,
      nextOffset: this.fetchOffset,
      endOffset: this.endOffset ?? -1,
      abortedTransactions: undefined,
      error,
    });
  }
}
