import type { Serde } from '../serde/serde.ts';
import { MeteredStore } from './metered-store.ts';
import type { StateStore } from './state-store.ts';
import type { StoredVersion, VersionedBytesStore } from './versioned/versioned-bytes-store.ts';

/** A value with the time from which it counts (Java's `VersionedRecord`). */
export interface VersionedRecord<V> {
  /** The value that counted. */
  readonly value: V;
  /** From when it counts, epoch ms. */
  readonly timestampMs: number;
  /** When another value or a tombstone took its place, epoch ms; undefined: it is the newest. */
  readonly validToMs: number | undefined;
}

/** What may be read of a versioned store, by its task and the test driver. A null key throws a `TypeError`. */
export interface ReadOnlyVersionedKeyValueStore<K, V> {
  /**
   * The newest value, or the one that counted at `asOfMs` (undefined too where that is longer ago than the history is
   * kept).
   */
  get(key: K, asOfMs?: number): VersionedRecord<V> | undefined;
  /**
   * Values that counted somewhere in `[fromMs, toMs]`, by ascending time unless `order` says otherwise; either end may
   * be left open by undefined. Throws a `RangeError` where `fromMs` is after `toMs`.
   */
  fetch(
    key: K,
    fromMs: number | undefined,
    toMs: number | undefined,
    order?: 'ascending' | 'descending',
  ): readonly VersionedRecord<V>[];
}

/**
 * A versioned store of a running application, as {@link ReadOnlyVersionedKeyValueStore} but asynchronous, with the
 * rules of `AsyncReadOnlyKeyValueStore`.
 */
export interface AsyncReadOnlyVersionedKeyValueStore<K, V> {
  /**
   * The newest value, or the one that counted at `asOfMs` (undefined too where that is longer ago than the history is
   * kept).
   */
  get(key: K, asOfMs?: number): Promise<VersionedRecord<V> | undefined>;
  /** Values that counted somewhere in `[fromMs, toMs]`, all of one moment; either end may be left open by undefined. */
  fetch(
    key: K,
    fromMs: number | undefined,
    toMs: number | undefined,
    order?: 'ascending' | 'descending',
  ): Promise<readonly VersionedRecord<V>[]>;
}

/**
 * A store that knows what every key held at any time of the last `historyRetentionMs`, for processors and joins by
 * event time (Java's `VersionedKeyValueStore`). Late values are put where they belong in time.
 */
export interface VersionedKeyValueStore<K, V> extends StateStore, ReadOnlyVersionedKeyValueStore<K, V> {
  /** The store beneath, without serdes. */
  readonly bytes: VersionedBytesStore;
  /** Serde of the keys in store and changelog. */
  readonly keySerde: Serde<K>;
  /** How long old values are known and late ones taken, ms of stream time. */
  readonly historyRetentionMs: number;
  /**
   * Null and undefined are a tombstone. Answers until when the value counts: `validToUndefined` (-1) for the newest,
   * `notPut` where it came later than the history is kept.
   */
  put(key: K, value: V | null | undefined, timestampMs: number): number;
  /** A tombstone at that time; answers what counted then. */
  delete(key: K, timestampMs: number): VersionedRecord<V> | undefined;
}

/**
 * Puts serdes before a versioned bytes store.
 *
 * Owns: nothing; all state is in `bytes`.
 * Called by: processors, interactive queries.
 *
 * @internal Made by `Stores.versionedKeyValueStoreBuilder`.
 */
export class TypedVersionedStore<K, V>
  extends MeteredStore<VersionedBytesStore, K, V, VersionedRecord<V>>
  implements VersionedKeyValueStore<K, V>
{
  get historyRetentionMs(): number {
    return this.bytes.historyRetentionMs;
  }

  get(key: K, asOfMs?: number): VersionedRecord<V> | undefined {
    const binary = this.binary(key);
    if (asOfMs !== undefined) return this.#versionOf(this.bytes.getAsOf(binary, asOfMs));
    const newest = this.bytes.get(binary);
    return newest === undefined ? undefined : this.toUser({ ...newest, validToMs: undefined });
  }

  fetch(
    key: K,
    fromMs: number | undefined,
    toMs: number | undefined,
    order: 'ascending' | 'descending' = 'ascending',
  ): readonly VersionedRecord<V>[] {
    const from = fromMs ?? Number.NEGATIVE_INFINITY;
    const to = toMs ?? Number.POSITIVE_INFINITY;
    if (from > to) throw new RangeError(`State store ${this.name}: fetch from ${from} to ${to}, which is earlier`);
    const versions = this.bytes.versions(this.binary(key), from, to).map((version) => this.toUser(version));
    return order === 'ascending' ? versions : versions.reverse();
  }

  put(key: K, value: V | null | undefined, timestampMs: number): number {
    const bytes = value === null || value === undefined ? null : this.valueSerde.serialize(value, this.topic);
    return this.bytes.put(this.binary(key), bytes, timestampMs);
  }

  delete(key: K, timestampMs: number): VersionedRecord<V> | undefined {
    return this.#versionOf(this.bytes.delete(this.binary(key), timestampMs));
  }

  toUser({ value, timestampMs, validToMs }: StoredVersion): VersionedRecord<V> {
    return { value: this.valueSerde.deserialize(value, 0, value.length, this.topic), timestampMs, validToMs };
  }

  protected toBytes(record: VersionedRecord<V>): Buffer {
    return this.valueSerde.serialize(record.value as NonNullable<V>, this.topic);
  }

  protected timestampOf(record: VersionedRecord<V>): number {
    return record.timestampMs;
  }

  #versionOf(stored: StoredVersion | undefined): VersionedRecord<V> | undefined {
    return stored === undefined ? undefined : this.toUser(stored);
  }
}
