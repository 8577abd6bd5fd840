/**
 * The unit of the record path: records of one partition as columns over the bytes they were fetched in. No object exists
 * per record; record `i` is a row of the columns. Key and value are slices `[start, end)` of `buffer`; `start` is -1 for null.
 *
 * A batch may be shared by nobody: whoever holds it last calls {@link RecordBatch.release}, after which `buffer` may be
 * overwritten. Code that keeps a key or value longer than the synchronous processing of its record copies it.
 */
export interface RecordBatch {
  /** Topic that the records belong to. */
  readonly topic: string;
  /** Partition that the records belong to: a batch never spans two. */
  readonly partition: number;
  /** Rows that are in use; the columns may be longer. */
  readonly count: number;
  /** The bytes that the columns point into; no longer valid after `release`. */
  readonly buffer: Buffer;
  /** Absolute log offsets, ascending, with gaps where the log was compacted or transactions were aborted. */
  readonly offsets: Float64Array;
  /** Epoch milliseconds; -1 where the record carries none. */
  readonly timestamps: Float64Array;
  /** Where each row's key begins in `buffer`; -1 for a null key. */
  readonly keyStarts: Int32Array;
  /** First byte after each row's key. */
  readonly keyEnds: Int32Array;
  /** Where each row's value begins in `buffer`; -1 for null (a tombstone). */
  readonly valueStarts: Int32Array;
  /** First byte after each row's value. */
  readonly valueEnds: Int32Array;
  /** Where the encoded headers begin (their varint count first); -1 when a record has none. */
  readonly headerStarts: Int32Array;
  /** First byte after each row's headers. */
  readonly headerEnds: Int32Array;
  /** Gives a pooled buffer back. Idempotent. */
  release(): void;
}

/** A record header. Kafka allows several of one key; order is kept. */
export interface Header {
  /** Name of the header, UTF-8. */
  readonly key: string;
  /** Its bytes; null is allowed and is not the same as empty. */
  readonly value: Buffer | null;
}

/** One partition of a topic. */
export interface TopicPartition {
  /** Full name, of internal topics with the application id. */
  readonly topic: string;
  /** Number of the partition, from 0. */
  readonly partition: number;
}

/** `topic-partition`, as Kafka prints it; the key of every map by partition in the engine. */
export type TopicPartitionKey = string;

/** Makes the {@link TopicPartitionKey} of a partition. */
export function topicPartitionKey(topic: string, partition: number): TopicPartitionKey {
  return `${topic}-${partition}`;
}
