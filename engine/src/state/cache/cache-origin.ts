import type { Header } from '../../base/record-batch.ts';
import type { ThreadCache } from './thread-cache.ts';

/** The record during whose processing an entry was put. Made by the task; stores keep it and hand it back. */
export interface CacheOrigin {
  /** Topic of the input record; empty for punctuators. */
  readonly topic: string;
  /** Timestamp of the record that the putting node had before it, epoch ms. */
  readonly timestampMs: number;
  /** Headers of that record; undefined: none. */
  readonly headers: Iterable<Header> | undefined;
}

/** What caching stores use of their task. */
export interface RecordCacheContext {
  /** The memory that all caches of the stream thread share. */
  readonly thread: ThreadCache;
  /** False where somebody else reads, such as an interactive query: then nothing is cached, let alone evicted. */
  readonly isProcessing: boolean;
  /** Copies the records that nodes are in the middle of; the answer puts them back. */
  saveRecords(): () => void;
  /** The record being processed, as something that may be kept. */
  origin(): CacheOrigin;
  /** Until `leave`, everything happens as part of processing `origin`. Answers what `leave` needs. */
  enter(origin: CacheOrigin): unknown;
  /** Ends what `enter` began; `outer` is what that answered. */
  leave(outer: unknown): void;
}

/**
 * Takes what a cache lets go of. `key` is the whole serialized key (window bounds included); a null value is a deletion; the old
 * value is null unless it was asked for.
 */
export interface CacheListener {
  /** Is told a change after the store beneath has it, while `origin` counts as the record being processed. */
  flushed(
    key: Buffer,
    newValue: Buffer | null,
    oldValue: Buffer | null,
    timestampMs: number,
    origin: CacheOrigin,
  ): void;
}

/** A store that holds puts back in a cache. */
export interface CachedStore {
  /** From now on changes are told as they leave the cache; `wantsOld`: with the value that the store had before. */
  setCacheListener(listener: CacheListener, wantsOld: boolean): void;
  /** Entries wait in the cache that neither store nor changelog has. */
  readonly isDirty: boolean;
}

/** The store as a cached one; undefined where it isn't. */
export function asCachedStore(store: object): CachedStore | undefined {
  return 'setCacheListener' in store ? (store as CachedStore) : undefined;
}
