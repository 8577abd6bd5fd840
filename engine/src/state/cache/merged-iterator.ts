import type { StoreEntry, StoreIterator } from '../state-store.ts';
import type { CacheNode } from './record-cache.ts';

const noBytes = Buffer.alloc(0);

/** The cache's side of a merged read: places in order, those that left the cache meanwhile skipped. */
export interface CacheScan {
  next(): CacheNode | undefined;
  close(): void;
}

export interface MergeOptions<K> {
  readonly cached: CacheScan;
  readonly stored: StoreIterator<K>;
  /** Negative: the cached key comes first in this direction of iteration. */
  readonly compare: (cached: CacheNode, stored: K) => number;
  readonly keyOf: (cached: CacheNode) => K;
}

/**
 * Cache and store as one: the cache's value of a key hides the store's, its deletions hide entries.
 *
 * Owns: both iterators; closes them at the end, on `return` or `close`.
 * Called by: the caching stores. Invariants: I1 each key comes once, in order, in either direction.
 */
export class MergedIterator<K> implements StoreIterator<K>, StoreEntry<K> {
  key!: K;
  value: Buffer = noBytes;
  timestampMs = 0;
  readonly #options: MergeOptions<K>;
  readonly #result: IteratorYieldResult<StoreEntry<K>> = { done: false, value: this };
  #node: CacheNode | undefined;
  #stored: StoreEntry<K> | undefined;
  #closed = false;

  constructor(options: MergeOptions<K>) {
    this.#options = options;
  }

  next(): IteratorResult<StoreEntry<K>, undefined> {
    const { cached, stored, compare, keyOf } = this.#options;
    while (!this.#closed) {
      this.#node ??= cached.next();
      this.#stored ??= stored.next().value;
      const node = this.#node;
      const entry = this.#stored;
      if (node === undefined && entry === undefined) break;
      const order = node === undefined ? 1 : entry === undefined ? -1 : compare(node, entry.key);
      if (order >= 0) this.#stored = undefined;
      if (order > 0) {
        const { key, value, timestampMs } = entry as StoreEntry<K>;
        this.key = key;
        this.value = value;
        this.timestampMs = timestampMs;
        return this.#result;
      }
      this.#node = undefined;
      const { value, timestampMs } = (node as CacheNode).entry;
      if (value === null) continue;
      this.key = keyOf(node as CacheNode);
      this.value = value;
      this.timestampMs = timestampMs;
      return this.#result;
    }
    this.close();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<StoreEntry<K>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.cached.close();
    this.#options.stored.close();
  }

  [Symbol.iterator](): this {
    return this;
  }
}
