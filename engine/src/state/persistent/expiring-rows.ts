import type { BinaryKey } from '../../base/bytes.ts';
import { windowSuffix } from '../window-key.ts';
import { recordKeyBefore, timeAt, windowTableKeyStart } from './window-table-key.ts';

/**
 * Begins the rows that list windows or sessions by time, beside those that hold them. No table key of a window begins so: a zero
 * byte there is followed by 0 or 255.
 */
const PREFIX = '\u0000\u0001';
const TIME_BYTES = 8;
const zeros = '\u0000'.repeat(TIME_BYTES);

/** The rows that list entries by time lie between these two, the second excluded, and nothing else does. */
export const timeRows = { from: PREFIX as BinaryKey, end: '\u0000\u0002' as BinaryKey } as const;

/** Whether a row lists an entry by time, instead of holding one. */
export function isTimeRow(tableKey: BinaryKey): boolean {
  return tableKey.charCodeAt(0) === 0 && tableKey.charCodeAt(1) === 1;
}

/** Sorts after the rows that list what is of an earlier time, before the others. */
export function timeRowsFrom(timeMs: number): BinaryKey {
  return (PREFIX + windowSuffix(timeMs, 0).slice(0, TIME_BYTES)) as BinaryKey;
}

/**
 * The table keys of a store whose entries expire: record key, then a suffix that begins with the time by which they do. And those
 * of rows that list the same entries by time, in stores that have them: time, what follows it in the suffix, record key.
 */
export class ExpiringRows {
  readonly #suffixBytes: number;
  readonly #listedBytes: number;

  /** `listedBytes`: how much of a suffix the list has; the rest is zeros where there is a list. */
  constructor(suffixBytes: number, listedBytes: number) {
    this.#suffixBytes = suffixBytes;
    this.#listedBytes = listedBytes;
  }

  /** The time by which a row expires, epoch ms, be it an entry or a row of the list. */
  timeOf(tableKey: BinaryKey): number {
    return timeAt(tableKey, isTimeRow(tableKey) ? PREFIX.length : tableKey.length - this.#suffixBytes);
  }

  /** The record key of an entry's row. */
  recordKeyOf(tableKey: BinaryKey): BinaryKey {
    return recordKeyBefore(tableKey, this.#suffixBytes);
  }

  /** The row that lists an entry by time. */
  timeRowOf(tableKey: BinaryKey): BinaryKey {
    const at = tableKey.length - this.#suffixBytes;
    return (PREFIX + tableKey.slice(at, at + this.#listedBytes) + this.recordKeyOf(tableKey)) as BinaryKey;
  }

  /** The table key of the entry that a row of the list is about. */
  entryOf(timeRow: BinaryKey): BinaryKey {
    const at = PREFIX.length + this.#listedBytes;
    const rest = zeros.slice(0, this.#suffixBytes - this.#listedBytes);
    return (windowTableKeyStart(timeRow.slice(at) as BinaryKey) + timeRow.slice(PREFIX.length, at) + rest) as BinaryKey;
  }
}
