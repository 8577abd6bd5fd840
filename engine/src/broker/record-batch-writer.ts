import type { BinaryKey } from '../base/bytes.ts';
import { BrokerError } from '../base/errors.ts';
import { headersSize, writeHeaders } from '../base/headers-codec.ts';
import { writeInt64 } from '../base/int64.ts';
import type { Header, RecordBatch } from '../base/record-batch.ts';
import { VARINT_BYTES_MAX, varintSize, varlongSize, writeVarint, writeVarlong } from '../base/varint.ts';
import type { Serde } from '../serde/serde.ts';
import type { Compression, EncodedBatch } from './broker.ts';
import type { BufferPool } from './buffer-pool.ts';
import { COMPRESSION_BY_CODEC, compress } from './compression.ts';
import { LENGTH_OVERHEAD, layout } from './record-batch-layout.ts';
import { DecodedRecordBatch } from './record-batch-reader.ts';

/**
 * A batch of one oversized record may grow to this: far above any broker's `message.max.bytes`. A larger record is a
 * mistake.
 */
export const BATCH_BYTES_MAX = 64 * 1024 * 1024;

/** Kafka's MESSAGE_TOO_LARGE. */
const MESSAGE_TOO_LARGE = 10;
/** Below this a loop beats the call into native code. */
const LOOP_COPY_BYTES_MAX = 40;
const noBuffer = Buffer.alloc(0);

/**
 * Builds RecordBatch v2 of one partition, record by record, in a pooled buffer. Nothing is allocated per record.
 *
 * Owns: one pooled buffer from the first record until `finish`, which hands it to the {@link EncodedBatch}.
 * Called by: the record collector (outputs and changelogs), tests.
 * Invariants: I1 room is checked before a byte of a record is written (writes past a Buffer's end would be silent);
 * I2 after a refused append the batch is as it was before; I3 one writer serves one partition, batch after batch.
 */
export class RecordBatchWriter {
  /** Where the batches go. */
  readonly topic: string;
  /** Where the batches go. */
  readonly partition: number;
  readonly #pool: BufferPool;
  #buffer: Buffer = noBuffer;
  #position: number = layout.records;
  #count = 0;
  #baseTimestampMs = 0;
  #maxTimestampMs = -1;

  /** `pool` gives the buffers, whose size is the usual size of a batch. */
  constructor(topic: string, partition: number, pool: BufferPool) {
    this.topic = topic;
    this.partition = partition;
    this.#pool = pool;
  }

  /** Records since the last `finish`. */
  get count(): number {
    return this.#count;
  }

  /**
   * Appends a record; key and value are bytes `[start, end)` of their buffers, a null buffer is a null key or value. Answers
   * false when the batch is full: finish it and append again. A record larger than a whole buffer gets a batch of its own.
   * Throws a `BrokerError` (MESSAGE_TOO_LARGE) above {@link BATCH_BYTES_MAX}.
   */
  append(
    timestampMs: number,
    keyBuffer: Buffer | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Buffer | null,
    valueStart: number,
    valueEnd: number,
    headers?: readonly Header[],
  ): boolean {
    const keyLength = keyBuffer === null ? -1 : keyEnd - keyStart;
    const valueLength = valueBuffer === null ? -1 : valueEnd - valueStart;
    const headerBytes = headers === undefined ? 1 : headersSize(headers);
    if (!this.#beginRecord(timestampMs, lengthAndBytes(keyLength) + lengthAndBytes(valueLength) + headerBytes)) {
      return false;
    }
    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#position, keyLength);
    if (keyBuffer !== null) at = copyBytes(keyBuffer, keyStart, keyEnd, buffer, at);
    at = writeVarint(buffer, at, valueLength);
    if (valueBuffer !== null) at = copyBytes(valueBuffer, valueStart, valueEnd, buffer, at);
    if (headers === undefined) buffer[at++] = 0;
    else at = writeHeaders(buffer, at, headers);
    this.#endRecord(timestampMs, at);
    return true;
  }

  /** Appends a record with a key held as text: changelogs. Otherwise like {@link append}. */
  appendKeyed(timestampMs: number, key: BinaryKey, value: Buffer | null, headers?: readonly Header[]): boolean {
    const keyLength = key.length;
    const valueLength = value === null ? -1 : value.length;
    const headerBytes = headers === undefined ? 1 : headersSize(headers);
    if (!this.#beginRecord(timestampMs, lengthAndBytes(keyLength) + lengthAndBytes(valueLength) + headerBytes)) {
      return false;
    }
    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#position, keyLength);
    if (keyLength <= LOOP_COPY_BYTES_MAX) {
      for (let index = 0; index < keyLength; index += 1) buffer[at++] = key.charCodeAt(index);
    } else {
      at += buffer.latin1Write(key, at, keyLength);
    }
    at = writeVarint(buffer, at, valueLength);
    if (value !== null) at = copyBytes(value, 0, valueLength, buffer, at);
    if (headers === undefined) buffer[at++] = 0;
    else at = writeHeaders(buffer, at, headers);
    this.#endRecord(timestampMs, at);
    return true;
  }

