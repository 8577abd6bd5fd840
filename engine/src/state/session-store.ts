import type { Serde } from '../serde/serde.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { KeyValueIterator } from './key-value-store.ts';
import type { SessionBytesStore, StateStore } from './state-store.ts';

/**
 * What interactive queries may do with a session store. Times are epoch ms, both ends of a session inclusive. Sessions of one
 * key come by ascending end, those of several keys by key, then end; `backward…` turns the whole order round.
 */
export interface ReadOnlySessionStore<K, V> {
  /** The session of exactly these bounds. */
  fetchSession(key: K, startMs: number, endMs: number): V | undefined;
  /** All sessions of a key. */
  fetch(key: K): KeyValueIterator<Windowed<K>, V>;
  /** All sessions of the keys between two, both included; undefined is an open end. */
  fetch(from: K | undefined, to: K | undefined): KeyValueIterator<Windowed<K>, V>;
  backwardFetch(key: K): KeyValueIterator<Windowed<K>, V>;
  backwardFetch(from: K | undefined, to: K | undefined): KeyValueIterator<Windowed<K>, V>;
  /** Sessions of a key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier. */
  findSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V>;
  /** The same for the keys between two, both included. */
  findSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  backwardFindSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V>;
  backwardFindSessions(
    from: K | undefined,
    to: K | undefined,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
}

/** A typed session store of one task. `bytes` is the store beneath, for code that already has serialized keys. */
export interface SessionStore<K, V> extends StateStore, ReadOnlySessionStore<K, V> {
  readonly bytes: SessionBytesStore;
  readonly keySerde: Serde<K>;
  readonly retentionMs: number;
  /** Null and undefined remove. Dropped when the session ended before the retention. */
  put(session: Windowed<K>, value: V | null | undefined): void;
  remove(session: Windowed<K>): void;
}
