import { isUtf8 } from 'node:buffer';
import '../base/bytes.ts';
import { DeserializationError, SerializationError } from '../base/errors.ts';
import type { Serde } from './serde.ts';

const TWO_TO_THE32 = 4_294_967_296;
/** Below this length a loop over char codes beats the call into native UTF-8 code. */
const SHORT_STRING_CHARS = 24;
/** Up to here a loop over bytes beats a view and a native call. */
const SHORT_UTF8_BYTES = 64;
/** A UTF-16 unit takes three UTF-8 bytes at most. */
const UTF8_BYTES_PER_CHAR_MAX = 3;
const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const OWN_UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BYTES = 36;

/**
 * The error for bytes that are not of a format.
 * @internal
 */
export function unreadable(format: string, topic: string, reason: string, cause?: unknown): DeserializationError {
  return new DeserializationError(`Topic ${topic}: not a ${format}: ${reason}`, cause);
}

/**
 * The error for a value that has no form in a format.
 * @internal
 */
export function unwritable(format: string, topic: string, reason: string, cause?: unknown): SerializationError {
  return new SerializationError(`Topic ${topic}: can't be written as ${format}: ${reason}`, cause);
}

function checkSize(format: string, start: number, end: number, size: number, topic: string): void {
  if (end - start !== size) throw unreadable(format, topic, `${end - start} bytes instead of ${size}`);
}

function describe(value: unknown): string {
  return typeof value === 'object' ? Object.prototype.toString.call(value) : `${typeof value} ${String(value)}`;
}

class StringSerde implements Serde<string> {
  readonly format = 'string';

  serialize(value: string, topic: string): Buffer {
    if (typeof value !== 'string') throw unwritable('string', topic, describe(value));
    return Buffer.from(value, 'utf8');
  }

  deserialize(buffer: Buffer, start: number, end: number): string {
    return buffer.utf8Slice(start, end);
  }

  /** Bytes that aren't UTF-8 are written as what they read as: U+FFFD. */
  isOwnForm(buffer: Buffer, start: number, end: number): boolean {
    if (end - start > SHORT_UTF8_BYTES) return isUtf8(buffer.subarray(start, end));
    for (let at = start; at < end; at += 1) {
      if ((buffer[at] as number) > 0x7f) return isUtf8(buffer.subarray(start, end));
    }
    return true;
  }

  serializeInto(value: string, buffer: Buffer, position: number, topic: string): number {
    if (typeof value !== 'string') throw unwritable('string', topic, describe(value));
    const length = value.length;
    if (length <= SHORT_STRING_CHARS) {
      if (position + length > buffer.length) return -1;
      let i = 0;
      for (; i < length; i += 1) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        buffer[position + i] = code;
      }
      if (i === length) return position + length;
    }
    const room = buffer.length - position;
    if (room < length * UTF8_BYTES_PER_CHAR_MAX && room < Buffer.byteLength(value, 'utf8')) return -1;
    return position + buffer.utf8Write(value, position);
  }
}

class BytesSerde implements Serde<Buffer> {
  readonly format = 'bytes';

  serialize(value: Buffer, topic: string): Buffer {
    if (!(value instanceof Uint8Array)) throw unwritable('bytes', topic, describe(value));
    return Buffer.copyBytesFrom(value);
  }

  deserialize(buffer: Buffer, start: number, end: number): Buffer {
    return Buffer.copyBytesFrom(buffer, start, end - start);
  }

  isOwnForm(): boolean {
    return true;
  }

  serializeInto(value: Buffer, buffer: Buffer, position: number, topic: string): number {
    if (!(value instanceof Uint8Array)) throw unwritable('bytes', topic, describe(value));
    if (position + value.length > buffer.length) return -1;
    buffer.set(value, position);
    return position + value.length;
  }
}

class LongSerde implements Serde<number> {
  readonly format = 'long';

  serialize(value: number, topic: string): Buffer {
    const bytes = Buffer.allocUnsafe(8);
    this.serializeInto(value, bytes, 0, topic);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): number {
    checkSize('long', start, end, 8, topic);
    const value = buffer.readInt32BE(start) * TWO_TO_THE32 + buffer.readUInt32BE(start + 4);
    if (!Number.isSafeInteger(value)) {
      throw unreadable('long', topic, `${buffer.readBigInt64BE(start)} is beyond 2^53: read it with bigLong()`);
    }
    return value;
  }

