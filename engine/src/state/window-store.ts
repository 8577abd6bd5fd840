import type { Serde } from '../serde/serde.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { AsyncKeyValueIterator, KeyValueIterator, ValueAndTimestamp } from './key-value-store.ts';
import type { StateStore, WindowBytesStore } from './state-store.ts';

/**
 * What may be read of a window store, by its task and the test driver (Java's `ReadOnlyWindowStore`). All times are
 * window starts in epoch ms, ranges inclusive at both ends. Windows that have expired are not shown. A null key throws
 * a `TypeError`.
 */
export interface ReadOnlyWindowStore<K, V> {
  /** The window that starts exactly at `windowStartMs`. */
  fetch(key: K, windowStartMs: number): V | undefined;
  /** Windows of one key by ascending start; the entries' keys are the starts. */
  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  /** Windows of the keys between two, both included, by key, then start; undefined is an open end. */
  fetch(keyFrom: K | undefined, keyTo: K | undefined, fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  /** Windows of one key by descending start; the entries' keys are the starts. */
  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  /** Windows of the keys between two, both included, by descending key, then start; undefined is an open end. */
  backwardFetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  /** Windows of all keys whose start lies between two times, by key, then start. */
  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  /** Windows of all keys whose start lies between two times, by descending key, then start. */
  backwardFetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  /** All windows of all keys, by key, then start. */
  all(): KeyValueIterator<Windowed<K>, V>;
  /** All windows of all keys, by descending key, then start. */
  backwardAll(): KeyValueIterator<Windowed<K>, V>;
}

/**
 * A window store of a running application, as {@link ReadOnlyWindowStore} but asynchronous, with the rules of
 * {@link AsyncReadOnlyKeyValueStore}. All times are window starts in epoch ms, ranges inclusive at both ends.
 */
export interface AsyncReadOnlyWindowStore<K, V> {
  /** The value of the window that starts exactly at `windowStartMs`; undefined where there is none. */
  fetch(key: K, windowStartMs: number): Promise<V | undefined>;
  /** Windows of one key by ascending start; the entries' keys are the starts. */
  fetch(key: K, fromMs: number, toMs: number): AsyncKeyValueIterator<number, V>;
  /** Windows of the keys between two, both included, by key, then start; undefined is an open end. */
  fetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): AsyncKeyValueIterator<Windowed<K>, V>;
  /** Windows of one key by descending start; the entries' keys are the starts. */
  backwardFetch(key: K, fromMs: number, toMs: number): AsyncKeyValueIterator<number, V>;
  /** Windows of the keys between two, both included, by descending key, then start; undefined is an open end. */
  backwardFetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): AsyncKeyValueIterator<Windowed<K>, V>;
  /** Windows of all keys that start between two moments, by key, then start. */
  fetchAll(fromMs: number, toMs: number): AsyncKeyValueIterator<Windowed<K>, V>;
  /** Windows of all keys that start between two moments, by descending key, then start. */
  backwardFetchAll(fromMs: number, toMs: number): AsyncKeyValueIterator<Windowed<K>, V>;
  /** All windows, by key, then start. */
  all(): AsyncKeyValueIterator<Windowed<K>, V>;
  /** All windows in the reverse order. */
  backwardAll(): AsyncKeyValueIterator<Windowed<K>, V>;
}

/**
 * A typed window store of one task, for its processors (Java's `WindowStore`). `bytes` is the store beneath, for code
 * that already has serialized keys.
 */
export interface WindowStore<K, V> extends StateStore, ReadOnlyWindowStore<K, V> {
  /** The store beneath, without serdes. */
  readonly bytes: WindowBytesStore;
  /** Serde of the record keys in store and changelog. */
  readonly keySerde: Serde<K>;
  /** Length of the windows, ms. */
  readonly windowSizeMs: number;
  /** How long a window is kept after the newest window's start, ms. */
  readonly retentionMs: number;
  /**
   * Writes the window that starts then; null and undefined delete it. A window that has expired is dropped and counted
   * in `expired-window-record-drop`.
   */
  put(key: K, value: V | null | undefined, windowStartMs: number): void;
}

/** A window store whose values carry their own timestamps, as those of windowed aggregations do. */
export type TimestampedWindowStore<K, V> = WindowStore<K, ValueAndTimestamp<V>>;