  /** Copies key, value and headers of row `row` of a fetched batch as they are. Otherwise like {@link append}. */
  appendRow(timestampMs: number, batch: RecordBatch, row: number): boolean {
    const keyStart = batch.keyStarts[row] as number;
    const valueStart = batch.valueStarts[row] as number;
    const keyLength = keyStart < 0 ? -1 : (batch.keyEnds[row] as number) - keyStart;
    const valueLength = valueStart < 0 ? -1 : (batch.valueEnds[row] as number) - valueStart;
    const headerStart = batch.headerStarts[row] as number;
    const headerLength = headerStart < 0 ? 1 : (batch.headerEnds[row] as number) - headerStart;
    if (!this.#beginRecord(timestampMs, lengthAndBytes(keyLength) + lengthAndBytes(valueLength) + headerLength)) {
      return false;
    }
    const source = batch.buffer;
    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#position, keyLength);
    const gap = valueStart - keyStart - keyLength;
    if (keyLength >= 0 && valueLength >= 0 && gap === varintSize(valueLength) && batch instanceof DecodedRecordBatch) {
      // In a decoded batch the bytes from the key to the headers lie as they are written here: one copy.
      at = copyBytes(source, keyStart, valueStart + valueLength + headerLength, buffer, at);
    } else {
      if (keyLength >= 0) at = copyBytes(source, keyStart, keyStart + keyLength, buffer, at);
      at = writeVarint(buffer, at, valueLength);
      if (valueLength >= 0) at = copyBytes(source, valueStart, valueStart + valueLength, buffer, at);
      if (headerStart < 0) buffer[at++] = 0;
      else at = copyBytes(source, headerStart, headerStart + headerLength, buffer, at);
    }
    this.#endRecord(timestampMs, at);
    return true;
  }

