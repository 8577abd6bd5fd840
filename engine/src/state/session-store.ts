import type { Serde } from '../serde/serde.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { AsyncKeyValueIterator, KeyValueIterator } from './key-value-store.ts';
import type { SessionBytesStore, StateStore } from './state-store.ts';

/**
 * What may be read of a session store, by its task and the test driver (Java's `ReadOnlySessionStore`). Times are epoch
 * ms, both ends of a session inclusive. Sessions of one key come by ascending end, those of several keys by key, then
 * end; `backward…` turns the whole order round. A null key throws a `TypeError`.
 */
export interface ReadOnlySessionStore<K, V> {
  /** The session of exactly these bounds. */
  fetchSession(key: K, startMs: number, endMs: number): V | undefined;
  /** All sessions of a key. */
  fetch(key: K): KeyValueIterator<Windowed<K>, V>;
  /** All sessions of the keys between two, both included; undefined is an open end. */
  fetch(from: K | undefined, to: K | undefined): KeyValueIterator<Windowed<K>, V>;
  /** All sessions of a key by descending end. */
  backwardFetch(key: K): KeyValueIterator<Windowed<K>, V>;
  /** All sessions of the keys between two, both included, by descending key, then end; undefined is an open end. */
  backwardFetch(from: K | undefined, to: K | undefined): KeyValueIterator<Windowed<K>, V>;
  /** Sessions of a key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier. */
  findSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V>;
  /** Such sessions of the keys between two, both included; undefined is an open end. */
  findSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  /**
   * Sessions of a key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier, by descending end.
   */
  backwardFindSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V>;
  /** Such sessions of the keys between two, both included, by descending key, then end; undefined is an open end. */
  backwardFindSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
}

/**
 * A session store of a running application, as {@link ReadOnlySessionStore} but asynchronous, with the rules of {@link
 * AsyncReadOnlyKeyValueStore}. Times are epoch ms, both ends of a session inclusive. Sessions of one key come by
 * ascending end, those of several keys by key, then end; `backward…` turns the whole order round.
 */
export interface AsyncReadOnlySessionStore<K, V> {
  /** The value of the session of exactly these bounds; undefined where there is none. */
  fetchSession(key: K, startMs: number, endMs: number): Promise<V | undefined>;
  /** All sessions of a key. */
  fetch(key: K): AsyncKeyValueIterator<Windowed<K>, V>;
  /** All sessions of the keys between two, both included; undefined is an open end. */
  fetch(from: K | undefined, to: K | undefined): AsyncKeyValueIterator<Windowed<K>, V>;
  /** All sessions of a key, backwards. */
  backwardFetch(key: K): AsyncKeyValueIterator<Windowed<K>, V>;
  /** All sessions of the keys between two, both included, backwards; undefined is an open end. */
  backwardFetch(from: K | undefined, to: K | undefined): AsyncKeyValueIterator<Windowed<K>, V>;
  /** Sessions of a key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier. */
  findSessions(key: K, earliestEndMs: number, latestStartMs: number): AsyncKeyValueIterator<Windowed<K>, V>;
  /**
   * Sessions of the keys between two, both included, that end at `earliestEndMs` or later and start at `latestStartMs` or
   * earlier; undefined is an open end.
   */
  findSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): AsyncKeyValueIterator<Windowed<K>, V>;
  /** Sessions of a key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier, backwards. */
  backwardFindSessions(key: K, earliestEndMs: number, latestStartMs: number): AsyncKeyValueIterator<Windowed<K>, V>;
  /**
   * Sessions of the keys between two, both included, that end at `earliestEndMs` or later and start at `latestStartMs` or
   * earlier, backwards; undefined is an open end.
   */
  backwardFindSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): AsyncKeyValueIterator<Windowed<K>, V>;
}

/**
 * A typed session store of one task, for its processors (Java's `SessionStore`). `bytes` is the store beneath, for code
 * that already has serialized keys.
 */
export interface SessionStore<K, V> extends StateStore, ReadOnlySessionStore<K, V> {
  /** The store beneath, without serdes. */
  readonly bytes: SessionBytesStore;
  /** Serde of the record keys in store and changelog. */
  readonly keySerde: Serde<K>;
  /** How long a session is kept after the newest session's end, ms. */
  readonly retentionMs: number;
  /**
   * Writes a session; null and undefined remove it. One that has expired is dropped and counted in
   * `expired-window-record-drop`.
   */
  put(session: Windowed<K>, value: V | null | undefined): void;
  /** Removes the session of exactly these bounds; harmless where there is none. */
  remove(session: Windowed<K>): void;
}
