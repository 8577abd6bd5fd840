import type { StoredValue, StoreEntry, StoreIterator } from '../state-store.ts';

/** An entry that was copied out of a store. */
export interface CopiedEntry<K> extends StoredValue {
  /** The key that the entry is handed out with. */
  readonly key: K;
}

/**
 * Entries copied out of a store and put in order, for orders that the store doesn't keep.
 *
 * Owns: the copies.
 * Called by: whoever asked the store. Invariants: I1 what the store does meanwhile doesn't show.
 */
export class SortedEntries<K> implements StoreIterator<K> {
  #entries: readonly CopiedEntry<K>[];
  #next = 0;

  /** `entries` in the order in which they are to be answered. */
  constructor(entries: readonly CopiedEntry<K>[]) {
    this.#entries = entries;
  }

  next(): IteratorResult<StoreEntry<K>, undefined> {
    const value = this.#entries[this.#next];
    if (value === undefined) return { done: true, value: undefined };
    this.#next += 1;
    return { done: false, value };
  }

  return(): IteratorResult<StoreEntry<K>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#entries = [];
  }

  [Symbol.iterator](): this {
    return this;
  }
}
