import { crc32c } from '@node-rs/crc32';
import { StreamsError } from '../base/errors.ts';
import { readInt64 } from '../base/int64.ts';
import type { RecordBatch } from '../base/record-batch.ts';
import { VarintCursor } from '../base/varint.ts';
import { AbortedProducers, type AbortedTransaction } from './aborted-producers.ts';
import { SharedBuffer } from './buffer-pool.ts';
import { COMPRESSION_BY_CODEC, decompress } from './compression.ts';
import {
  COMPRESSION_MASK,
  CONTROL_BIT,
  LENGTH_OVERHEAD,
  LOG_APPEND_TIME_BIT,
  layout,
  TRANSACTIONAL_BIT,
} from './record-batch-layout.ts';
import { ColumnPool, type RecordColumns } from './record-columns.ts';

/** What the reader must know of the blob it decodes. */
export interface DecodeRequest {
  /** Goes into the batches and into errors. */
  readonly topic: string;
  /** Goes into the batches and into errors. */
  readonly partition: number;
  /** Records before it are skipped: brokers answer with whole batches. */
  readonly fromOffset: number;
  /** Under read_committed: batches of these transactions are skipped. */
  readonly abortedTransactions?: readonly AbortedTransaction[] | undefined;
}

/** What a blob of records held. */
export interface DecodedRecords {
  /** In offset order; each is to be released by whoever is done with it. */
  readonly batches: readonly RecordBatch[];
  /** One past the last complete batch, also when its records were skipped; `fromOffset` when there was none. */
  readonly nextOffset: number;
}

/** The smallest record: length, attributes, two deltas, two lengths, header count. */
const RECORD_BYTES_MIN = 7;
const ABORT_MARKER = 0;
/** Where the record's key (version, type) lies inside a control batch with one-byte varints before it. */
const CONTROL_KEY_BYTES = 4;

/**
 * Finds where the next fetch starts, from the batch headers alone. Answers `fromOffset` when the blob holds no complete batch.
 */
export function scanNextOffset(buffer: Buffer, start: number, end: number, fromOffset: number): number {
  let nextOffset = fromOffset;
  let at = start;
  while (end - at >= layout.records) {
    const size = LENGTH_OVERHEAD + buffer.readInt32BE(at + layout.batchLength);
    if (size < layout.records || at + size > end) break;
    const last = readInt64(buffer, at) + buffer.readInt32BE(at + layout.lastOffsetDelta);
    if (last + 1 > nextOffset) nextOffset = last + 1;
    at += size;
  }
  return nextOffset;
}

/**
 * Decodes what a Fetch answer holds for one partition into columns: one batch for each run of uncompressed wire batches, which
 * stay in the fetched buffer, and one with a buffer of its own for each compressed one.
 *
 * Owns: pooled columns. Called by: consumers of both adapters.
 * Invariants: I1 whatever the bytes, it throws `CORRUPT_RECORD` or nothing; I2 columns and buffers of batches decoded before an
 * error are released; I3 offsets ascend.
 */
export class RecordBatchReader {
  readonly #columns = new ColumnPool();

  /** Decodes bytes `[start, end)`; a cut-off batch at the end is left out. Each batch holds `shared` until it is released. */
  decode(shared: SharedBuffer, start: number, end: number, request: DecodeRequest): DecodedRecords {
    const buffer = shared.buffer;
    const batches: DecodedRecordBatch[] = [];
    const aborted = new AbortedProducers(request.abortedTransactions);
    let nextOffset = request.fromOffset;
    let run: RunOfBatches | undefined;
    try {
      let at = start;
      while (end - at >= layout.records) {
        const size = LENGTH_OVERHEAD + buffer.readInt32BE(at + layout.batchLength);
        if (size < layout.records) throw corrupt(request, `a batch of ${size} bytes`);
        if (at + size > end) break;
        const header = readHeader(buffer, at, size, request);
        if (this.#isVisible(buffer, at, size, header, aborted)) {
          if (header.codec === 0) {
            run ??= { batchStarts: [], recordCount: 0 };
            run.batchStarts.push(at);
            run.recordCount += header.recordCount;
          } else {
            if (run !== undefined) this.#decodeRun(run, shared, request, batches);
            run = undefined;
            this.#decodeCompressed(buffer, at, size, header, request, batches);
          }
        }
        if (header.lastOffset + 1 > nextOffset) nextOffset = header.lastOffset + 1;
        at += size;
      }
      if (run !== undefined) this.#decodeRun(run, shared, request, batches);
    } catch (error) {
      for (const batch of batches) batch.release();
      throw error;
    }
    return { batches, nextOffset };
  }

