/**
 * The unit of the record path: records of one partition as columns over the bytes they were fetched in. No object exists
 * per record; record `i` is a row of the columns. Key and value are slices `[start, end)` of `buffer`; `start` is -1 for null.
 *
 * A batch may be shared by nobody: whoever holds it last calls {@link RecordBatch.release}, after which `buffer` may be
 * overwritten. Code that keeps a key or value longer than the synchronous processing of its record copies it.
 */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** Rows that are in use; the columns may be longer. */
  readonly count: number;
  readonly buffer: Buffer;
  /** Absolute log offsets, ascending, with gaps where the log was compacted or transactions were aborted. */
  readonly offsets: Float64Array;
  /** Epoch milliseconds; -1 where the record carries none. */
  readonly timestamps: Float64Array;
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  /** Where the encoded headers begin (their varint count first); -1 when a record has none. */
  readonly headerStarts: Int32Array;
  readonly headerEnds: Int32Array;
  /** Gives a pooled buffer back. Idempotent. */
  release(): void;
}

/** A record header. Kafka allows several of one key; order is kept. */
export interface Header {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic-partition`, as Kafka prints it; the key of every map by partition in the engine. */
export type TopicPartitionKey = string;

export function topicPartitionKey(topic: string, partition: number): TopicPartitionKey {
  return `${topic}-${partition}`;
}
