import { type BinaryKey, bytesOf } from '../../base/bytes.ts';
import type { BoundedScan, StoredValue, StoreIterator, WindowBytesStore, WindowedBytesKey } from '../state-store.ts';
import { SEQUENCE_MAX, WindowSuffixCache, windowSuffix } from '../window-key.ts';
import { type CacheWalk, FoundPlaces, ListedPlaces, TimeOrder } from './cache-walk.ts';
import { CachingStore } from './caching-store.ts';
import { MergedIterator } from './merged-iterator.ts';
import type { CacheNode, DirtyEntry } from './record-cache.ts';
import { compareKeys, SuffixIndex } from './suffix-index.ts';

/** Kafka Streams' cache puts the number of the segment before each key. */
const SEGMENT_NUMBER_BYTES = 8;
const SEGMENT_INTERVAL_MIN_MS = 60_000;
/** The sequence number isn't part of the key that readers of the table see. */
const START_BYTES = 8;
const lastSuffix = '\u00ff'.repeat(13) as BinaryKey;

/**
 * A window store (without duplicates) behind a record cache.
 *
 * Owns: see {@link CachingStore}; the indexes of cached windows. Called by: typed stores, DSL nodes.
 * Invariants: I1 what is read from the store beneath is not cached; I2 a put into a window that expired in the store beneath is
 * seen by reads until it is flushed, and still told to the listener then, as in Kafka Streams.
 */
export class CachingWindowStore extends CachingStore<WindowBytesStore> implements WindowBytesStore {
  readonly #index = new SuffixIndex();
  readonly #byTime: TimeOrder | undefined;
  readonly #suffixes = new WindowSuffixCache();
  #cachedStreamTimeMs = -1;

  /** `valueOverheadBytes`: 8 where Kafka Streams' values have a timestamp in front. */
  constructor(inner: WindowBytesStore, valueOverheadBytes: number) {
    super(inner, { keyOverheadBytes: SEGMENT_NUMBER_BYTES, valueOverheadBytes });
    if (!inner.persistent) this.#byTime = new TimeOrder();
  }

  get retentionMs(): number {
    return this.inner.retentionMs;
  }

  get windowSizeMs(): number {
    return this.inner.windowSizeMs;
  }

