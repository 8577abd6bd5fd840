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

  int8(value: number): this {
    this.#room(1);
    this.#position = this.#buffer.writeInt8(value, this.#position);
    return this;
  }

  int16(value: number): this {
    this.#room(2);
    this.#position = this.#buffer.writeInt16BE(value, this.#position);
    return this;
  }

  int32(value: number): this {
    this.#room(4);
    this.#position = this.#buffer.writeInt32BE(value, this.#position);
    return this;
  }

  int64(value: number): this {
    this.#room(8);
    writeInt64(this.#buffer, value, this.#position);
    this.#position += 8;
    return this;
  }

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

  compactArrayLength(length: number): this {
    return this.unsignedVarint(length + 1);
  }

  uuid(text: string): this {
    this.#room(16);
    this.#position += this.#buffer.write(text.replaceAll('-', ''), this.#position, 'hex');
    return this;
  }

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
  readonly buffer: Buffer;
  readonly #cursor: VarintCursor;
  readonly #end: number;
  readonly #what: string;

  constructor(buffer: Buffer, start: number, end: number, what: string) {
    this.buffer = buffer;
    this.#cursor = new VarintCursor(buffer, start, end);
    this.#end = end;
    this.#what = what;
  }

  int16(): number {
    return this.buffer.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.skip(4));
  }

  int64(): number {
    return readInt64(this.buffer, this.skip(8));
  }

  unsignedVarint(): number {
    const value = this.#cursor.unsignedVarint();
    if (this.#cursor.failed) this.#malformed();
    return value;
  }

  /** -1 is null. */
  compactLength(): number {
    return this.unsignedVarint() - 1;
  }

  compactString(): string | null {
    const length = this.compactLength();
    if (length < 0) return null;
    const start = this.skip(length);
    return this.buffer.utf8Slice(start, start + length);
  }

  uuid(): string {
    const start = this.skip(16);
    const hex = this.buffer.toString('hex', start, start + 16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  skipTaggedFields(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
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
