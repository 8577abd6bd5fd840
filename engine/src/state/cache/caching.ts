import type { KeyValueBytesStore, SessionBytesStore, WindowBytesStore } from '../state-store.ts';
import { CachingKeyValueStore } from './caching-key-value-store.ts';
import { CachingSessionStore } from './caching-session-store.ts';
import { CachingWindowStore } from './caching-window-store.ts';

/** Kafka Streams' cache reckons with the timestamp in front of the values of timestamped stores. */
const TIMESTAMP_BYTES = 8;

/** What the builder of a store says about caching. */
interface CachingWish {
  /** Whether the store is to have a cache where its task has one. */
  readonly cachingEnabled: boolean;
  /** Whether every put adds an entry; such window stores are never cached. */
  readonly retainDuplicates?: boolean;
}

/** Puts a record cache before a store whose builder wants one, where the task has one. */
export function withCache(
  bytes: KeyValueBytesStore,
  { cachingEnabled }: CachingWish,
  caching: boolean | undefined,
  timestamped: boolean,
): KeyValueBytesStore {
  if (caching !== true || !cachingEnabled) return bytes;
  return new CachingKeyValueStore(bytes, timestamped ? TIMESTAMP_BYTES : 0);
}

/**
 * Puts a record cache before a window store whose builder wants one; stores with duplicates get none, as in Kafka
 * Streams.
 */
export function withWindowCache(
  bytes: WindowBytesStore,
  { cachingEnabled, retainDuplicates }: CachingWish,
  caching: boolean | undefined,
  timestamped: boolean,
): WindowBytesStore {
  if (caching !== true || !cachingEnabled || retainDuplicates === true) return bytes;
  return new CachingWindowStore(bytes, timestamped ? TIMESTAMP_BYTES : 0);
}

/** Puts a record cache before a session store whose builder wants one, where the task has one. */
export function withSessionCache(
  bytes: SessionBytesStore,
  { cachingEnabled }: CachingWish,
  caching: boolean | undefined,
): SessionBytesStore {
  return caching === true && cachingEnabled ? new CachingSessionStore(bytes) : bytes;
}
