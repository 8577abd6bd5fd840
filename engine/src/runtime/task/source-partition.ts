import { StreamsError } from '../../base/errors.ts';
import { type RecordBatch, type TopicPartition, topicPartitionKey } from '../../base/record-batch.ts';
import type { SourceTaskNode } from '../nodes/task-nodes.ts';
import { PendingOffsets } from './pending-offsets.ts';
import { type HeadInspector, RecordQueue } from './record-queue.ts';

/**
 * One source partition of a task: its queue, its source node, and which of its records are unfinished.
 *
 * Called by: StreamTask. Invariants: I1 `committableOffset` never passes a held record.
 */
export class SourcePartition implements HeadInspector, TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** Topic and partition as one key. */
  readonly key: string;
  /** The source that its records enter by. */
  readonly node: SourceTaskNode;
  /** What was fetched and not processed. */
  readonly queue: RecordQueue;
  /** Records that asynchronous operators hold. */
  readonly pending = new PendingOffsets();
  readonly #systemTimeMs: () => number;
  readonly #skipped: (batch: RecordBatch, row: number, error: Error | undefined) => void;
  readonly #moved: () => void;

  /** `moved`: there is more to commit, though no record came. */
  constructor(
    topic: string,
    partition: number,
    node: SourceTaskNode,
    skipped: (batch: RecordBatch, row: number, error: Error | undefined) => void,
    systemTimeMs: () => number,
    moved: () => void,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.key = topicPartitionKey(topic, partition);
    this.node = node;
    this.#skipped = skipped;
    this.#systemTimeMs = systemTimeMs;
    this.#moved = moved;
    this.queue = new RecordQueue(topic, partition, this.key, -1, this);
  }

  /** Goes on at `offset`. */
  begin(offset: number, partitionTimeMs: number): void {
    this.pending.clear();
    this.queue.reset(offset, partitionTimeMs);
  }

  /**
   * Fetching goes on at `offset` because the position lay outside the log. A log that begins anew behind what was fetched has
   * nothing of what is buffered here, and positions of the old one must not be committed.
   */
  moveTo(offset: number): void {
    if (offset >= this.queue.fetchedOffset) this.queue.advanceFetched(offset);
    else this.begin(offset, this.queue.partitionTimeMs);
  }

  /**
   * Everything up to `nextOffset` was fetched. Logs end in transaction markers, aborted records and gaps of compaction, which no record
   * tells of: they are committed like what was processed, or tools would see a lag for ever.
   */
  fetchedUpTo(nextOffset: number): void {
    const { queue } = this;
    if (nextOffset <= queue.fetchedOffset) return;
    queue.advanceFetched(nextOffset);
    if (queue.size === 0) this.#moved();
  }

  /** Lowest offset that is not finished; -1 before a position is known. */
  get committableOffset(): number {
    return this.pending.lowest ?? this.queue.nextOffset;
  }

  timestampOf(batch: RecordBatch, row: number, partitionTimeMs: number): number {
    const extractor = this.node.spec.timestampExtractor;
    if (extractor === undefined) {
      const timestampMs = batch.timestamps[row] as number;
      if (timestampMs < 0) throw invalidTimestamp(batch, row);
      return timestampMs;
    }
    const metadata = { topic: batch.topic, partition: batch.partition, offset: batch.offsets[row] as number };
    const record = this.node.headView(batch, row);
    return Math.floor(extractor.extract(record, metadata, partitionTimeMs, this.#systemTimeMs()));
  }

  skipped(batch: RecordBatch, row: number, error: Error | undefined): void {
    this.#skipped(batch, row, error);
  }
}

function invalidTimestamp(batch: RecordBatch, row: number): StreamsError {
  const at = `${batch.topic}-${batch.partition}@${batch.offsets[row]}`;
  return new StreamsError(
    `The record at ${at} has a negative timestamp; give the source a timestampExtractor that finds a time or skips it`,
    { code: 'INVALID_TIMESTAMP', recovery: 'fail' },
  );
}
