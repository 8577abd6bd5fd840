import type { TopicPartition, TopicPartitionKey } from '../../../base/record-batch.ts';
import { topicPartitionKey } from '../../../base/record-batch.ts';
import type { AbortedTransaction } from '../../aborted-producers.ts';
import type { SharedBuffer } from '../../buffer-pool.ts';

/** What one fetch brought for one partition, not decoded yet; or why it brought nothing. */
export interface QueuedFetch {
  readonly shared: SharedBuffer | undefined;
  readonly start: number;
  readonly end: number;
  readonly fromOffset: number;
  readonly nextOffset: number;
  readonly endOffset: number;
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined;
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
  readonly key: TopicPartitionKey;
  /** Offset of the next record to hand over; -1: unknown, not fetched. */
  position = -1;
  /** Offset of the next record to ask for. */
  fetchOffset = -1;
  epoch = 0;
  isPaused = false;
  /** An error was handed over or queued; nothing is fetched until the next seek. */
  hasFailed = false;
  isInFlight = false;
  endOffset: number | undefined;
  /** Monotonic time before which it isn't asked again. */
  retryAtMs = 0;
  failures = 0;
  /** Since when the broker says that there is no such topic. */
  unknownSinceMs: number | undefined;
  readonly queue: QueuedFetch[] = [];

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.key = topicPartitionKey(topic, partition);
  }

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
    this.epoch++;
    this.isInFlight = false;
    for (const { shared } of this.queue.splice(0)) shared?.release();
  }

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
