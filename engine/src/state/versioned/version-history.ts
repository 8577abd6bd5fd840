import type { BinaryKey } from '../../base/bytes.ts';
import { VALID_TO_UNDEFINED } from './versioned-bytes-store.ts';

/** A value of a key from `timestampMs` on, until the next one's; null is a tombstone. */
export interface Version {
  /** From when on the value counts, epoch ms. */
  readonly timestampMs: number;
  /** The serialized value; null says that the key had none from then on. */
  readonly value: Buffer | null;
  /** A tombstone that was the newest when a value followed: Kafka Streams keeps no row that ends where the value begins. */
  readonly open: boolean;
}

/** Where versions are kept: the newest of each key, and the older ones by time. */
export interface VersionRows {
  /** The newest version of a key, be it a tombstone; undefined: the key is unknown. */
  newest(key: BinaryKey): Version | undefined;
  /** Replaces `before`, the newest so far. */
  setNewest(key: BinaryKey, version: Version | undefined, before: Version | undefined): void;
  /** The older version with the highest time up to `timeMs`. */
  olderUpTo(key: BinaryKey, timeMs: number): Version | undefined;
  /** Time of the older version with the lowest time above `timeMs`. */
  olderAfter(key: BinaryKey, timeMs: number): number | undefined;
  /** Adds an older version, or replaces the one of the same time. */
  setOlder(key: BinaryKey, version: Version): void;
  /** Removes the older version of exactly this time, if there is one. */
  removeOlder(key: BinaryKey, timeMs: number): void;
}

/**
 * Puts a version where it belongs by time. Answers until when it counts.
 *
 * A tombstone written over the newest value at the very same time removes it without a trace where nothing is known to have
 * ended there, so that a late older value may become the newest, as in Kafka Streams.
 */
export function putVersion(rows: VersionRows, key: BinaryKey, value: Buffer | null, timestampMs: number): number {
  const newest = rows.newest(key);
  if (newest === undefined || timestampMs > newest.timestampMs) {
    if (newest !== undefined) rows.setOlder(key, { ...newest, open: newest.value === null && value !== null });
    rows.setNewest(key, { timestampMs, value, open: false }, newest);
    return VALID_TO_UNDEFINED;
  }
  if (timestampMs < newest.timestampMs) {
    const validToMs = rows.olderAfter(key, timestampMs) ?? newest.timestampMs;
    rows.setOlder(key, { timestampMs, value, open: false });
    return validToMs;
  }
  if (value !== null) {
    // What ended here still does: the tombstone stays below the value that hides it.
    if (newest.value === null) rows.setOlder(key, { ...newest, open: false });
    rows.setNewest(key, { timestampMs, value, open: false }, newest);
  } else if (newest.value !== null) replaceByTombstone(rows, key, newest);
  return VALID_TO_UNDEFINED;
}

function replaceByTombstone(rows: VersionRows, key: BinaryKey, newest: Version): void {
  const { timestampMs } = newest;
  const before = rows.olderUpTo(key, timestampMs);
  const leavesNoTrace = before === undefined || before.open;
  if (before !== undefined && (leavesNoTrace || before.timestampMs === timestampMs)) {
    rows.removeOlder(key, before.timestampMs);
  }
  if (!leavesNoTrace) rows.setNewest(key, { timestampMs, value: null, open: false }, newest);
  else rows.setNewest(key, before === undefined ? undefined : { ...before, open: false }, newest);
}
