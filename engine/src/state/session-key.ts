import { type BinaryKey, binaryKey } from '../base/bytes.ts';
import type { RecordBatch } from '../base/record-batch.ts';

/** End and start of the session, 8 bytes each, big-endian, after the record key. */
export const SESSION_SUFFIX_BYTES = 16;

const TWO_TO_THE32 = 4_294_967_296;
const scratch = Buffer.alloc(SESSION_SUFFIX_BYTES);

/** The 16 bytes after the key in a session store's changelog, and in keys that Kafka's session serde writes. */
export function sessionSuffix(startMs: number, endMs: number): BinaryKey {
  writeMs(endMs, 0);
  writeMs(startMs, 8);
  return scratch.latin1Slice(0, SESSION_SUFFIX_BYTES) as BinaryKey;
}

function writeMs(ms: number, position: number): void {
  const high = Math.floor(ms / TWO_TO_THE32);
  scratch.writeInt32BE(high, position);
  scratch.writeUInt32BE(ms - high * TWO_TO_THE32, position + 4);
}

/** A changelog row's key taken apart. One object is filled again and again: it holds the row that was read last. */
export interface SessionChangelogKey {
  /** The record key; undefined where the row has no key or is too short to be one. */
  key: BinaryKey | undefined;
  /** Time of the session's first record, epoch ms. */
  startMs: number;
  /** Time of its last record, epoch ms, inclusive. */
  endMs: number;
}

/** Reads the key of a session store's changelog record into `target`. */
export function readSessionChangelogKey(batch: RecordBatch, row: number, target: SessionChangelogKey): void {
  const start = batch.keyStarts[row] as number;
  const end = (batch.keyEnds[row] as number) - SESSION_SUFFIX_BYTES;
  if (start < 0 || end < start) {
    target.key = undefined;
    return;
  }
  const { buffer } = batch;
  target.key = binaryKey(buffer, start, end);
  target.endMs = buffer.readInt32BE(end) * TWO_TO_THE32 + buffer.readUInt32BE(end + 4);
  target.startMs = buffer.readInt32BE(end + 8) * TWO_TO_THE32 + buffer.readUInt32BE(end + 12);
}
