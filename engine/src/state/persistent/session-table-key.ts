import type { BinaryKey } from '../../base/bytes.ts';
import { sessionSuffix, sessionSuffixBytes } from '../session-key.ts';
import { recordKeyBefore, timeAt, windowTableKeyStart } from './window-table-key.ts';

/** Key of one session on disk: sorts by record key, end, start. */
export function sessionTableKey(key: BinaryKey, startMs: number, endMs: number): BinaryKey {
  return (windowTableKeyStart(key) + sessionSuffix(startMs, endMs)) as BinaryKey;
}

export function sessionEndOf(tableKey: BinaryKey): number {
  return timeAt(tableKey, tableKey.length - sessionSuffixBytes);
}

export function sessionStartOf(tableKey: BinaryKey): number {
  return timeAt(tableKey, tableKey.length - sessionSuffixBytes / 2);
}

export function sessionKeyOf(tableKey: BinaryKey): BinaryKey {
  return recordKeyBefore(tableKey, sessionSuffixBytes);
}
