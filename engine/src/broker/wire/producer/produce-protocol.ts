import { answeredCode } from '../../kafka-errors.ts';
import { ProtocolReader, ProtocolWriter } from '../connection/protocol-io.ts';
import type { WireResponse } from '../connection/transport.ts';

/** Kafka's number of the Produce request. */
export const PRODUCE_API_KEY = 0;
/** 9 is the first flexible version; from 12 on a transactional producer behaves differently (KIP-890). */
export const PRODUCE_VERSIONS = { min: 9, max: 11 } as const;

const ACKS_ALL = -1;

/** The batch of one partition in a Produce request. */
export interface ProduceRequestPartition {
  /** Number within its topic. */
  readonly partition: number;
  /** The sealed RecordBatch. */
  readonly bytes: Buffer;
}

/** Encodes a Produce with acks=all as a list of buffers: the batches themselves are not copied. */
export function encodeProduceRequest(
  topics: ReadonlyMap<string, readonly ProduceRequestPartition[]>,
  timeoutMs: number,
): Buffer[] {
  const chunks: Buffer[] = [];
  const writer = new ProtocolWriter();
  writer.compactString(null).int16(ACKS_ALL).int32(timeoutMs).compactArrayLength(topics.size);
  for (const [topic, partitions] of topics) {
    writer.compactString(topic).compactArrayLength(partitions.length);
    for (const { partition, bytes } of partitions) {
      writer.int32(partition).unsignedVarint(bytes.length + 1);
      chunks.push(writer.take(), bytes);
      writer.noTaggedFields();
    }
    writer.noTaggedFields();
  }
  writer.noTaggedFields();
  chunks.push(writer.take());
  return chunks;
}

/** What a broker answered about one partition's batch. */
export interface ProduceResponsePartition {
  /** The topic's name; this request has no ids. */
  readonly topic: string;
  /** Number within its topic. */
  readonly partition: number;
  /** Kafka's error code, 0 for none. */
  readonly errorCode: number;
  /** The broker's own words, or those about the first record that it refused; null: none. */
  readonly errorMessage: string | null;
  /** Offset of the batch's first record; -1: not told. */
  readonly baseOffset: number;
  /** First offset that the log still has; -1: not told. */
  readonly logStartOffset: number;
}

/** Reads what a broker answered, partition by partition. */
export function decodeProduceResponse(response: WireResponse): readonly ProduceResponsePartition[] {
  const reader = new ProtocolReader(response.shared.buffer, response.start, response.end, 'Produce');
  const partitions: ProduceResponsePartition[] = [];
  for (let topics = reader.compactLength(); topics > 0; topics -= 1) {
    const topic = reader.compactString() ?? '';
    for (let count = reader.compactLength(); count > 0; count -= 1) partitions.push(decodePartition(reader, topic));
    reader.skipTaggedFields();
  }
  return partitions;
}

function decodePartition(reader: ProtocolReader, topic: string): ProduceResponsePartition {
  const partition = reader.int32();
  const errorCode = answeredCode(reader.int16());
  const baseOffset = reader.int64();
  reader.int64();
  const logStartOffset = reader.int64();
  let firstRecordError: string | null = null;
  for (let count = reader.compactLength(); count > 0; count -= 1) {
    reader.int32();
    const message = reader.compactString();
    firstRecordError ??= message;
    reader.skipTaggedFields();
  }
  const errorMessage = reader.compactString() ?? firstRecordError;
  reader.skipTaggedFields();
  return { topic, partition, errorCode, errorMessage, baseOffset, logStartOffset };
}
