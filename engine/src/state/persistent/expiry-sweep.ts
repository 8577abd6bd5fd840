import type { BinaryKey } from '../../base/bytes.ts';
import type { LmdbTable } from './lmdb-table.ts';

/** A sweep starts whenever stream time has moved on by retention ÷ this. */
const SWEEPS_PER_RETENTION = 4;
/** Keys that a commit looks at while a sweep is on: about 2 ms. Twice the commit's writes when that is more, or sweeps fall behind. */
const SWEPT_KEYS_MIN = 2_048;

/**
 * Finds expired entries of a table, a slice of its keys a commit. All slices of a sweep go by the time at which it began.
 *
 * Owns: the position of the sweep that is on.
 * Called by: the persistent stores that forget, at each commit. Invariants: I1 a commit looks at a bounded number of keys.
 */
export class ExpirySweep {
  readonly #table: LmdbTable;
  readonly #stepMs: number;
  readonly #isExpired: (key: BinaryKey, next: BinaryKey | undefined, beforeMs: number) => boolean;
  readonly #endsAt: (key: BinaryKey) => boolean;
  #sweptBeforeMs = 0;
  #after: BinaryKey | undefined;
  #isSweeping = false;

  /** `isExpired` is told a table key, the one after it in the slice, and the time; no keys expire after one at which a sweep ends. */
  constructor(
    table: LmdbTable,
    retentionMs: number,
    isExpired: (key: BinaryKey, next: BinaryKey | undefined, beforeMs: number) => boolean,
    endsAt: (key: BinaryKey) => boolean = () => false,
  ) {
    this.#table = table;
    this.#stepMs = Math.max(1, retentionMs / SWEEPS_PER_RETENTION);
    this.#isExpired = isExpired;
    this.#endsAt = endsAt;
  }

  /** Forgets how far it got: the next sweep begins at the first key. For stores that went back to their last commit. */
  reset(): void {
    this.#after = undefined;
    this.#isSweeping = false;
    this.#sweptBeforeMs = 0;
  }

  /** Keys on disk whose time lies before `minLiveMs`: the next slice. */
  next(minLiveMs: number): BinaryKey[] {
    if (!this.#isSweeping) {
      if (minLiveMs < this.#sweptBeforeMs + this.#stepMs) return [];
      this.#isSweeping = true;
      this.#sweptBeforeMs = minLiveMs;
      this.#after = undefined;
    }
    const limit = Math.max(SWEPT_KEYS_MIN, 2 * this.#table.overlaySize);
    const keys = this.#table.keysOnDisk(this.#after, limit);
    const last = keys.at(-1);
    this.#after = last;
    if (keys.length < limit || last === undefined || this.#endsAt(last)) this.#isSweeping = false;
    return keys.filter((key, index) => this.#isExpired(key, keys[index + 1], this.#sweptBeforeMs));
  }
}
