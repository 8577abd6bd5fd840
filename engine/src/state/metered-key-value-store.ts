import { type BinaryKey, binaryKey } from '../base/bytes.ts';
import type { Serde } from '../serde/serde.ts';
import type { KeyValue, KeyValueIterator, KeyValueStore, ValueAndTimestamp } from './key-value-store.ts';
import { MeteredIterator } from './metered-iterator.ts';
import { MeteredStore } from './metered-store.ts';
import type { KeyValueBytesStore, StoredValue, StoreEntry, StoreIterator } from './state-store.ts';

/**
 * What plain and timestamped key-value stores share.
 *
 * Owns: nothing; all state is in `bytes`.
 * Called by: processors, DSL nodes, interactive queries.
 */
export abstract class MeteredKeyValueStore<K, V, S>
  extends MeteredStore<KeyValueBytesStore, K, V, S>
  implements KeyValueStore<K, S>
{
  get(key: K): S | undefined {
    const stored = this.bytes.get(this.binary(key));
    return stored === undefined ? undefined : this.toUser(stored);
  }

  put(key: K, value: S | null | undefined): void {
    this.#putBinary(this.binary(key), value);
  }

  putIfAbsent(key: K, value: S | null | undefined): S | undefined {
    const binary = this.binary(key);
    const stored = this.bytes.get(binary);
    if (stored !== undefined) return this.toUser(stored);
    this.#putBinary(binary, value);
    return undefined;
  }

  putAll(entries: Iterable<KeyValue<K, S | null | undefined>>): void {
    for (const { key, value } of entries) this.put(key, value);
  }

  delete(key: K): S | undefined {
    const binary = this.binary(key);
    const stored = this.bytes.get(binary);
    this.#putBinary(binary, null);
    return stored === undefined ? undefined : this.toUser(stored);
  }

  range(from: K | undefined, to: K | undefined): KeyValueIterator<K, S> {
    return this.#iterate(this.bytes.range(this.bound(from), this.bound(to), 'forward'));
  }

  reverseRange(from: K | undefined, to: K | undefined): KeyValueIterator<K, S> {
    return this.#iterate(this.bytes.range(this.bound(from), this.bound(to), 'reverse'));
  }

  all(): KeyValueIterator<K, S> {
    return this.#iterate(this.bytes.range(undefined, undefined, 'forward'));
  }

  reverseAll(): KeyValueIterator<K, S> {
    return this.#iterate(this.bytes.range(undefined, undefined, 'reverse'));
  }

  prefixScan<P>(prefix: P, prefixSerde: Serde<P>): KeyValueIterator<K, S> {
    if (prefix === null || prefix === undefined) {
      throw new TypeError(`State store ${this.name}: the prefix may not be null`);
    }
    return this.#iterate(this.bytes.prefixScan(binaryKey(prefixSerde.serialize(prefix, this.topic))));
  }

  approximateNumEntries(): number {
    return this.bytes.approximateNumEntries();
  }

  /** @internal An entry as iterators and queries hand it out. */
  entryOf(entry: StoreEntry<BinaryKey>): KeyValue<K, S> {
    return { key: this.keyOf(entry.key), value: this.toUser(entry) };
  }

  #putBinary(key: BinaryKey, value: S | null | undefined): void {
    const bytes = value === null || value === undefined ? null : this.toBytes(value);
    const timestampMs = bytes === null ? (this.context?.timestampMs() ?? 0) : this.timestampOf(value as S);
    this.bytes.put(key, bytes, timestampMs);
  }

  #iterate(entries: StoreIterator<BinaryKey>): KeyValueIterator<K, S> {
    return new MeteredIterator(this.openIterators, entries, (entry: StoreEntry<BinaryKey>) => this.entryOf(entry));
  }
}

/**
 * Values without timestamps before a bytes store; a put has the time of the record being processed.
 * @internal Made by `Stores.keyValueStoreBuilder`.
 */
export class PlainKeyValueStore<K, V> extends MeteredKeyValueStore<K, V, V> {
  /** The values of a store that keeps timestamps beside them. */
  static of<K, V>(store: TimestampedStore<K, V>): PlainKeyValueStore<K, V> {
    return new PlainKeyValueStore(store.bytes, store.keySerde, store.valueSerde).view(store);
  }

  toUser(stored: StoredValue): V {
    return this.valueSerde.deserialize(stored.value, 0, stored.value.length, this.topic);
  }

  protected toBytes(value: V): Buffer {
    return this.valueSerde.serialize(value, this.topic);
  }

  protected timestampOf(): number {
    return this.context?.timestampMs() ?? 0;
  }
}

/**
 * Values with their timestamps before a bytes store.
 * @internal Made by `Stores.timestampedKeyValueStoreBuilder`.
 */
export class TimestampedStore<K, V> extends MeteredKeyValueStore<K, V, ValueAndTimestamp<V>> {
  #plain: PlainKeyValueStore<K, V> | undefined;

  /** The values alone: what a query of a key-value store sees, as in Kafka Streams. */
  get plain(): PlainKeyValueStore<K, V> {
    this.#plain ??= PlainKeyValueStore.of(this);
    return this.#plain;
  }

  toUser(stored: StoredValue): ValueAndTimestamp<V> {
    const value = this.valueSerde.deserialize(stored.value, 0, stored.value.length, this.topic);
    return { value, timestampMs: stored.timestampMs };
  }

  protected toBytes(value: ValueAndTimestamp<V>): Buffer | null {
    return value.value === null || value.value === undefined
      ? null
      : this.valueSerde.serialize(value.value, this.topic);
  }

  protected timestampOf(value: ValueAndTimestamp<V>): number {
    return value.timestampMs;
  }
}
