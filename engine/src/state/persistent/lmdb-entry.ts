import type { StoredValue } from '../state-store.ts';

/** Timestamp (8 bytes big-endian) before the value, as Kafka Streams' own timestamped stores keep it. */
const TIMESTAMP_BYTES = 8;
const TWO_TO_THE32 = 4_294_967_296;

/** Entries as lmdb writes and reads them. */
export const entryCodec = {
  /** The bytes that lie on disk: timestamp, then value. */
  encode(stored: StoredValue): Buffer {
    const bytes = Buffer.allocUnsafe(TIMESTAMP_BYTES + stored.value.length);
    const high = Math.floor(stored.timestampMs / TWO_TO_THE32);
    bytes.writeInt32BE(high, 0);
    bytes.writeUInt32BE(stored.timestampMs - high * TWO_TO_THE32, 4);
    bytes.set(stored.value, TIMESTAMP_BYTES);
    return bytes;
  },

  /** Copies: the bytes are lmdb's own, which it reuses. */
  decode(bytes: Buffer): StoredValue {
    const value = Buffer.allocUnsafe(bytes.length - TIMESTAMP_BYTES);
    bytes.copy(value, 0, TIMESTAMP_BYTES, bytes.length);
    return { value, timestampMs: bytes.readInt32BE(0) * TWO_TO_THE32 + bytes.readUInt32BE(4) };
  },
};

/**
 * Keys as lmdb writes and reads them: from and to strings of one char a byte, with no buffer of their own in between. They are
 * written with the prefix of the table, one byte, and read without.
 */
export const keyCodec = {
  /** Writes a key and answers the position after it. Throws `RangeError` where it does not fit. */
  writeKey(key: string, target: Buffer, position: number): number {
    // To lmdb this error means that its buffer is full, and that it takes another one.
    if (key.length > target.length - position) throw new RangeError(`no room for a key of ${key.length} bytes`);
    return position + target.latin1Write(key, position);
  },

  /** The key in `[start, end)`, without the table's prefix. */
  readKey(source: Buffer, start: number, end: number): string {
    return source.latin1Slice(start + 1, end);
  },
};
