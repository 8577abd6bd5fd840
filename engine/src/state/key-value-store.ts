import type { Serde } from '../serde/serde.ts';
import type { KeyValueBytesStore, StateStore } from './state-store.ts';

/** One entry of a store, as iterators hand it out; stays valid. */
export interface KeyValue<K, V> {
  /** The entry's key, decoded. */
  readonly key: K;
  /** The entry's value, decoded. */
  readonly value: V;
}

/** A value and the time of the record that made it, epoch ms. */
export interface ValueAndTimestamp<V> {
  /** What the record said; never null, since a deletion leaves no entry. */
  readonly value: V;
  /** Event time of the record that made it, epoch ms. */
  readonly timestampMs: number;
}

/**
 * Entries of a store in byte order of the serialized keys (or its reverse). Closes itself at the end, when a `for … of`
 * is left, or at the end of a `using` scope; an iterator left half-read otherwise must be closed by hand.
 */
export interface KeyValueIterator<K, V> extends IterableIterator<KeyValue<K, V>, undefined, unknown>, Disposable {
  /** Ends the iteration before its end. May be called again. */
  close(): void;
}

/**
 * What may be read of a key-value store, by its task and the test driver (Java's `ReadOnlyKeyValueStore`). Absent keys
 * answer undefined, never null. A null key throws a `TypeError`.
 */
export interface ReadOnlyKeyValueStore<K, V> {
  /** The value of a key; undefined where there is none. */
  get(key: K): V | undefined;
  /**
   * Entries of the keys between two, in byte order of the serialized keys. Both bounds inclusive; undefined is an open
   * end.
   */
  range(from: K | undefined, to: K | undefined): KeyValueIterator<K, V>;
  /** Entries of the keys between two, from the last to the first. Both bounds inclusive; undefined is an open end. */
  reverseRange(from: K | undefined, to: K | undefined): KeyValueIterator<K, V>;
  /** All entries, in byte order of the serialized keys. */
  all(): KeyValueIterator<K, V>;
  /** All entries, from the last to the first. */
  reverseAll(): KeyValueIterator<K, V>;
  /** Entries whose serialized key starts with the serialized prefix. */
  prefixScan<P>(prefix: P, prefixSerde: Serde<P>): KeyValueIterator<K, V>;
  /**
   * How many entries there are, without reading them: exact for memory stores without a cache; for persistent ones,
   * what is on disk plus every uncommitted write, overwritten and deleted keys included.
   */
  approximateNumEntries(): number;
}

/**
 * Entries of a store of a running application. They are read in pages: each page shows one moment, between two records,
 * and the next one goes on behind the last key that was handed out. So an entry that is written or deleted while the
 * iteration is under way shows, or does not, by whether its page has been read already; no key comes twice, and none
 * that was there all the time is missed.
 *
 * Nothing of the store is held open between two pages. Leaving a `for await`, `close` and `return` end the iteration. A
 * step rejects with `INVALID_STATE_STORE` (recovery `retry`) when its partition is moved or restored meanwhile: begin
 * again.
 */
export interface AsyncKeyValueIterator<K, V>
  extends AsyncIterableIterator<KeyValue<K, V>, undefined, unknown>,
    AsyncDisposable {
  /** Ends the iteration. */
  close(): void;
}

/**
 * A key-value store of a running application, as {@link ReadOnlyKeyValueStore} but asynchronous: each read is a message
 * to the tasks that hold the store, answered between two records. It sees everything that they have processed,
 * committed or not.
 *
 * Reads reject with `INVALID_STATE_STORE` (recovery `retry`) while a partition is restored or moved, when none is here,
 * and when too many reads of a task wait already.
 */
export interface AsyncReadOnlyKeyValueStore<K, V> {
  /** The value of a key; undefined where there is none. */
  get(key: K): Promise<V | undefined>;
  /**
   * Both bounds inclusive; undefined is an open end. In byte order of the serialized keys within a partition, partition
   * by partition.
   */
  range(from: K | undefined, to: K | undefined): AsyncKeyValueIterator<K, V>;
  /** Entries of the keys between two, each partition from its last key to its first. Bounds as in {@link range}. */
  reverseRange(from: K | undefined, to: K | undefined): AsyncKeyValueIterator<K, V>;
  /** All entries, in the order of {@link range}. */
  all(): AsyncKeyValueIterator<K, V>;
  /** All entries, in the order of {@link reverseRange}. */
  reverseAll(): AsyncKeyValueIterator<K, V>;
  /** Entries whose serialized key starts with the serialized prefix. */
  prefixScan<P>(prefix: P, prefixSerde: Serde<P>): AsyncKeyValueIterator<K, V>;
  /** About how many entries the partitions here hold. */
  approximateNumEntries(): Promise<number>;
}

/**
 * A typed key-value store of one task, for its processors (Java's `KeyValueStore`). `bytes` is the store beneath, for
 * code that already has serialized keys.
 */
export interface KeyValueStore<K, V> extends StateStore, ReadOnlyKeyValueStore<K, V> {
  /** The store beneath, without serdes. */
  readonly bytes: KeyValueBytesStore;
  /** Serde of the keys in store and changelog. */
  readonly keySerde: Serde<K>;
  /** Null and undefined delete. The entry's timestamp is that of the record being processed. */
  put(key: K, value: V | null | undefined): void;
  /** Writes only where there is nothing; answers what was there. */
  putIfAbsent(key: K, value: V | null | undefined): V | undefined;
  /** Puts one entry after the other. */
  putAll(entries: Iterable<KeyValue<K, V | null | undefined>>): void;
  /** Deletes a key and answers what was there. */
  delete(key: K): V | undefined;
}

/** A key-value store whose values carry their own timestamps, as those of KTables do. */
export type TimestampedKeyValueStore<K, V> = KeyValueStore<K, ValueAndTimestamp<V>>;
