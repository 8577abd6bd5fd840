import { crc32c } from '@node-rs/crc32';
import { writeInt64 } from '../base/int64.ts';

/** Byte positions of a RecordBatch v2, and what its attribute bits mean. */
export const layout = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** `batchLength` counts what follows it. */
export const LENGTH_OVERHEAD = 12;
/** Attribute bits that hold the codec. */
export const COMPRESSION_MASK = 0x07;
/** The broker gave the timestamps: all records have the batch's highest. */
export const LOG_APPEND_TIME_BIT = 0x08;
/** The batch belongs to a transaction, which may be aborted. */
export const TRANSACTIONAL_BIT = 0x10;
/** The batch is a marker of a transaction's end and holds no records of users. */
export const CONTROL_BIT = 0x20;

/** What an idempotent producer adds to a finished batch when it sends it, and seals with the checksum. */
export function stampProducer(batch: Buffer, producerId: number, producerEpoch: number, baseSequence: number): void {
  writeInt64(batch, producerId, layout.producerId);
  batch.writeInt16BE(producerEpoch, layout.producerEpoch);
  batch.writeInt32BE(baseSequence, layout.baseSequence);
  sealBatch(batch);
}

/** Computes and writes the CRC32C over everything after it. */
export function sealBatch(batch: Buffer): void {
  batch.writeUInt32BE(crc32c(batch.subarray(layout.attributes)) >>> 0, layout.crc);
}
