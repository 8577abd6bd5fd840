import type { Serde } from '../serde/serde.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { KeyValueIterator, ValueAndTimestamp } from './key-value-store.ts';
import type { StateStore, WindowBytesStore } from './state-store.ts';

/** What interactive queries may do with a window store. All times are window starts in epoch ms, ranges inclusive at both ends. */
export interface ReadOnlyWindowStore<K, V> {
  /** The window that starts exactly at `windowStartMs`. */
  fetch(key: K, windowStartMs: number): V | undefined;
  /** Windows of one key by ascending start; the entries' keys are the starts. */
  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  /** Windows of the keys between two, both included; undefined is an open end. */
  fetch(keyFrom: K | undefined, keyTo: K | undefined, fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, V>;
  backwardFetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, V>;
  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  backwardFetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, V>;
  all(): KeyValueIterator<Windowed<K>, V>;
  backwardAll(): KeyValueIterator<Windowed<K>, V>;
}

/** A typed window store of one task. `bytes` is the store beneath, for code that already has serialized keys. */
export interface WindowStore<K, V> extends StateStore, ReadOnlyWindowStore<K, V> {
  readonly bytes: WindowBytesStore;
  readonly keySerde: Serde<K>;
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  /** Null and undefined delete. Dropped when the window is older than the retention. */
  put(key: K, value: V | null | undefined, windowStartMs: number): void;
}

/** A window store whose values carry their own timestamps, as those of windowed aggregations do. */
export type TimestampedWindowStore<K, V> = WindowStore<K, ValueAndTimestamp<V>>;
