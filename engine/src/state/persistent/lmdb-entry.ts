import type { StoredValue } from '../state-store.ts';

/** Timestamp (8 bytes big-endian) before the value, as Kafka Streams' own timestamped stores keep it. */
const timestampBytes = 8;
const twoToThe32 = 4_294_967_296;

/** The bytes of an entry on disk. */
export function encodeEntry(stored: StoredValue): Buffer {
  const bytes = Buffer.allocUnsafe(timestampBytes + stored.value.length);
  const high = Math.floor(stored.timestampMs / twoToThe32);
  bytes.writeInt32BE(high, 0);
  bytes.writeUInt32BE(stored.timestampMs - high * twoToThe32, 4);
  bytes.set(stored.value, timestampBytes);
  return bytes;
}

/** Copies, so that the bytes may be lmdb's own. */
export function decodeEntry(bytes: Buffer): StoredValue {
  return {
    value: Buffer.copyBytesFrom(bytes, timestampBytes, bytes.length - timestampBytes),
    timestampMs: bytes.readInt32BE(0) * twoToThe32 + bytes.readUInt32BE(4),
  };
}