  #isVisible(buffer: Buffer, at: number, size: number, header: BatchHeader, aborted: AbortedProducers): boolean {
    aborted.advance(header.lastOffset);
    if (header.isControl) {
      if (isAbortMarker(buffer, at, size)) aborted.ended(header.producerId);
      return false;
    }
    return header.recordCount > 0 && !(header.isTransactional && aborted.includes(header.producerId));
  }

  #decodeRun(run: RunOfBatches, shared: SharedBuffer, request: DecodeRequest, batches: DecodedRecordBatch[]): void {
    const buffer = shared.buffer;
    const columns = this.#columns.acquire(run.recordCount);
    try {
      let rows = 0;
      for (const at of run.batchStarts) {
        const size = LENGTH_OVERHEAD + buffer.readInt32BE(at + layout.batchLength);
        const header = readFixedHeader(buffer, at);
        rows = decodeRecords(buffer, at + layout.records, at + size, header, columns, rows, request);
      }
      if (rows === 0) {
        this.#columns.giveBack(columns);
        return;
      }
      shared.retain();
      batches.push(new DecodedRecordBatch(request, rows, buffer, columns, this.#columns, shared));
    } catch (error) {
      this.#columns.giveBack(columns);
      throw error;
    }
  }

  #decodeCompressed(
    buffer: Buffer,
    at: number,
    size: number,
    header: BatchHeader,
    request: DecodeRequest,
    batches: DecodedRecordBatch[],
  ): void {
    const compression = COMPRESSION_BY_CODEC[header.codec];
    if (compression === undefined || compression === 'none')
      throw corrupt(request, `compression codec ${header.codec}`);
    if (header.lastOffset < request.fromOffset) return;
    const records = decompress(buffer.subarray(at + layout.records, at + size), compression);
    if (header.recordCount * RECORD_BYTES_MIN > records.length) {
      throw corrupt(request, `${header.recordCount} records in ${records.length} bytes`);
    }
    const columns = this.#columns.acquire(header.recordCount);
    try {
      const rows = decodeRecords(records, 0, records.length, header, columns, 0, request);
      const shared = new SharedBuffer(records);
      batches.push(new DecodedRecordBatch(request, rows, records, columns, this.#columns, shared));
    } catch (error) {
      this.#columns.giveBack(columns);
      throw error;
    }
  }
}

interface RunOfBatches {
  readonly batchStarts: number[];
  recordCount: number;
}

interface BatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly codec: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly producerId: number;
  readonly recordCount: number;
  /** Added to each record's delta; with log append time, the time of all records. */
  readonly baseTimestampMs: number;
  readonly isLogAppendTime: boolean;
}

function readFixedHeader(buffer: Buffer, at: number): BatchHeader {
  const attributes = buffer.readInt16BE(at + layout.attributes);
  const baseOffset = readInt64(buffer, at + layout.baseOffset);
  const isLogAppendTime = (attributes & LOG_APPEND_TIME_BIT) !== 0;
  return {
    baseOffset,
    lastOffset: baseOffset + buffer.readInt32BE(at + layout.lastOffsetDelta),
    codec: attributes & COMPRESSION_MASK,
    isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    isControl: (attributes & CONTROL_BIT) !== 0,
    producerId: readInt64(buffer, at + layout.producerId),
    recordCount: buffer.readInt32BE(at + layout.recordCount),
    baseTimestampMs: readInt64(buffer, at + (isLogAppendTime ? layout.maxTimestamp : layout.baseTimestamp)),
    isLogAppendTime,
  };
}

function readHeader(buffer: Buffer, at: number, size: number, request: DecodeRequest): BatchHeader {
  const magic = buffer[at + layout.magic];
  if (magic !== 2) throw corrupt(request, `message format ${magic}; only format 2 is read`);
  const checksum = crc32c(buffer.subarray(at + layout.attributes, at + size)) >>> 0;
  if (checksum !== buffer.readUInt32BE(at + layout.crc)) throw corrupt(request, 'a wrong checksum');
  const header = readFixedHeader(buffer, at);
  const { recordCount, codec } = header;
  if (recordCount < 0 || (codec === 0 && recordCount * RECORD_BYTES_MIN > size - layout.records)) {
    throw corrupt(request, `${recordCount} records in ${size} bytes`);
  }
  return header;
}

