import type { BoundedScan, StoreEntry, StoreIterator } from '../state-store.ts';
import type { CacheWalk } from './cache-walk.ts';
import type { CacheEntry, CacheNode, RecordCache } from './record-cache.ts';

const noBytes = Buffer.alloc(0);

/** A cache and a store that are read as one. */
export interface MergeOptions<K> {
  /** The cache whose values hide those of the store beneath; reading a place counts as a use of it. */
  readonly cache: RecordCache;
  /** The cached places that are looked at, those of the range in order. */
  readonly walk: CacheWalk;
  /** Which of them are in the range; undefined: all. */
  readonly accepts?: (cached: CacheNode) => boolean;
  /** What the store beneath has of the range; closed with the iterator. */
  readonly stored: StoreIterator<K>;
  /** Negative: the cached key comes first in this direction of iteration. */
  readonly compare: (cached: CacheNode, stored: K) => number;
  /** The key that a cached place has in the store's terms. */
  readonly keyOf: (cached: CacheNode) => K;
  /** The bound of the store's iterator: where that one stops, this one does. */
  readonly bound?: BoundedScan<K> | undefined;
}

/**
 * Cache and store as one: the cache's value of a key hides the store's, its deletions hide entries.
 *
 * Owns: the store's iterator and the walk; closes them at the end, on `return` or `close`.
 * Called by: the caching stores. Invariants: I1 each key comes once, in order, in either direction; I2 what leaves the cache while
 * the iterator is open is shown all the same: the store's iterator may have been made before it came there; I3 an entry counts as used
 * when it comes next, as in Kafka Streams.
 */
export class MergedIterator<K> implements StoreIterator<K>, StoreEntry<K> {
  key!: K;
  value: Buffer = noBytes;
  timestampMs = 0;
  readonly #options: MergeOptions<K>;
  readonly #result: IteratorYieldResult<StoreEntry<K>> = { done: false, value: this };
  #wasWalked = false;
  /** The cached place that comes next and what it held when it did. */
  #node: CacheNode | undefined;
  #entry: CacheEntry | undefined;
  #stored: StoreEntry<K> | undefined;
  #isClosed = false;

  /** Reads nothing yet: the first `next` does. Takes over `walk` and `stored`. */
  constructor(options: MergeOptions<K>) {
    this.#options = options;
  }

  next(): IteratorResult<StoreEntry<K>, undefined> {
    const { stored, compare, keyOf } = this.#options;
    while (!this.#isClosed) {
      this.#stored ??= stored.next().value;
      if (this.#node === undefined && !this.#wasWalked) this.#peek();
      const node = this.#node;
      const entry = this.#stored;
      if (node === undefined && entry === undefined) break;
      if (entry === undefined && this.#isBehindStop(node as CacheNode)) break;
      const order = node === undefined ? 1 : entry === undefined ? -1 : compare(node, entry.key);
      if (order >= 0) this.#stored = undefined;
      if (order > 0) {
        const { key, value, timestampMs } = entry as StoreEntry<K>;
        this.key = key;
        this.value = value;
        this.timestampMs = timestampMs;
        return this.#result;
      }
      const { value, timestampMs } = this.#entry as CacheEntry;
      this.#node = undefined;
      if (value === null) continue;
      this.key = keyOf(node as CacheNode);
      this.value = value;
      this.timestampMs = timestampMs;
      return this.#result;
    }
    this.close();
    return { done: true, value: undefined };
  }

  /** The store stopped before this place: there may be entries of it in between. */
  #isBehindStop(node: CacheNode): boolean {
    const { bound, compare } = this.#options;
    return bound?.stoppedAt !== undefined && compare(node, bound.stoppedAt) > 0;
  }

  /** Whatever is looked at counts as used, also what isn't in the range. */
  #peek(): void {
    const { cache, walk, accepts } = this.#options;
    for (let node = walk.next(); node !== undefined; node = walk.next()) {
      const { entry } = cache.get(node.id) ?? node;
      if (accepts !== undefined && !accepts(node)) continue;
      this.#node = node;
      this.#entry = entry;
      return;
    }
    this.#wasWalked = true;
  }

  return(): IteratorResult<StoreEntry<K>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.walk.close();
    this.#options.stored.close();
  }

  [Symbol.iterator](): this {
    return this;
  }
}
