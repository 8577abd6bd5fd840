/**
 * Kafka's zigzag varints (records), and unsigned varints (flexible request formats). Numbers are doubles: integers up to 2^53
 * are exact, more than offsets and timestamps need.
 */

/** A varint of a record never needs more bytes than this. */
export const VARINT_BYTES_MAX = 5;
/** Nor a 64-bit varint more than this. */
export const VARLONG_BYTES_MAX = 10;

/** Up to this magnitude a zigzag number fits 31 bits, so that int32 arithmetic can't overflow. */
const ZIGZAG_INT32_LIMIT = 0x3fffffff;

/** Bytes of a non-negative int32 as an unsigned varint. */
export function unsignedVarintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  return 5;
}

/** Bytes of an int32 within ±2^30 as a zigzag varint; lengths, counts and offset deltas all lie there. */
export function varintSize(value: number): number {
  return unsignedVarintSize(((value << 1) ^ (value >> 31)) >>> 0);
}

/** Bytes of any safe integer as a zigzag varlong. */
export function varlongSize(value: number): number {
  if (value >= -ZIGZAG_INT32_LIMIT && value <= ZIGZAG_INT32_LIMIT) return varintSize(value);
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80);
    size += 1;
  }
  return size;
}

/** Writes an unsigned varint and returns the position after it. */
export function writeUnsignedVarint(buffer: Buffer, position: number, value: number): number {
  let rest = value >>> 0;
  let at = position;
  while (rest >= 0x80) {
    buffer[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[at++] = rest;
  return at;
}

/** Writes a zigzag varint of an int32 and returns the position after it. */
export function writeVarint(buffer: Buffer, position: number, value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) {
    buffer[position] = zigzag;
    return position + 1;
  }
  if (zigzag < 0x4000) {
    buffer[position] = (zigzag & 0x7f) | 0x80;
    buffer[position + 1] = zigzag >>> 7;
    return position + 2;
  }
  return writeUnsignedVarint(buffer, position, zigzag);
}

/** Writes a zigzag varlong of a safe integer and returns the position after it. */
export function writeVarlong(buffer: Buffer, position: number, value: number): number {
  if (value >= -ZIGZAG_INT32_LIMIT && value <= ZIGZAG_INT32_LIMIT) return writeVarint(buffer, position, value);
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let at = position;
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[at++] = rest;
  return at;
}

/**
 * Reads varints one after the other. `failed` stays set once a read ran past `limit` or a varint was longer than allowed, and
 * every later read answers 0: callers check once a record, not once a read.
 *
 * Owns: the read position. Called by: the record decoder and the header codec.
 * Invariants: I1 `position` never exceeds `limit` while `failed` is false.
 */
export class VarintCursor {
  /** What is read. */
  buffer: Buffer;
  /** Where the next number begins; means nothing once `failed` is set. */
  position: number;
  /** Where the bytes end, exclusive. */
  limit: number;
  /** Whether a number could not be read since the start: then its value means nothing. */
  hasFailed = false;

  constructor(buffer: Buffer, position: number, limit: number) {
    this.buffer = buffer;
    this.position = position;
    this.limit = limit;
  }

  /** Zigzag int32. */
  varint(): number {
    const position = this.position;
    if (position < this.limit) {
      const first = this.buffer[position] as number;
      if (first < 0x80) {
        this.position = position + 1;
        return (first >>> 1) ^ -(first & 1);
      }
      if (position + 1 < this.limit) {
        const second = this.buffer[position + 1] as number;
        if (second < 0x80) {
          this.position = position + 2;
          const both = (first & 0x7f) | (second << 7);
          return (both >>> 1) ^ -(both & 1);
        }
      }
    }
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Unsigned int32: lengths of flexible request formats. */
  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.position >= this.limit) break;
      const byte = this.buffer[this.position++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    this.hasFailed = true;
    return 0;
  }

  /** Zigzag int64; magnitudes beyond 2^53 lose precision, as no offset or timestamp does. */
  varlong(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < VARLONG_BYTES_MAX; count += 1) {
      if (this.position >= this.limit) break;
      const byte = this.buffer[this.position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 0x80;
    }
    this.hasFailed = true;
    return 0;
  }
}