  isOwnForm(_buffer: Buffer, start: number, end: number): boolean | undefined {
    // What is beyond 2^53 is told when it is read.
    return end - start === 8 ? undefined : false;
  }

  serializeInto(value: number, buffer: Buffer, position: number, topic: string): number {
    if (!Number.isSafeInteger(value)) throw unwritable('long', topic, describe(value));
    if (position + 8 > buffer.length) return -1;
    const high = Math.floor(value / TWO_TO_THE32);
    writeInt32(buffer, position, high | 0);
    writeInt32(buffer, position + 4, (value - high * TWO_TO_THE32) | 0);
    return position + 8;
  }
}

/** Plain stores are three times faster than `writeInt32BE` with its checks; callers have checked the room. */
function writeInt32(buffer: Buffer, position: number, value: number): void {
  buffer[position] = value >>> 24;
  buffer[position + 1] = value >>> 16;
  buffer[position + 2] = value >>> 8;
  buffer[position + 3] = value;
}

class BigLongSerde implements Serde<bigint> {
  readonly format = 'long';

  serialize(value: bigint, topic: string): Buffer {
    const bytes = Buffer.allocUnsafe(8);
    this.serializeInto(value, bytes, 0, topic);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): bigint {
    checkSize('long', start, end, 8, topic);
    return buffer.readBigInt64BE(start);
  }

  isOwnForm(_buffer: Buffer, start: number, end: number): boolean {
    return end - start === 8;
  }

  serializeInto(value: bigint, buffer: Buffer, position: number, topic: string): number {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) {
      throw unwritable('long', topic, describe(value));
    }
    if (position + 8 > buffer.length) return -1;
    return buffer.writeBigInt64BE(value, position);
  }
}

/** Java's integer types up to 32 bits, big-endian. */
class SmallIntegerSerde implements Serde<number> {
  readonly format: string;
  readonly #size: 2 | 4;
  readonly #max: number;

  constructor(format: string, size: 2 | 4) {
    this.format = format;
    this.#size = size;
    this.#max = 2 ** (size * 8 - 1) - 1;
  }