/** Reads the records of one wire batch into rows from `row` on; answers the row after the last. */
function decodeRecords(
  buffer: Buffer,
  start: number,
  end: number,
  header: BatchHeader,
  columns: RecordColumns,
  row: number,
  request: DecodeRequest,
): number {
  const { offsets, timestamps, keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, headerEnds } = columns;
  const { baseOffset, baseTimestampMs, isLogAppendTime, recordCount } = header;
  const fromOffset = request.fromOffset;
  const cursor = new VarintCursor(buffer, start, end);
  let next = row;
  for (let index = 0; index < recordCount; index += 1) {
    const length = cursor.varint();
    const recordStart = cursor.position;
    const recordEnd = recordStart + length;
    if (cursor.hasFailed || length < RECORD_BYTES_MIN - 1 || recordEnd > end)
      throw corruptRecord(request, header, index);
    cursor.position = recordStart + 1;
    const timestampDelta = cursor.varlong();
    const offset = baseOffset + cursor.varint();
    const keyLength = cursor.varint();
    const keyStart = cursor.position;
    if (keyLength > 0) cursor.position = keyStart + keyLength;
    const valueLength = cursor.varint();
    const valueStart = cursor.position;
    if (valueLength > 0) cursor.position = valueStart + valueLength;
    const headerStart = cursor.position;
    if (cursor.hasFailed || headerStart >= recordEnd) throw corruptRecord(request, header, index);
    if (offset >= fromOffset) {
      offsets[next] = offset;
      timestamps[next] = isLogAppendTime ? baseTimestampMs : baseTimestampMs + timestampDelta;
      keyStarts[next] = keyLength < 0 ? -1 : keyStart;
      keyEnds[next] = keyLength < 0 ? -1 : keyStart + keyLength;
      valueStarts[next] = valueLength < 0 ? -1 : valueStart;
      valueEnds[next] = valueLength < 0 ? -1 : valueStart + valueLength;
      const hasHeaders = buffer[headerStart] !== 0;
      headerStarts[next] = hasHeaders ? headerStart : -1;
      headerEnds[next] = hasHeaders ? recordEnd : -1;
      next += 1;
    }
    cursor.position = recordEnd;
  }
  return next;
}

/** The one record of a control batch has the key (version int16, type int16). */
function isAbortMarker(buffer: Buffer, at: number, size: number): boolean {
  const cursor = new VarintCursor(buffer, at + layout.records, at + size);
  cursor.varint();
  cursor.position += 1;
  cursor.varlong();
  cursor.varint();
  const keyLength = cursor.varint();
  if (cursor.hasFailed || keyLength < CONTROL_KEY_BYTES || cursor.position + CONTROL_KEY_BYTES > at + size)
    return false;
  return buffer.readInt16BE(cursor.position + 2) === ABORT_MARKER;
}

/**
 * A batch as the reader decodes it. In its buffer each record lies as Kafka writes it: key length, key, value length, value,
 * headers, without a gap.
 *
 * Owns: its columns and a share of its buffer until `release`.
 * Invariants: I1 releasing twice is harmless.
 */
export class DecodedRecordBatch implements RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
  readonly buffer: Buffer;
  readonly offsets: Float64Array;
  readonly timestamps: Float64Array;
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  readonly headerStarts: Int32Array;
  readonly headerEnds: Int32Array;
  readonly #pool: ColumnPool;
  readonly #shared: SharedBuffer;
  #columns: RecordColumns | undefined;

  constructor(
    source: { readonly topic: string; readonly partition: number },
    count: number,
    buffer: Buffer,
    columns: RecordColumns,
    pool: ColumnPool,
    shared: SharedBuffer,
  ) {
    this.topic = source.topic;
    this.partition = source.partition;
    this.count = count;
    this.buffer = buffer;
    this.offsets = columns.offsets;
    this.timestamps = columns.timestamps;
    this.keyStarts = columns.keyStarts;
    this.keyEnds = columns.keyEnds;
    this.valueStarts = columns.valueStarts;
    this.valueEnds = columns.valueEnds;
    this.headerStarts = columns.headerStarts;
    this.headerEnds = columns.headerEnds;
    this.#columns = columns;
    this.#pool = pool;
    this.#shared = shared;
  }

  release(): void {
    if (this.#columns === undefined) return;
    this.#pool.giveBack(this.#columns);
    this.#columns = undefined;
    this.#shared.release();
  }
}

function corrupt(request: DecodeRequest, what: string): StreamsError {
  return new StreamsError(
    `${request.topic}-${request.partition} holds ${what} at or after offset ${request.fromOffset}`,
    {
      code: 'CORRUPT_RECORD',
      recovery: 'fail',
    },
  );
}

function corruptRecord(request: DecodeRequest, header: BatchHeader, index: number): StreamsError {
  return corrupt(request, `a malformed record ${index} in the batch of offset ${header.baseOffset}`);
}
