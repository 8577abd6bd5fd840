import { StreamsError } from '../../base/errors.ts';
import { readInt64, writeInt64 } from '../../base/int64.ts';
import type { Header } from '../../base/record-batch.ts';

/** Where a buffered record came from and what it carried beside key and value. */
export interface BufferedContext {
  /** Epoch milliseconds. */
  readonly timestampMs: number;
  /** Offset of that record; -1 where there was none. */
  readonly offset: number;
  /** Topic of the input record that was being processed; empty where there was none (punctuators). */
  readonly topic: string;
  /** Partition of that record; -1 where there was none. */
  readonly partition: number;
  /** Headers of the record; they leave the buffer with it. */
  readonly headers: readonly Header[];
}

/** What a buffer keeps of a key, as bytes; null is an absent value. */
export interface BufferedChange {
  /** Of the record that brought the last change: what leaves the buffer carries its time and headers. */
  readonly context: BufferedContext;
  /** The value before the first change that was buffered: what is visible below the buffer. */
  readonly priorValue: Buffer | null;
  /** The value before the last change. */
  readonly oldValue: Buffer | null;
  /** The value after the last change; null where it deleted the key. */
  readonly newValue: Buffer | null;
}

const INT32_BYTES = 4;
const INT64_BYTES = 8;
/** Length of a value that is null. */
const NULL_LENGTH = -1;
/** Length of an old value that equals the prior value, which is not written twice. */
const SAME_AS_PRIOR_LENGTH = -2;
/** Context without topic and headers, as Kafka Streams counts it against a limit of bytes. */
const FIXED_CONTEXT_BYTES = 2 * INT64_BYTES + INT32_BYTES;

function hasSameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === b || (a !== null && b !== null && a.equals(b));
}

/** Memory that Kafka Streams would estimate for an entry; limits of bytes are measured in it. */
export function entryBytes(keyBytes: number, change: BufferedChange): number {
  const { context, priorValue, oldValue, newValue } = change;
  let bytes = INT64_BYTES + keyBytes + FIXED_CONTEXT_BYTES + context.topic.length;
  for (const header of context.headers) bytes += header.key.length + (header.value?.length ?? 0);
  bytes += (priorValue?.length ?? 0) + (newValue?.length ?? 0);
  return hasSameBytes(priorValue, oldValue) ? bytes : bytes + (oldValue?.length ?? 0);
}

function sizedBytes(value: Buffer | null): number {
  return INT32_BYTES + (value?.length ?? 0);
}

function contextBytes(context: BufferedContext): number {
  let bytes = 2 * INT64_BYTES + INT32_BYTES + Buffer.byteLength(context.topic) + 2 * INT32_BYTES;
  for (const { key, value } of context.headers) bytes += INT32_BYTES + Buffer.byteLength(key) + sizedBytes(value);
  return bytes;
}

function writeText(buffer: Buffer, position: number, text: string): number {
  const written = buffer.utf8Write(text, position + INT32_BYTES);
  buffer.writeInt32BE(written, position);
  return position + INT32_BYTES + written;
}

function writeSized(buffer: Buffer, position: number, value: Buffer | null): number {
  buffer.writeInt32BE(value === null ? NULL_LENGTH : value.length, position);
  if (value === null) return position + INT32_BYTES;
  return position + INT32_BYTES + value.copy(buffer, position + INT32_BYTES);
}

function writeContext(buffer: Buffer, context: BufferedContext): number {
  writeInt64(buffer, context.timestampMs, 0);
  writeInt64(buffer, context.offset, INT64_BYTES);
  let at = writeText(buffer, 2 * INT64_BYTES, context.topic);
  at = buffer.writeInt32BE(context.partition, at);
  at = buffer.writeInt32BE(context.headers.length, at);
  for (const { key, value } of context.headers) at = writeSized(buffer, writeText(buffer, at, key), value);
  return at;
}

/** The value of a changelog record in format 3: context, prior, old and new value, then the buffer time. */
export function encodeBufferedChange(change: BufferedChange, bufferTimeMs: number): Buffer {
  const { context, priorValue, oldValue, newValue } = change;
  const oldIsPrior = oldValue !== null && hasSameBytes(priorValue, oldValue);
  const oldBytes = oldIsPrior ? INT32_BYTES : sizedBytes(oldValue);
  const size = contextBytes(context) + sizedBytes(priorValue) + oldBytes + sizedBytes(newValue) + INT64_BYTES;
  const buffer = Buffer.allocUnsafe(size);
  let at = writeSized(buffer, writeContext(buffer, context), priorValue);
  at = oldIsPrior ? buffer.writeInt32BE(SAME_AS_PRIOR_LENGTH, at) : writeSized(buffer, at, oldValue);
  at = writeSized(buffer, at, newValue);
  writeInt64(buffer, bufferTimeMs, at);
  return buffer;
}

