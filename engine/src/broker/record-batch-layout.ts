import { crc32c } from '@node-rs/crc32';
import { writeInt64 } from '../base/int64.ts';

/** Byte positions of a RecordBatch v2, and what its attribute bits mean. */
export const layout = {
  /** Int64: offset of the first record; written by the broker. */
  baseOffset: 0,
  /** Int32: bytes after this field. */
  batchLength: 8,
  /** Int32, written by the broker. */
  partitionLeaderEpoch: 12,
  /** Int8: version of the format, 2. */
  magic: 16,
  /** Uint32: CRC32C of everything after it. */
  crc: 17,
  /** Int16: codec, kind of timestamps, transaction. */
  attributes: 21,
  /** Int32: offset of the last record less that of the first. */
  lastOffsetDelta: 23,
  /** Int64: timestamp that those of the records are counted from, epoch ms. */
  baseTimestamp: 27,
  /** Int64: the highest timestamp, epoch ms. */
  maxTimestamp: 35,
  /** Int64; -1 without idempotence. */
  producerId: 43,
  /** Int16; -1 without idempotence. */
  producerEpoch: 51,
  /** Int32: sequence of the first record; -1 without idempotence. */
  baseSequence: 53,
  /** Int32: number of records. */
  recordCount: 57,
  /** Where the records begin, compressed or not. */
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