  serialize(value: number, topic: string): Buffer {
    const bytes = Buffer.allocUnsafe(this.#size);
    this.serializeInto(value, bytes, 0, topic);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): number {
    checkSize(this.format, start, end, this.#size, topic);
    return this.#size === 4 ? buffer.readInt32BE(start) : buffer.readInt16BE(start);
  }

  isOwnForm(_buffer: Buffer, start: number, end: number): boolean {
    return end - start === this.#size;
  }

  serializeInto(value: number, buffer: Buffer, position: number, topic: string): number {
    if (!Number.isInteger(value) || value > this.#max || value < -this.#max - 1) {
      throw unwritable(this.format, topic, describe(value));
    }
    if (position + this.#size > buffer.length) return -1;
    return this.#size === 4 ? buffer.writeInt32BE(value, position) : buffer.writeInt16BE(value, position);
  }
}

class FloatingSerde implements Serde<number> {
  readonly format: string;
  readonly #size: 4 | 8;

  constructor(format: string, size: 4 | 8) {
    this.format = format;
    this.#size = size;
  }

  serialize(value: number, topic: string): Buffer {
    const bytes = Buffer.allocUnsafe(this.#size);
    this.serializeInto(value, bytes, 0, topic);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): number {
    checkSize(this.format, start, end, this.#size, topic);
    return this.#size === 8 ? buffer.readDoubleBE(start) : buffer.readFloatBE(start);
  }

  /** A NaN has many forms, and is written in one of them. */
  isOwnForm(buffer: Buffer, start: number, end: number): boolean {
    if (end - start !== this.#size) return false;
    return !Number.isNaN(this.#size === 8 ? buffer.readDoubleBE(start) : buffer.readFloatBE(start));
  }

  serializeInto(value: number, buffer: Buffer, position: number, topic: string): number {
    if (typeof value !== 'number') throw unwritable(this.format, topic, describe(value));
    if (position + this.#size > buffer.length) return -1;
    return this.#size === 8 ? buffer.writeDoubleBE(value, position) : buffer.writeFloatBE(value, position);
  }
}

class BooleanSerde implements Serde<boolean> {
  readonly format = 'boolean';

  serialize(value: boolean, topic: string): Buffer {
    const bytes = Buffer.allocUnsafe(1);
    this.serializeInto(value, bytes, 0, topic);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): boolean {
    checkSize('boolean', start, end, 1, topic);
    const byte = buffer[start];
    if (byte === 1) return true;
    if (byte === 0) return false;
    throw unreadable('boolean', topic, `byte ${byte}`);
  }

  isOwnForm(buffer: Buffer, start: number, end: number): boolean {
    return end - start === 1 && (buffer[start] === 0 || buffer[start] === 1);
  }

  serializeInto(value: boolean, buffer: Buffer, position: number, topic: string): number {
    if (typeof value !== 'boolean') throw unwritable('boolean', topic, describe(value));
    if (position >= buffer.length) return -1;
    buffer[position] = value ? 1 : 0;
    return position + 1;
  }
}

class UuidSerde implements Serde<string> {
  readonly format = 'uuid';

  serialize(value: string, topic: string): Buffer {
    if (typeof value !== 'string' || !UUID_PATTERN.test(value)) throw unwritable('uuid', topic, describe(value));
    return Buffer.from(value.toLowerCase(), 'latin1');
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): string {
    checkSize('uuid', start, end, UUID_BYTES, topic);
    const text = buffer.latin1Slice(start, end);
    if (!UUID_PATTERN.test(text)) throw unreadable('uuid', topic, JSON.stringify(text));
    return text.toLowerCase();
  }

  isOwnForm(buffer: Buffer, start: number, end: number): boolean {
    return end - start === UUID_BYTES && OWN_UUID_PATTERN.test(buffer.latin1Slice(start, end));
  }
}

const stringSerde = new StringSerde();
const bytesSerde = new BytesSerde();
const longSerde = new LongSerde();
const bigLongSerde = new BigLongSerde();
const integerSerde = new SmallIntegerSerde('integer', 4);
const shortSerde = new SmallIntegerSerde('short', 2);
const doubleSerde = new FloatingSerde('double', 8);
const floatSerde = new FloatingSerde('float', 4);
const booleanSerde = new BooleanSerde();
const uuidSerde = new UuidSerde();

/**
 * UTF-8, as Java's `Serdes.String()`. Bytes that aren't UTF-8 read as U+FFFD, as in Java. What is no string throws
 * `SERIALIZATION`.
 */
export function string(): Serde<string> {
  return stringSerde;
}

/**
 * Bytes as they are, as Java's `Serdes.ByteArray()`; copied in both directions, so that neither side can change the
 * other's.
 */
export function bytes(): Serde<Buffer> {
  return bytesSerde;
}

/**
 * Java's `long`, 8 bytes big-endian, as a number. Values beyond ±2^53 − 1 are errors, never rounded: {@link bigLong}
 * reads those.
 */
export function long(): Serde<number> {
  return longSerde;
}

/** Java's `long`, 8 bytes big-endian, as a bigint: the whole range, several times slower than {@link long}. */
export function bigLong(): Serde<bigint> {
  return bigLongSerde;
}

/** Java's `int`, 4 bytes big-endian. What is no whole number of 32 bits throws `SERIALIZATION`. */
export function integer(): Serde<number> {
  return integerSerde;
}

/** Java's `short`, 2 bytes big-endian. What is no whole number of 16 bits throws `SERIALIZATION`. */
export function short(): Serde<number> {
  return shortSerde;
}

/** Java's `double`, 8 bytes big-endian. */
export function double(): Serde<number> {
  return doubleSerde;
}

/** Java's `float`, 4 bytes big-endian; a number that isn't a float is rounded to the nearest one. */
export function float(): Serde<number> {
  return floatSerde;
}

/** One byte, 1 or 0, as Java's `Serdes.Boolean()`. */
export function boolean(): Serde<boolean> {
  return booleanSerde;
}

/** A UUID as its 36 characters, lower case, as Java's `Serdes.UUID()` writes it. */
export function uuid(): Serde<string> {
  return uuidSerde;
}