  get observedStreamTimeMs(): number {
    return Math.max(this.#cachedStreamTimeMs, this.inner.observedStreamTimeMs);
  }

  put(key: BinaryKey, value: Buffer | null, windowStartMs: number, timestampMs: number): void {
    const { context } = this;
    const suffix = this.#suffixes.suffix(windowStartMs, 0);
    if (windowStartMs > this.#cachedStreamTimeMs) this.#cachedStreamTimeMs = windowStartMs;
    context.thread.put(this.cache, key, suffix, value, this.timeOf(value, timestampMs), context.origin());
  }

  get(key: BinaryKey, windowStartMs: number): StoredValue | undefined {
    const node = this.cache.get((key + this.#suffixes.suffix(windowStartMs, 0)) as BinaryKey);
    if (node === undefined) return this.inner.get(key, windowStartMs);
    const { value, timestampMs } = node.entry;
    return value === null ? undefined : { value, timestampMs };
  }

  fetch(
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey> {
    const stored = this.inner.fetch(key, fromMs, toMs, direction);
    return this.#ofKey(stored, key, fromMs, toMs, direction, Math.max(0, fromMs));
  }

  fetchAll(fromMs: number, toMs: number, direction: 'forward' | 'reverse'): StoreIterator<WindowedBytesKey> {
    const stored = this.inner.fetchAll(fromMs, toMs, direction);
    return this.#merged(stored, undefined, undefined, fromMs, toMs, direction);
  }

  fetchRange(
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<WindowedBytesKey>,
  ): StoreIterator<WindowedBytesKey> {
    if (keyFrom !== undefined && keyFrom === keyTo) {
      // Kafka Streams looks at everything older, too, where a range of keys is asked for.
      return this.#ofKey(this.inner.fetch(keyFrom, fromMs, toMs, direction), keyFrom, fromMs, toMs, direction, 0);
    }
    const stored = this.inner.fetchRange(keyFrom, keyTo, fromMs, toMs, direction, bound);
    return this.#merged(stored, keyFrom, keyTo, fromMs, toMs, direction, bound);
  }

  fetchAllByTime(fromMs: number, toMs: number): StoreIterator<WindowedBytesKey> {
    return new MergedIterator<WindowedBytesKey>({
      cache: this.cache,
      walk: new ListedPlaces(this.#index.nodesByTime(suffixesBetween(fromMs, toMs))),
      stored: this.inner.fetchAllByTime(fromMs, toMs),
      compare: (node, key) => startOf(node.suffix) - key.windowStartMs || compareKeys(node.key, key.key),
      keyOf,
    });
  }

  prepareScan(steps: number): boolean {
    return this.inner.prepareScan(steps) && this.#index.prepareScan(steps);
  }

  override rollback(): boolean {
    this.#cachedStreamTimeMs = -1;
    return super.rollback();
  }

  override close(): void {
    this.#cachedStreamTimeMs = -1;
    super.close();
  }

  protected readInner(dirty: DirtyEntry): StoredValue | undefined {
    return this.inner.get(dirty.key, startOf(dirty.suffix));
  }

  protected writeInner(dirty: DirtyEntry, timestampMs: number): void {
    this.inner.put(dirty.key, dirty.entry.value, startOf(dirty.suffix), timestampMs);
  }

  protected keyBytes(dirty: DirtyEntry): Buffer {
    return bytesOf((dirty.key + dirty.suffix.slice(0, START_BYTES)) as BinaryKey);
  }

  protected override added(node: CacheNode): void {
    this.#index.add(node);
    this.#byTime?.add(node);
  }

  protected override removed(node: CacheNode): void {
    this.#index.remove(node);
    this.#byTime?.remove(node);
  }

  /** `lookedAtFromMs`: where Kafka Streams' walk through a cache in front of a store in memory begins. */
  #ofKey(
    stored: StoreIterator<WindowedBytesKey>,
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
    lookedAtFromMs: number,
  ): StoreIterator<WindowedBytesKey> {
    const { cache, inner } = this;
    const isInTime = suffixesBetween(fromMs, toMs);
    // Backwards Kafka Streams goes on to the beginning of a segment.
    const segmentMs = direction === 'reverse' && inner.persistent ? segmentIntervalMs(inner.retentionMs) : 1;
    const firstMs = Math.floor(Math.max(0, fromMs) / segmentMs) * segmentMs;
    const own = () =>
      this.#index.nodes({ keyFrom: key, keyTo: key, accepts: suffixesBetween(firstMs, toMs), direction });
    const walk = (order: TimeOrder): CacheWalk =>
      order.walk({
        from: placeInTime(key, lookedAtFromMs, 0),
        to: toMs >= Number.MAX_SAFE_INTEGER ? undefined : placeInTime(key, Math.max(0, toMs), SEQUENCE_MAX),
        direction,
        key,
        own,
      });
    return new MergedIterator<WindowedBytesKey>({
      cache,
      walk: this.#byTime === undefined ? new ListedPlaces(own()) : walk(this.#byTime),
      accepts: (node) => node.key === key && isInTime(node.suffix),
      stored,
      compare: ordered(direction),
      keyOf,
    });
  }

  #merged(
    stored: StoreIterator<WindowedBytesKey>,
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<WindowedBytesKey>,
  ): StoreIterator<WindowedBytesKey> {
    const scan = { keyFrom, keyTo, accepts: suffixesBetween(fromMs, toMs), direction };
    return new MergedIterator<WindowedBytesKey>({
      cache: this.cache,
      walk: bound === undefined ? new ListedPlaces(this.#index.nodes(scan)) : new FoundPlaces(this.#index.find(scan)),
      bound,
      stored,
      compare: ordered(direction),
      keyOf,
    });
  }
}

/** As Kafka Streams' default stores on disk have it. */
function segmentIntervalMs(retentionMs: number): number {
  return Math.max(Math.floor(retentionMs / 2), SEGMENT_INTERVAL_MIN_MS);
}

function placeInTime(key: BinaryKey, startMs: number, sequence: number): BinaryKey {
  const suffix = windowSuffix(startMs, sequence);
  return (suffix.slice(0, START_BYTES) + key + suffix) as BinaryKey;
}

/** By key, then start. */
function ordered(direction: 'forward' | 'reverse'): (node: CacheNode, key: WindowedBytesKey) => number {
  const sign = direction === 'forward' ? 1 : -1;
  return (node, key) => sign * (compareKeys(node.key, key.key) || startOf(node.suffix) - key.windowStartMs);
}

function keyOf(node: CacheNode): WindowedBytesKey {
  return { key: node.key, windowStartMs: startOf(node.suffix), sequence: 0 };
}

/** Which suffixes begin with a start in `[fromMs, toMs]`. */
function suffixesBetween(fromMs: number, toMs: number): (suffix: BinaryKey) => boolean {
  const first = windowSuffix(Math.max(0, fromMs), 0);
  const end = toMs >= Number.MAX_SAFE_INTEGER ? lastSuffix : windowSuffix(Math.max(0, toMs + 1), 0);
  return (suffix) => suffix >= first && suffix < end;
}

/** The start that a suffix begins with. */
function startOf(suffix: BinaryKey): number {
  let startMs = 0;
  for (let index = 0; index < START_BYTES; index += 1) startMs = startMs * 256 + suffix.charCodeAt(index);
  return startMs;
}
