import type { AbortedTransaction } from '../../aborted-producers.ts';
import { answeredCode } from '../../kafka-errors.ts';
import { ProtocolReader, ProtocolWriter } from '../connection/protocol-io.ts';
import type { WireResponse } from '../connection/transport.ts';

/** Kafka's number of the Fetch request. */
export const FETCH_API_KEY = 1;
/** From 13 on topics go by id; 17 is the newest whose format this client writes. */
export const FETCH_VERSIONS = { min: 13, max: 17 } as const;

const REPLICA_ID_OF_CONSUMERS = -1;
const NO_SESSION_EPOCH = -1;

/** One partition of a Fetch request. */
export interface FetchRequestPartition {
  /** Number within its topic. */
  readonly partition: number;
  /** Epoch in which the leader is believed to be one; -1: unknown. */
  readonly leaderEpoch: number;
  /** First offset that is wanted. */
  readonly fetchOffset: number;
}

/** What a Fetch asks of one broker. */
export interface FetchRequest {
  /** Within {@link FETCH_VERSIONS}. */
  readonly version: number;
  /** How long the broker may wait for a first byte. */
  readonly waitMs: number;
  /** Upper bound of the answer. */
  readonly bytesMax: number;
  /** Upper bound of each partition's share. */
  readonly partitionBytesMax: number;
  /** Leaves out what is not yet committed, and names aborted transactions. */
  readonly readCommitted: boolean;
  /** By topic id. */
  readonly topics: ReadonlyMap<string, readonly FetchRequestPartition[]>;
}

/** Encodes a sessionless Fetch. */
export function encodeFetchRequest(request: FetchRequest): Buffer {
  const writer = new ProtocolWriter();
  if (request.version < 15) writer.int32(REPLICA_ID_OF_CONSUMERS);
  writer.int32(request.waitMs).int32(1).int32(request.bytesMax);
  writer.int8(request.readCommitted ? 1 : 0);
  writer.int32(0).int32(NO_SESSION_EPOCH);
  writer.compactArrayLength(request.topics.size);
  for (const [topicId, partitions] of request.topics) {
    writer.uuid(topicId).compactArrayLength(partitions.length);
    for (const { partition, leaderEpoch, fetchOffset } of partitions) {
      writer.int32(partition).int32(leaderEpoch).int64(fetchOffset);
      writer.int32(-1).int64(-1).int32(request.partitionBytesMax).noTaggedFields();
    }
    writer.noTaggedFields();
  }
  // No forgotten topics, no rack.
  writer.compactArrayLength(0).compactString('').noTaggedFields();
  return writer.take();
}

/** One partition of a Fetch answer; its records lie in `[recordsStart, recordsEnd)` of the answer's buffer. */
export interface FetchResponsePartition {
  /** UUID in text form. */
  readonly topicId: string;
  /** Number within its topic. */
  readonly partition: number;
  /** Kafka's error code, 0 for none. */
  readonly errorCode: number;
  /** Offset after the last record that all replicas in sync have. */
  readonly highWatermark: number;
  /** Offset up to which no transaction is open; where reading ends under read_committed. */
  readonly lastStableOffset: number;
  /** Under read_committed: transactions among these records that were aborted. */
  readonly abortedTransactions: readonly AbortedTransaction[] | undefined;
  /** Where the batches begin. */
  readonly recordsStart: number;
  /** Where they end, exclusive; the last one may be cut off. */
  readonly recordsEnd: number;
}

/** What a broker answered to a Fetch. */
export interface FetchResponse {
  /** Kafka's error code of the whole answer, 0 for none. */
  readonly errorCode: number;
  /** In the broker's order. */
  readonly partitions: readonly FetchResponsePartition[];
}

/** Decodes everything but the records. */
export function decodeFetchResponse(response: WireResponse): FetchResponse {
  const reader = new ProtocolReader(response.shared.buffer, response.start, response.end, 'Fetch');
  reader.int32();
  const errorCode = answeredCode(reader.int16());
  reader.int32();
  const partitions: FetchResponsePartition[] = [];
  for (let topics = reader.compactLength(); topics > 0; topics -= 1) {
    const topicId = reader.uuid();
    for (let count = reader.compactLength(); count > 0; count -= 1) partitions.push(decodePartition(reader, topicId));
    reader.skipTaggedFields();
  }
  return { errorCode, partitions };
}

function decodePartition(reader: ProtocolReader, topicId: string): FetchResponsePartition {
  const partition = reader.int32();
  const errorCode = answeredCode(reader.int16());
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  reader.int64();
  let abortedTransactions: AbortedTransaction[] | undefined;
  for (let count = reader.compactLength(); count > 0; count -= 1) {
    abortedTransactions ??= [];
    abortedTransactions.push({ producerId: reader.int64(), firstOffset: reader.int64() });
    reader.skipTaggedFields();
  }
  reader.int32();
  const recordsBytes = Math.max(0, reader.compactLength());
  const recordsStart = reader.skip(recordsBytes);
  reader.skipTaggedFields();
  return {
    topicId,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    abortedTransactions,
    recordsStart,
    recordsEnd: recordsStart + recordsBytes,
  };
}
