import type { BinaryKey } from '../../base/bytes.ts';
import { sessionSuffix, sessionSuffixBytes } from '../session-key.ts';
import { windowSuffix } from '../window-key.ts';
import { timeAt } from './window-table-key.ts';

/**
 * Begins the rows that list windows or sessions by time, beside those that hold them. No table key of a window begins so: a zero
 * byte there is followed by 0 or 255.
 */
const prefix = '\u0000\u0001';
const startBytes = 8;

/** Meta entry that says whether a table has such rows. */
export const timeIndexMeta = 'indexed-by-time';
export const noBytes = Buffer.alloc(0);

export function isTimeRow(tableKey: BinaryKey): boolean {
  return tableKey.charCodeAt(0) === 0 && tableKey.charCodeAt(1) === 1;
}

/** Window start or session end of such a row. */
export function timeOfRow(tableKey: BinaryKey): number {
  return timeAt(tableKey, prefix.length);
}

/** Sorts by start, then key. */
export function windowTimeRow(windowStartMs: number, key: string): BinaryKey {
  return (prefix + windowSuffix(windowStartMs, 0).slice(0, startBytes) + key) as BinaryKey;
}

export function windowKeyOfRow(tableKey: BinaryKey): BinaryKey {
  return tableKey.slice(prefix.length + startBytes) as BinaryKey;
}

/** Sorts by end, then start, then key. */
export function sessionTimeRow(startMs: number, endMs: number, key: string): BinaryKey {
  return (prefix + sessionSuffix(startMs, endMs) + key) as BinaryKey;
}

export function sessionStartOfRow(tableKey: BinaryKey): number {
  return timeAt(tableKey, prefix.length + sessionSuffixBytes / 2);
}

export function sessionKeyOfRow(tableKey: BinaryKey): BinaryKey {
  return tableKey.slice(prefix.length + sessionSuffixBytes) as BinaryKey;
}
