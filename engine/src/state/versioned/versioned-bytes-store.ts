import type { BinaryKey } from '../../base/bytes.ts';
import type { StateStore, StoredValue } from '../state-store.ts';

/** What a put answers when its version is the newest of the key. */
export const VALID_TO_UNDEFINED = -1;
/** What a put answers when it came after the grace period: nothing was written. */
export const NOT_PUT = Number.NEGATIVE_INFINITY;

/** A stored version: valid from `timestampMs` until `validToMs`; undefined: it is the newest. */
export interface StoredVersion extends StoredValue {
  /** When another version took its place, epoch ms; undefined: it is the newest. */
  readonly validToMs: number | undefined;
}

/**
 * The bytes side of a versioned store: every value of a key with the time from which it counted. History is kept for
 * `historyRetentionMs` of stream time (the highest timestamp ever put, over all keys), which is also the grace period: puts that
 * are older are dropped and counted. The newest value of a key never expires. Never cached.
 */
export interface VersionedBytesStore extends StateStore {
  /** How long old values are known and late ones taken, ms of stream time. */
  readonly historyRetentionMs: number;
  /** The newest value; undefined where it is a tombstone. */
  get(key: BinaryKey): StoredValue | undefined;
  /** The value that counted at `asOfMs`; undefined too where that is longer ago than the retention and not the newest. */
  getAsOf(key: BinaryKey, asOfMs: number): StoredVersion | undefined;
  /**
   * Takes ownership of `value`; null is a tombstone. Answers until when the value counts: {@link VALID_TO_UNDEFINED} for the newest,
   * {@link NOT_PUT} where it came too late.
   */
  put(key: BinaryKey, value: Buffer | null, timestampMs: number): number;
  /** A tombstone; answers what counted at that time. */
  delete(key: BinaryKey, timestampMs: number): StoredVersion | undefined;
  /** Values that counted somewhere in `[fromMs, toMs]`, oldest first. */
  versions(key: BinaryKey, fromMs: number, toMs: number): readonly StoredVersion[];
}
