import { type BinaryKey, bytesOf } from '../../base/bytes.ts';
import { sessionSuffix } from '../session-key.ts';
import type { BoundedScan, SessionBytesKey, SessionBytesStore, StoredValue, StoreIterator } from '../state-store.ts';
import { FoundPlaces, ListedPlaces, TimeOrder } from './cache-walk.ts';
import { CachingStore } from './caching-store.ts';
import { MergedIterator } from './merged-iterator.ts';
import type { CacheNode, DirtyEntry } from './record-cache.ts';
import { compareKeys, SuffixIndex } from './suffix-index.ts';

/** Kafka Streams' cache puts the number of the segment before each key. */
const SEGMENT_NUMBER_BYTES = 8;
const MS_BYTES = 8;

/**
 * A session store behind a record cache.
 *
 * Owns: see {@link CachingStore}; the indexes of cached sessions. Called by: typed stores, DSL nodes.
 * Invariants: I1 what is read from the store beneath is not cached; I2 a flushed change carries the session's end as its time.
 */
export class CachingSessionStore extends CachingStore<SessionBytesStore> implements SessionBytesStore {
  readonly #index = new SuffixIndex();
  readonly #byTime: TimeOrder | undefined;
  #cachedStreamTimeMs = -1;

  /** Before a store in memory reads walk by time, as Kafka Streams' do there; before one on disk by key. */
  constructor(inner: SessionBytesStore) {
    super(inner, { keyOverheadBytes: SEGMENT_NUMBER_BYTES, valueOverheadBytes: 0 });
    if (!inner.persistent) this.#byTime = new TimeOrder();
  }

  get retentionMs(): number {
    return this.inner.retentionMs;
  }

  get observedStreamTimeMs(): number {
    return Math.max(this.#cachedStreamTimeMs, this.inner.observedStreamTimeMs);
  }

  put(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number, timestampMs: number): void {
    const { context } = this;
    if (endMs > this.#cachedStreamTimeMs) this.#cachedStreamTimeMs = endMs;
    context.thread.put(this.cache, key, sessionSuffix(startMs, endMs), value, timestampMs, context.origin());
  }

  get(key: BinaryKey, startMs: number, endMs: number): StoredValue | undefined {
    const node = this.cache.get((key + sessionSuffix(startMs, endMs)) as BinaryKey);
    if (node === undefined) return this.inner.get(key, startMs, endMs);
    const { value, timestampMs } = node.entry;
    return value === null ? undefined : { value, timestampMs };
  }

  findSessions(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    latestEndMs = Number.MAX_SAFE_INTEGER,
  ): StoreIterator<SessionBytesKey> {
    const stored = this.inner.findSessions(key, earliestEndMs, latestStartMs, direction, latestEndMs);
    const endsLater = (suffix: BinaryKey): boolean => endOf(suffix) >= earliestEndMs;
    const isWanted = sessionsBetween(earliestEndMs, latestStartMs);
    const own = () => this.#index.nodes({ keyFrom: key, keyTo: key, accepts: endsLater, direction });
    const from = sessionSuffix(0, Math.max(0, earliestEndMs));
    return new MergedIterator<SessionBytesKey>({
      cache: this.cache,
      walk:
        this.#byTime?.walk({
          from: (from.slice(0, MS_BYTES) + key + from) as BinaryKey,
          to: undefined,
          direction,
          key,
          own,
        }) ?? new ListedPlaces(own()),
      accepts: (node) => node.key === key && isWanted(node.suffix) && endOf(node.suffix) <= latestEndMs,
      stored,
      compare: ordered(direction),
      keyOf,
    });
  }

  findSessionsInRange(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<SessionBytesKey>,
  ): StoreIterator<SessionBytesKey> {
    const stored = this.inner.findSessionsInRange(from, to, earliestEndMs, latestStartMs, direction, bound);
    return this.#merged(stored, from, to, sessionsBetween(earliestEndMs, latestStartMs), direction, bound);
  }

  findByEnd(fromMs: number, toMs: number): StoreIterator<SessionBytesKey> {
    const accepts = (suffix: BinaryKey): boolean => endOf(suffix) >= fromMs && endOf(suffix) <= toMs;
    return new MergedIterator<SessionBytesKey>({
      cache: this.cache,
      walk: new ListedPlaces(this.#index.nodesByTime(accepts, (suffix) => suffix.slice(0, MS_BYTES) as BinaryKey)),
      stored: this.inner.findByEnd(fromMs, toMs),
      compare: (node, key) =>
        endOf(node.suffix) - key.endMs || compareKeys(node.key, key.key) || startOf(node.suffix) - key.startMs,
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
    return this.inner.get(dirty.key, startOf(dirty.suffix), endOf(dirty.suffix));
  }

  protected writeInner({ key, suffix, entry }: DirtyEntry, timestampMs: number): void {
    this.inner.put(key, entry.value, startOf(suffix), endOf(suffix), timestampMs);
  }

  protected keyBytes(dirty: DirtyEntry): Buffer {
    return bytesOf((dirty.key + dirty.suffix) as BinaryKey);
  }

  protected override forwardedTimeMs(dirty: DirtyEntry): number {
    return endOf(dirty.suffix);
  }

  protected override added(node: CacheNode): void {
    this.#index.add(node);
    this.#byTime?.add(node);
  }

  protected override removed(node: CacheNode): void {
    this.#index.remove(node);
    this.#byTime?.remove(node);
  }

  #merged(
    stored: StoreIterator<SessionBytesKey>,
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    accepts: (suffix: BinaryKey) => boolean,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<SessionBytesKey>,
  ): StoreIterator<SessionBytesKey> {
    const scan = { keyFrom, keyTo, accepts, direction };
    return new MergedIterator<SessionBytesKey>({
      cache: this.cache,
      walk: bound === undefined ? new ListedPlaces(this.#index.nodes(scan)) : new FoundPlaces(this.#index.find(scan)),
      bound,
      stored,
      compare: ordered(direction),
      keyOf,
    });
  }
}

/** By key, then end, then start. */
function ordered(direction: 'forward' | 'reverse'): (node: CacheNode, key: SessionBytesKey) => number {
  const sign = direction === 'forward' ? 1 : -1;
  return (node, key) =>
    sign * (compareKeys(node.key, key.key) || endOf(node.suffix) - key.endMs || startOf(node.suffix) - key.startMs);
}

function keyOf(node: CacheNode): SessionBytesKey {
  return { key: node.key, startMs: startOf(node.suffix), endMs: endOf(node.suffix) };
}

function sessionsBetween(earliestEndMs: number, latestStartMs: number): (suffix: BinaryKey) => boolean {
  return (suffix) => endOf(suffix) >= earliestEndMs && startOf(suffix) <= latestStartMs;
}

/** End first: sessions of a key are sorted by it. */
function endOf(suffix: BinaryKey): number {
  return msAt(suffix, 0);
}

function startOf(suffix: BinaryKey): number {
  return msAt(suffix, MS_BYTES);
}

function msAt(suffix: BinaryKey, position: number): number {
  let ms = 0;
  for (let index = 0; index < MS_BYTES; index += 1) ms = ms * 256 + suffix.charCodeAt(position + index);
  return ms;
}
