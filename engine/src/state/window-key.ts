import { type BinaryKey, binaryKey } from '../base/bytes.ts';
import type { RecordBatch } from '../base/record-batch.ts';

/** Start of the window (8 bytes) and sequence number (4 bytes), big-endian, after the record key. */
export const WINDOW_SUFFIX_BYTES = 12;
/** Sequence numbers are Java ints that never go negative. */
export const SEQUENCE_MAX = 0x7fff_ffff;

const TWO_TO_THE32 = 4_294_967_296;
const scratch = Buffer.alloc(WINDOW_SUFFIX_BYTES);

/** The 12 bytes after the key in a window store's changelog. */
export function windowSuffix(windowStartMs: number, sequence: number): BinaryKey {
  const high = Math.floor(windowStartMs / TWO_TO_THE32);
  scratch.writeInt32BE(high, 0);
  scratch.writeUInt32BE(windowStartMs - high * TWO_TO_THE32, 4);
  scratch.writeInt32BE(sequence, 8);
  return scratch.latin1Slice(0, WINDOW_SUFFIX_BYTES) as BinaryKey;
}

/** A changelog row's key taken apart. One object is filled again and again: it holds the row that was read last. */
export interface WindowChangelogKey {
  /** The record key; undefined where the row has no key or is too short to be one. */
  key: BinaryKey | undefined;
  /** Start of the window, epoch ms. */
  windowStartMs: number;
  /** Number among duplicates of one key and start; 0 in stores that keep none. */
  sequence: number;
}

/** Reads the key of a window store's changelog record into `target`. */
export function readWindowChangelogKey(batch: RecordBatch, row: number, target: WindowChangelogKey): void {
  const start = batch.keyStarts[row] as number;
  const end = (batch.keyEnds[row] as number) - WINDOW_SUFFIX_BYTES;
  if (start < 0 || end < start) {
    target.key = undefined;
    return;
  }
  target.key = binaryKey(batch.buffer, start, end);
  target.windowStartMs = batch.buffer.readInt32BE(end) * TWO_TO_THE32 + batch.buffer.readUInt32BE(end + 4);
  target.sequence = batch.buffer.readInt32BE(end + 8);
}

/** Suffixes of consecutive puts are mostly the same; one remembered spares building them. */
export class WindowSuffixCache {
  #windowStartMs = -1;
  #sequence = -1;
  #suffix = '' as BinaryKey;

  /** See {@link windowSuffix}: built anew only when start or number differ from those of the last call. */
  suffix(windowStartMs: number, sequence: number): BinaryKey {
    if (windowStartMs !== this.#windowStartMs || sequence !== this.#sequence) {
      this.#suffix = windowSuffix(windowStartMs, sequence);
      this.#windowStartMs = windowStartMs;
      this.#sequence = sequence;
    }
    return this.#suffix;
  }
}
