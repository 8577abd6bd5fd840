import type { RecordBatch } from '../../base/record-batch.ts';
import type { StateStore, StateStoreContext, StoredValue } from '../state-store.ts';
import { storeClosed } from '../store-support.ts';
import type { CachedStore, CacheListener, CacheOrigin, RecordCacheContext } from './cache-origin.ts';
import { type DirtyEntry, RecordCache, type RecordCacheOptions } from './record-cache.ts';

/**
 * What all caching stores share: puts stay in the cache until it needs room or the task commits; then the newest value of each
 * key goes to the store beneath, its changelog and the listener, as if its record were processed just then.
 *
 * Owns: the store beneath and this store's share of the thread's cache.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 reads see cached puts; I2 the listener is told after the store beneath has the value, with the value before the
 * first cached put as the old one; I3 a key that was put and deleted between two flushes leaves no trace where somebody
 * listens; I4 after `flush` nothing is dirty until the next put.
 */
export abstract class CachingStore<B extends StateStore> implements StateStore, CachedStore {
  /** The store beneath: it has what was flushed, not what waits in the cache. */
  readonly inner: B;
  /** This store's entries in the memory that all stores of the thread share. */
  protected readonly cache: RecordCache;
  #context: RecordCacheContext | undefined;
  #timestampMs: (() => number) | undefined;
  #listener: CacheListener | undefined;
  #wantsOld = false;

  /** `sizes`: what Kafka Streams adds to the size of each key and value, in bytes. */
  constructor(inner: B, sizes: Pick<RecordCacheOptions, 'keyOverheadBytes' | 'valueOverheadBytes'>) {
    this.inner = inner;
    this.cache = new RecordCache({
      ...sizes,
      onFlush: (entries) => this.#write(entries),
      onAdded: (node) => this.added(node),
      onRemoved: (node) => this.removed(node),
    });
  }

  /** Value of the store beneath. */
  protected abstract readInner(dirty: DirtyEntry): StoredValue | undefined;
  /** Puts an entry that leaves the cache into the store beneath, which logs it. */
  protected abstract writeInner(dirty: DirtyEntry, timestampMs: number): void;
  /** The whole serialized key, as the table's readers see it. */
  protected abstract keyBytes(dirty: DirtyEntry): Buffer;
  /** Timestamp of the record that tells of a flushed change. */
  protected forwardedTimeMs(dirty: DirtyEntry): number {
    return dirty.entry.timestampMs;
  }

  /** Is told each place that enters the cache; for stores that index their cached keys. */
  protected added(_node: { readonly key: string; readonly suffix: string }): void {}
  /** Is told each place that has left the cache; for stores that index their cached keys. */
  protected removed(_node: { readonly key: string; readonly suffix: string }): void {}

  get name(): string {
    return this.inner.name;
  }

  get persistent(): boolean {
    return this.inner.persistent;
  }

  get isOpen(): boolean {
    return this.inner.isOpen;
  }

  get restoredOffset(): number | undefined {
    return this.inner.restoredOffset;
  }

  get lastDurableMs(): number | undefined {
    return this.inner.lastDurableMs;
  }

  get wantsCommit(): boolean {
    return this.inner.wantsCommit === true;
  }

  get isDirty(): boolean {
    return this.cache.isDirty;
  }

  setCacheListener(listener: CacheListener, wantsOld: boolean): void {
    this.#listener = listener;
    this.cache.forwards = true;
    this.#wantsOld = wantsOld;
  }

  /** The task's cache; throws where the store is not open. */
  protected get context(): RecordCacheContext {
    if (this.#context === undefined) throw storeClosed(this.name);
    return this.#context;
  }

  /** The time that deletions carry: that of the record being processed. */
  protected timeOf(value: Buffer | null, timestampMs: number): number {
    return value === null ? (this.#timestampMs as () => number)() : timestampMs;
  }

  open(context: StateStoreContext): void {
    if (context.cache === undefined) throw storeClosed(`${this.name} (its task has no record cache)`);
    this.inner.open(context);
    this.#context = context.cache;
    this.#timestampMs = () => context.timestampMs();
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    this.inner.restore(batch, nextOffset);
  }

  flush(): void {
    this.context.thread.flush(this.cache);
    this.inner.flush();
  }

  commit(changelogOffset: number | undefined): void {
    this.inner.commit(changelogOffset);
  }

  rollback(): boolean {
    this.context.thread.clear(this.cache);
    return this.inner.rollback();
  }

  /** What is dirty is lost unless it was flushed before. */
  close(): void {
    this.#context?.thread.clear(this.cache);
    this.#context = undefined;
    this.inner.close();
  }

  wipe(): void {
    this.inner.wipe();
  }

  #write(entries: readonly DirtyEntry[]): void {
    for (const dirty of entries) this.#writeOne(dirty);
  }

  #writeOne(dirty: DirtyEntry): void {
    const { value, timestampMs } = dirty.entry;
    const origin = dirty.entry.origin as CacheOrigin;
    const listener = this.#listener;
    let oldValue: Buffer | null = null;
    if (listener !== undefined && (value === null || this.#wantsOld)) {
      oldValue = this.readInner(dirty)?.value ?? null;
      if (value === null && oldValue === null) return;
    }
    const { context } = this;
    const outer = context.enter(origin);
    try {
      this.writeInner(dirty, timestampMs);
      const forwardedMs = this.forwardedTimeMs(dirty);
      listener?.flushed(this.keyBytes(dirty), value, this.#wantsOld ? oldValue : null, forwardedMs, origin);
    } finally {
      context.leave(outer);
    }
  }
}