/** A changelog record of a buffer, as it is restored. */
export interface BufferedRecord {
  /** What the buffer holds of the key again. */
  readonly change: BufferedChange;
  /** The key's place in the order of eviction, epoch ms. */
  readonly bufferTimeMs: number;
}

/** What older formats leave out: the changelog record's own origin, and what the buffer holds of the key already. */
export interface RestoredFrom {
  /** Where the changelog record itself came from; format 0 holds no context of its own. */
  readonly context: BufferedContext;
  /**
   * Prior value that the buffer has for the key already; undefined: the key is not buffered. Formats 0 and 1 hold none.
   */
  readonly bufferedPrior: Buffer | null | undefined;
}

/**
 * Reads a changelog value of any format that Kafka Streams has written: `version` is the byte of header `v`, 0 where there is
 * none. Throws `CORRUPT_RECORD`.
 */
export function decodeBufferedChange(value: Buffer, version: number, from: RestoredFrom): BufferedRecord {
  switch (version) {
    case 0:
      return decodeTimeFirst(new ValueReader(value), from.context, from.bufferedPrior);
    case 1:
      return decodeTimeFirst(new ValueReader(value), undefined, from.bufferedPrior);
    case 2:
      // Kafka Streams 2.4.0, 2.4.1 and 2.5.0 wrote format 3 under this number.
      return attempt(() => decodeSecond(new ValueReader(value))) ?? decodeThird(new ValueReader(value));
    case 3:
      return decodeThird(new ValueReader(value));
    default:
      throw corrupt(`the format is ${version}`);
  }
}

/** Formats 0 and 1: buffer time, (context,) old and new value. */
function decodeTimeFirst(
  reader: ValueReader,
  recordContext: BufferedContext | undefined,
  bufferedPrior: Buffer | null | undefined,
): BufferedRecord {
  const bufferTimeMs = reader.int64();
  const context = recordContext ?? reader.context();
  const values = recordContext === undefined ? reader.nested() : reader;
  const oldValue = values.sized();
  const newValue = values.sized();
  return { bufferTimeMs, change: { context, priorValue: bufferedPrior ?? oldValue, oldValue, newValue } };
}

/** Format 2: context, old and new value as one, prior value, buffer time. */
function decodeSecond(reader: ValueReader): BufferedRecord {
  const context = reader.context();
  const values = reader.nested();
  const oldValue = values.sized();
  const newValue = values.sized();
  const priorValue = reader.sized();
  return { bufferTimeMs: reader.int64(), change: { context, priorValue, oldValue, newValue } };
}

function decodeThird(reader: ValueReader): BufferedRecord {
  const context = reader.context();
  const priorValue = reader.sized();
  const oldValue = reader.sizedOr(SAME_AS_PRIOR_LENGTH, priorValue);
  const newValue = reader.sized();
  return { bufferTimeMs: reader.int64(), change: { context, priorValue, oldValue, newValue } };
}

function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

function corrupt(what: string): StreamsError {
  return new StreamsError(`A changelog record of a suppression buffer can't be read: ${what}`, {
    code: 'CORRUPT_RECORD',
    recovery: 'fail',
  });
}

/** Reads big-endian numbers and values with their lengths; what it hands out is copied. */
class ValueReader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int64(): number {
    return readInt64(this.#buffer, this.#take(INT64_BYTES));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(INT32_BYTES));
  }

  sized(): Buffer | null {
    return this.sizedOr(NULL_LENGTH, null);
  }

  /** A value, or `other` where the length is `otherLength`. */
  sizedOr(otherLength: number, other: Buffer | null): Buffer | null {
    const length = this.int32();
    if (length === otherLength) return other;
    if (length === NULL_LENGTH) return null;
    if (length < 0) throw corrupt(`a length is ${length}`);
    return Buffer.copyBytesFrom(this.#buffer, this.#take(length), length);
  }

  /** A value that holds further values. */
  nested(): ValueReader {
    const value = this.sized();
    if (value === null) throw corrupt('old and new value are missing');
    return new ValueReader(value);
  }

  context(): BufferedContext {
    const timestampMs = this.int64();
    const offset = this.int64();
    const topic = this.#text();
    const partition = this.int32();
    // -1 was written for "no headers" once.
    const headerCount = this.int32();
    const headers: Header[] = [];
    for (let i = 0; i < headerCount; i += 1) headers.push({ key: this.#text(), value: this.sized() });
    return { timestampMs, offset, topic, partition, headers };
  }

  #text(): string {
    const bytes = this.sized();
    if (bytes === null) throw corrupt('a name is missing');
    return bytes.utf8Slice();
  }

  #take(bytes: number): number {
    const start = this.#position;
    if (start + bytes > this.#buffer.length) throw corrupt(`it ends after ${this.#buffer.length} bytes`);
    this.#position = start + bytes;
    return start;
  }
}
