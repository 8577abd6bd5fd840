import type { BinaryKey } from '../../base/bytes.ts';
import type { LmdbTable } from './lmdb-table.ts';

/** A sweep starts whenever stream time has moved on by retention ÷ this. */
const sweepsPerRetention = 4;
/** Keys that a commit looks at while a sweep is on: about 2 ms. Twice the commit's writes when that is more, or sweeps fall behind. */
const sweptKeysMin = 2_048;

/**
 * Finds expired entries of a table, a slice of its keys a commit.
 *
 * Owns: the position of the sweep that is on.
 * Called by: the persistent window and session stores, at each commit. Invariants: I1 a commit looks at a bounded number of keys.
 */
export class ExpirySweep {
  readonly #table: LmdbTable;
  readonly #retentionMs: number;
  readonly #timeOf: (key: BinaryKey) => number;
  #sweptBeforeMs = 0;
  #after: BinaryKey | undefined;
  #sweeping = false;

  /** `timeOf` tells the time of a table key by which it expires. */
  constructor(table: LmdbTable, retentionMs: number, timeOf: (key: BinaryKey) => number) {
    this.#table = table;
    this.#retentionMs = retentionMs;
    this.#timeOf = timeOf;
  }

  reset(): void {
    this.#after = undefined;
    this.#sweeping = false;
    this.#sweptBeforeMs = 0;
  }

  /** Keys on disk whose time lies before `minLiveMs`: the next slice. */
  next(minLiveMs: number): BinaryKey[] {
    if (!this.#sweeping) {
      if (minLiveMs < this.#sweptBeforeMs + this.#retentionMs / sweepsPerRetention) return [];
      this.#sweeping = true;
      this.#sweptBeforeMs = minLiveMs;
      this.#after = undefined;
    }
    const limit = Math.max(sweptKeysMin, 2 * this.#table.overlaySize);
    const keys = this.#table.keysOnDisk(this.#after, limit);
    if (keys.length < limit) this.#sweeping = false;
    this.#after = keys.at(-1);
    return keys.filter((key) => this.#timeOf(key) < minLiveMs);
  }
}
