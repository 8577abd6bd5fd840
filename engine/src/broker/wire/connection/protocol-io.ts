import { StreamsError } from '../../../base/errors.ts';
import { readInt64, writeInt64 } from '../../../base/int64.ts';
import { unsignedVarintSize, VarintCursor, writeUnsignedVarint } from '../../../base/varint.ts';

const INITIAL_BYTES = 512;

/**
 * Writes the fields of a flexible request into one growing buffer. For the two requests of the record path; the others are the
 * library's work.
 *
 * Owns: its buffer. Invariants: I1 room is made before each write.
 */
export class ProtocolWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #position = 0;

  /** What was written since the last `take`, in a buffer that stays as it is. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#position);
    this.#buffer = Buffer.allocUnsafe(INITIAL_BYTES);
    this.#position = 0;
    return taken;
  }

  /** One byte, signed. */
  int8(value: number): this {
    this.#room(1);
    this.#position = this.#buffer.writeInt8(value, this.#position);
    return this;
  }

  /** Two bytes, big-endian, signed. */
  int16(value: number): this {
    this.#room(2);
    this.#position = this.#buffer.writeInt16BE(value, this.#position);
    return this;
  }

  /** Four bytes, big-endian, signed. */
  int32(value: number): this {
    this.#room(4);
    this.#position = this.#buffer.writeInt32BE(value, this.#position);
    return this;
  }

  /** Eight bytes, big-endian; exact up to 2^53. */
  int64(value: number): this {
    this.#room(8);
    writeInt64(this.#buffer, value, this.#position);
    this.#position += 8;
    return this;
  }

  /** One to five bytes, seven bits in each, lowest first. */
  unsignedVarint(value: number): this {
    this.#room(unsignedVarintSize(value));
    this.#position = writeUnsignedVarint(this.#buffer, this.#position, value);
    return this;
  }

  /** Null is written as length 0, as compact types have it. */
  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0);
    const bytes = Buffer.byteLength(value);
    this.unsignedVarint(bytes + 1);
    this.#room(bytes);
    this.#position += this.#buffer.utf8Write(value, this.#position);
    return this;
  }

  /** The length plus one: 0 would be null. */
  compactArrayLength(length: number): this {
    return this.unsignedVarint(length + 1);
  }

  /** Sixteen bytes, from the text form with or without hyphens. */
  uuid(text: string): this {
    this.#room(16);
    this.#position += this.#buffer.write(text.replaceAll('-', ''), this.#position, 'hex');
    return this;
  }

  /** The end of a structure that has none of the optional fields. */
  noTaggedFields(): this {
    return this.unsignedVarint(0);
  }

  #room(bytes: number): void {
    if (this.#position + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#position + bytes));
    this.#buffer.copy(larger, 0, 0, this.#position);
    this.#buffer = larger;
  }
}

/**
 * Reads the fields of a flexible answer out of a larger buffer.
 *
 * Owns: the read position. Invariants: I1 a read past the end throws a `BROKER` error that names the answer.
 */
export class ProtocolReader {
  /** What the answer lies in; positions are counted from its beginning. */
  readonly buffer: Buffer;
  readonly #cursor: VarintCursor;
  readonly #end: number;
  readonly #what: string;

  /** `what` names the answer in errors. */
  constructor(buffer: Buffer, start: number, end: number, what: string) {
    this.buffer = buffer;
    this.#cursor = new VarintCursor(buffer, start, end);
    this.#end = end;
    this.#what = what;
  }

  /** Two bytes, big-endian, signed. */
  int16(): number {
    return this.buffer.readInt16BE(this.skip(2));
  }

  /** Four bytes, big-endian, signed. */
  int32(): number {
    return this.buffer.readInt32BE(this.skip(4));
  }

  /** Eight bytes, big-endian; exact up to 2^53. */
  int64(): number {
    return readInt64(this.buffer, this.skip(8));
  }

  /** One to five bytes, seven bits in each, lowest first. */
  unsignedVarint(): number {
    const value = this.#cursor.unsignedVarint();
    if (this.#cursor.hasFailed) this.#malformed();
    return value;
  }

  /** -1 is null. */
  compactLength(): number {
    return this.unsignedVarint() - 1;
  }

  /** UTF-8 after its length plus one; length 0 is null. */
  compactString(): string | null {
    const length = this.compactLength();
    if (length < 0) return null;
    const start = this.skip(length);
    return this.buffer.utf8Slice(start, start + length);
  }

  /** Sixteen bytes, as text with hyphens. */
  uuid(): string {
    const start = this.skip(16);
    const hex = this.buffer.toString('hex', start, start + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** Moves past optional fields, which this client knows none of. */
  skipTaggedFields(): void {
    for (let count = this.unsignedVarint(); count > 0; count -= 1) {
      this.unsignedVarint();
      this.skip(this.unsignedVarint());
    }
  }

  /** Moves on and answers the position before. */
  skip(bytes: number): number {
    const start = this.#cursor.position;
    if (bytes < 0 || start + bytes > this.#end) this.#malformed();
    this.#cursor.position = start + bytes;
    return start;
  }

  #malformed(): never {
    throw new StreamsError(`The ${this.#what} answer is malformed`, { code: 'BROKER', recovery: 'fail' });
  }
}
