import type { Serde } from '../serde/serde.ts';
import type { KeyValueBytesStore, StateStore } from './state-store.ts';

/** One entry of a store, as iterators hand it out; stays valid. */
export interface KeyValue<K, V> {
  readonly key: K;
  readonly value: V;
}

/** A value and the time of the record that made it, epoch ms. */
export interface ValueAndTimestamp<V> {
  readonly value: V;
  readonly timestampMs: number;
}

/**
 * Entries of a store in byte order of the serialized keys (or its reverse). Closes itself at the end, when a `for … of` is
 * left, or at the end of a `using` scope; an iterator left half-read otherwise must be closed by hand.
 */
export interface KeyValueIterator<K, V> extends IterableIterator<KeyValue<K, V>, undefined, unknown>, Disposable {
  close(): void;
}

/** What interactive queries may do with a key-value store. Absent keys answer undefined, never null. */
export interface ReadOnlyKeyValueStore<K, V> {
  get(key: K): V | undefined;
  /** Both bounds inclusive; undefined is an open end. */
  range(from: K | undefined, to: K | undefined): KeyValueIterator<K, V>;
  reverseRange(from: K | undefined, to: K | undefined): KeyValueIterator<K, V>;
  all(): KeyValueIterator<K, V>;
  reverseAll(): KeyValueIterator<K, V>;
  /** Entries whose serialized key starts with the serialized prefix. */
  prefixScan<P>(prefix: P, prefixSerde: Serde<P>): KeyValueIterator<K, V>;
  approximateNumEntries(): number;
}

/** A typed key-value store of one task. `bytes` is the store beneath, for code that already has serialized keys. */
export interface KeyValueStore<K, V> extends StateStore, ReadOnlyKeyValueStore<K, V> {
  readonly bytes: KeyValueBytesStore;
  readonly keySerde: Serde<K>;
  /** Null and undefined delete. The entry's timestamp is that of the record being processed. */
  put(key: K, value: V | null | undefined): void;
  /** Writes only where there is nothing; answers what was there. */
  putIfAbsent(key: K, value: V | null | undefined): V | undefined;
  putAll(entries: Iterable<KeyValue<K, V | null | undefined>>): void;
  /** Answers what was there. */
  delete(key: K): V | undefined;
}

/** A key-value store whose values carry their own timestamps, as those of KTables do. */
export type TimestampedKeyValueStore<K, V> = KeyValueStore<K, ValueAndTimestamp<V>>;
