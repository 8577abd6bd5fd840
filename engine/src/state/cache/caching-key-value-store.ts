import { type BinaryKey, bytesOf } from '../../base/bytes.ts';
import { prefixEnd } from '../binary-prefix.ts';
import type { BoundedScan, KeyValueBytesStore, StoredValue, StoreIterator } from '../state-store.ts';
import { FoundPlaces, ListedPlaces } from './cache-walk.ts';
import { CachingStore } from './caching-store.ts';
import { MergedIterator } from './merged-iterator.ts';
import type { DirtyEntry } from './record-cache.ts';
import { compareKeys } from './suffix-index.ts';

const NO_SUFFIX = '' as BinaryKey;

/**
 * A key-value store behind a record cache. What is read from the store beneath is cached, too.
 *
 * Owns: see {@link CachingStore}. Called by: typed stores, DSL nodes.
 * Invariants: I1 ranges are in byte order and show the cache's keys of the moment they were opened.
 */
export class CachingKeyValueStore extends CachingStore<KeyValueBytesStore> implements KeyValueBytesStore {
  /** `valueOverheadBytes`: 8 where Kafka Streams' values have a timestamp in front. */
  constructor(inner: KeyValueBytesStore, valueOverheadBytes: number) {
    super(inner, { keyOverheadBytes: 0, valueOverheadBytes });
  }

  get(key: BinaryKey): StoredValue | undefined {
    const { context } = this;
    const node = this.cache.get(key);
    if (node !== undefined) {
      const { value, timestampMs } = node.entry;
      return value === null ? undefined : { value, timestampMs };
    }
    const stored = this.inner.get(key);
    if (stored === undefined || !context.isProcessing) return stored;
    const { value, timestampMs } = stored;
    context.thread.keepRead(this.cache, key, NO_SUFFIX, value, timestampMs, context);
    return { value, timestampMs };
  }

  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    const { context } = this;
    context.thread.put(this.cache, key, NO_SUFFIX, value, this.timeOf(value, timestampMs), context.origin());
  }

  range(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<BinaryKey>,
  ): StoreIterator<BinaryKey> {
    return this.#merged(this.inner.range(from, to, direction, bound), from, to, false, direction, bound);
  }

  prefixScan(prefix: BinaryKey): StoreIterator<BinaryKey> {
    return this.#merged(this.inner.prefixScan(prefix), prefix, prefixEnd(prefix), true, 'forward');
  }

  prepareScan(steps: number): boolean {
    return this.inner.prepareScan(steps) && this.cache.prepareScan(steps);
  }

  /** Counts the store beneath and not what is only cached, as in Kafka Streams. */
  approximateNumEntries(): number {
    return this.inner.approximateNumEntries();
  }

  protected readInner(dirty: DirtyEntry): StoredValue | undefined {
    return this.inner.get(dirty.key);
  }

  protected writeInner(dirty: DirtyEntry, timestampMs: number): void {
    this.inner.put(dirty.key, dirty.entry.value, timestampMs);
  }

  protected keyBytes(dirty: DirtyEntry): Buffer {
    return bytesOf(dirty.key);
  }

  #merged(
    stored: StoreIterator<BinaryKey>,
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    toExclusive: boolean,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<BinaryKey>,
  ): StoreIterator<BinaryKey> {
    const forward = direction === 'forward';
    const isPast = (id: BinaryKey): boolean => {
      if (!forward) return from !== undefined && id < from;
      return to !== undefined && (toExclusive ? id >= to : id > to);
    };
    const sign = forward ? 1 : -1;
    const first = forward ? from : to;
    return new MergedIterator({
      cache: this.cache,
      walk:
        bound === undefined
          ? new ListedPlaces(this.cache.nodesFrom(first, direction, isPast))
          : new FoundPlaces(this.cache.findFrom(first, direction, isPast)),
      bound,
      stored,
      compare: (node, key) => sign * compareKeys(node.key, key),
      keyOf: (node) => node.key,
    });
  }
}
