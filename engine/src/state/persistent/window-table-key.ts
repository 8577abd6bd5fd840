import type { BinaryKey } from '../../base/bytes.ts';
import { WINDOW_SUFFIX_BYTES, windowSuffix } from '../window-key.ts';

const ZERO = '\u0000';
/** A zero byte inside a key; sorts after the terminator, so that a key sorts before its extensions. */
const ESCAPED_ZERO = '\u0000\u00ff';
const TERMINATOR = '\u0000\u0000';
const TWO_TO_THE32 = 4_294_967_296;

/** Order-preserving form of a record key: no key's form is a prefix of another's. */
export function windowTableKeyStart(key: BinaryKey): BinaryKey {
  return ((key.includes(ZERO) ? key.replaceAll(ZERO, ESCAPED_ZERO) : key) + TERMINATOR) as BinaryKey;
}

/** Key of one window on disk: sorts by record key, start, sequence number. */
export function windowTableKey(key: BinaryKey, windowStartMs: number, sequence: number): BinaryKey {
  return (windowTableKeyStart(key) + windowSuffix(windowStartMs, sequence)) as BinaryKey;
}

/** Start of the window that a table key is about, epoch ms. */
export function windowStartOf(tableKey: BinaryKey): number {
  return timeAt(tableKey, tableKey.length - WINDOW_SUFFIX_BYTES);
}

/** Sequence number of a table key; 0 where duplicates are not kept. */
export function sequenceOf(tableKey: BinaryKey): number {
  return int32(tableKey, tableKey.length - 4);
}

/** The record key that a table key begins with. */
export function recordKeyOf(tableKey: BinaryKey): BinaryKey {
  return recordKeyBefore(tableKey, WINDOW_SUFFIX_BYTES);
}

/** Epoch ms in the 8 bytes at `at`. */
export function timeAt(tableKey: BinaryKey, at: number): number {
  return int32(tableKey, at) * TWO_TO_THE32 + (int32(tableKey, at + 4) >>> 0);
}

/** The record key of a table key that ends with a suffix of this many bytes. */
export function recordKeyBefore(tableKey: BinaryKey, suffixBytes: number): BinaryKey {
  const escaped = tableKey.slice(0, tableKey.length - suffixBytes - TERMINATOR.length);
  return (escaped.includes(ZERO) ? escaped.replaceAll(ESCAPED_ZERO, ZERO) : escaped) as BinaryKey;
}

function int32(text: string, at: number): number {
  return (
    (text.charCodeAt(at) << 24) |
    (text.charCodeAt(at + 1) << 16) |
    (text.charCodeAt(at + 2) << 8) |
    text.charCodeAt(at + 3)
  );
}