  /**
   * Appends a record whose value `serde` writes straight into the batch (`serializeInto`), without a buffer in between.
   * Otherwise like {@link append}; what the serde throws passes through and leaves the batch as it was.
   */
  appendSerialized<T>(
    timestampMs: number,
    keyBuffer: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: T | null,
    serde: Serde<T>,
    headers?: readonly Header[],
  ): boolean {
    if (value === null || serde.serializeInto === undefined) {
      const bytes = value === null ? null : serde.serialize(value, this.topic);
      return this.append(timestampMs, keyBuffer, keyStart, keyEnd, bytes, 0, bytes?.length ?? 0, headers);
    }
    const keyLength = keyBuffer === null ? -1 : keyEnd - keyStart;
    const headerBytes = headers === undefined ? 1 : headersSize(headers);
    const around =
      3 * VARINT_BYTES_MAX +
      1 +
      varlongSize(timestampMs - this.#baseTimestampMs) +
      lengthAndBytes(keyLength) +
      headerBytes;
    if (this.#count === 0) this.#startBatch(timestampMs, 0);
    // The value goes where it lies in the end if the lengths before it take their largest size, and is then moved up.
    const valueAt = this.#position + around - headerBytes;
    const valueEnd = valueAt < this.#buffer.length ? serde.serializeInto(value, this.#buffer, valueAt, this.topic) : -1;
    if (valueEnd < 0 || valueEnd + headerBytes > this.#buffer.length) {
      if (this.#count > 0) return false;
      const bytes = serde.serialize(value, this.topic);
      return this.append(timestampMs, keyBuffer, keyStart, keyEnd, bytes, 0, bytes.length, headers);
    }
    const valueLength = valueEnd - valueAt;
    this.#beginRecord(timestampMs, lengthAndBytes(keyLength) + lengthAndBytes(valueLength) + headerBytes);
    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#position, keyLength);
    if (keyBuffer !== null) at = copyBytes(keyBuffer, keyStart, keyEnd, buffer, at);
    at = writeVarint(buffer, at, valueLength);
    if (valueLength <= LOOP_COPY_BYTES_MAX)
      for (let i = 0; i < valueLength; i += 1) buffer[at + i] = buffer[valueAt + i] as number;
    else buffer.copyWithin(at, valueAt, valueEnd);
    at += valueLength;
    if (headers === undefined) buffer[at++] = 0;
    else at = writeHeaders(buffer, at, headers);
    this.#endRecord(timestampMs, at);
    return true;
  }

  /** Drops everything since the last `finish` and gives the buffer back. */
  discard(): void {
    if (this.#buffer !== noBuffer) this.#pool.giveBack(this.#buffer);
    this.#reset();
  }

  /** Closes the batch: all but producer id, epoch, sequence and checksum. The writer is empty afterwards. */
  finish(compression: Compression): EncodedBatch {
    if (this.#count === 0) throw new RangeError(`No records for ${this.topic}-${this.partition}`);
    let buffer = this.#buffer;
    let end = this.#position;
    if (compression !== 'none') {
      const packed = compress(buffer.subarray(layout.records, end), compression);
      end = layout.records + packed.length;
      if (end > buffer.length) {
        const larger = Buffer.allocUnsafeSlow(end);
        this.#pool.giveBack(buffer);
        buffer = larger;
      }
      packed.copy(buffer, layout.records);
    }
    writeInt64(buffer, 0, layout.baseOffset);
    buffer.writeInt32BE(end - LENGTH_OVERHEAD, layout.batchLength);
    buffer.writeInt32BE(-1, layout.partitionLeaderEpoch);
    buffer[layout.magic] = 2;
    buffer.writeInt16BE(COMPRESSION_BY_CODEC.indexOf(compression), layout.attributes);
    buffer.writeInt32BE(this.#count - 1, layout.lastOffsetDelta);
    writeInt64(buffer, this.#baseTimestampMs, layout.baseTimestamp);
    writeInt64(buffer, this.#maxTimestampMs, layout.maxTimestamp);
    writeInt64(buffer, -1, layout.producerId);
    buffer.writeInt16BE(-1, layout.producerEpoch);
    buffer.writeInt32BE(-1, layout.baseSequence);
    buffer.writeInt32BE(this.#count, layout.recordCount);
    const batch = new PooledEncodedBatch(this.topic, this.partition, buffer, end, this.#count, this.#pool);
    this.#reset();
    return batch;
  }

  #reset(): void {
    this.#buffer = noBuffer;
    this.#position = layout.records;
    this.#count = 0;
    this.#maxTimestampMs = -1;
  }

  /** Writes length, attributes and deltas of a record whose key, value and headers take `payloadBytes`; false when full. */
  #beginRecord(timestampMs: number, payloadBytes: number): boolean {
    const count = this.#count;
    const timestampDelta = count === 0 ? 0 : timestampMs - this.#baseTimestampMs;
    const bodyBytes = 1 + varlongSize(timestampDelta) + varintSize(count) + payloadBytes;
    const recordBytes = varintSize(bodyBytes) + bodyBytes;
    if (count === 0) this.#startBatch(timestampMs, recordBytes);
    else if (this.#position + recordBytes > this.#buffer.length) return false;
    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#position, bodyBytes);
    buffer[at++] = 0;
    at = writeVarlong(buffer, at, timestampDelta);
    this.#position = writeVarint(buffer, at, count);
    return true;
  }

  #endRecord(timestampMs: number, position: number): void {
    this.#position = position;
    this.#count += 1;
    if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs;
  }

  #startBatch(timestampMs: number, recordBytes: number): void {
    const batchBytes = layout.records + recordBytes;
    if (batchBytes > BATCH_BYTES_MAX) {
      throw new BrokerError(
        `A record of ${recordBytes} bytes for ${this.topic}-${this.partition} is larger than ${BATCH_BYTES_MAX} bytes`,
        { kafkaCode: MESSAGE_TOO_LARGE, retriable: false },
      );
    }
    if (this.#buffer.length < batchBytes) {
      if (this.#buffer !== noBuffer) this.#pool.giveBack(this.#buffer);
      this.#buffer = this.#pool.acquire(Math.max(batchBytes, this.#pool.bufferBytes));
    }
    this.#position = layout.records;
    this.#baseTimestampMs = timestampMs;
    this.#maxTimestampMs = timestampMs;
  }
}

/** Bytes of a nullable field with its length; -1 is null. */
function lengthAndBytes(length: number): number {
  return length < 0 ? 1 : varintSize(length) + length;
}

function copyBytes(source: Buffer, start: number, end: number, target: Buffer, position: number): number {
  const length = end - start;
  if (length <= LOOP_COPY_BYTES_MAX) {
    for (let index = 0; index < length; index += 1) target[position + index] = source[start + index] as number;
  } else {
    source.copy(target, position, start, end);
  }
  return position + length;
}

/** Invariants: I1 the buffer goes back to its pool once, however often `release` is called. */
class PooledEncodedBatch implements EncodedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly recordCount: number;
  #buffer: Buffer | undefined;
  readonly #pool: BufferPool;

  constructor(topic: string, partition: number, buffer: Buffer, end: number, recordCount: number, pool: BufferPool) {
    this.topic = topic;
    this.partition = partition;
    this.bytes = buffer.subarray(0, end);
    this.recordCount = recordCount;
    this.#buffer = buffer;
    this.#pool = pool;
  }

  release(): void {
    if (this.#buffer === undefined) return;
    this.#pool.giveBack(this.#buffer);
    this.#buffer = undefined;
  }
}
