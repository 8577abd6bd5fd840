import { type Windowed, windowEndMs } from '../serde/windowed.ts';
import type { KeyValue, KeyValueIterator, ValueAndTimestamp } from './key-value-store.ts';
import { MeteredIterator } from './metered-iterator.ts';
import { MeteredStore } from './metered-store.ts';
import type { StoredValue, StoreEntry, StoreIterator, WindowBytesStore, WindowedBytesKey } from './state-store.ts';
import type { WindowStore } from './window-store.ts';

type KeyRange<K> = [keyFrom: K | undefined, keyTo: K | undefined, fromMs: number, toMs: number];

/**
 * What plain and timestamped window stores share.
 *
 * Owns: nothing; all state is in `bytes`.
 * Called by: processors, DSL nodes, interactive queries.
 */
export abstract class MeteredWindowStore<K, V, S>
  extends MeteredStore<WindowBytesStore, K, V, S>
  implements WindowStore<K, S>
{
  get windowSizeMs(): number {
    return this.bytes.windowSizeMs;
  }

  get retentionMs(): number {
    return this.bytes.retentionMs;
  }

  put(key: K, value: S | null | undefined, windowStartMs: number): void {
    const bytes = value === null || value === undefined ? null : this.toBytes(value);
    const timestampMs = bytes === null ? (this.context?.timestampMs() ?? 0) : this.timestampOf(value as S);
    this.bytes.put(this.binary(key), bytes, windowStartMs, timestampMs);
  }

  fetch(key: K, windowStartMs: number): S | undefined;
  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, S>;
  fetch(keyFrom: K | undefined, keyTo: K | undefined, fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, S>;
  fetch(
    ...args: [K, number, number?] | KeyRange<K>
  ): S | undefined | KeyValueIterator<number, S> | KeyValueIterator<Windowed<K>, S> {
    if (args.length === 4) return this.#fetchRange(args, 'forward');
    const [key, fromMs, toMs] = args;
    if (toMs !== undefined) return this.#byStart(this.bytes.fetch(this.binary(key), fromMs, toMs, 'forward'));
    const stored = this.bytes.get(this.binary(key), fromMs);
    return stored === undefined ? undefined : this.toUser(stored);
  }

  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, S>;
  backwardFetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): KeyValueIterator<Windowed<K>, S>;
  backwardFetch(
    ...args: [K, number, number] | KeyRange<K>
  ): KeyValueIterator<number, S> | KeyValueIterator<Windowed<K>, S> {
    if (args.length === 4) return this.#fetchRange(args, 'reverse');
    const [key, fromMs, toMs] = args;
    return this.#byStart(this.bytes.fetch(this.binary(key), fromMs, toMs, 'reverse'));
  }

  fetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, S> {
    return this.#byWindow(this.bytes.fetchAll(fromMs, toMs, 'forward'));
  }

  backwardFetchAll(fromMs: number, toMs: number): KeyValueIterator<Windowed<K>, S> {
    return this.#byWindow(this.bytes.fetchAll(fromMs, toMs, 'reverse'));
  }

  all(): KeyValueIterator<Windowed<K>, S> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  backwardAll(): KeyValueIterator<Windowed<K>, S> {
    return this.backwardFetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  #fetchRange(
    [from, to, fromMs, toMs]: KeyRange<K>,
    direction: 'forward' | 'reverse',
  ): KeyValueIterator<Windowed<K>, S> {
    return this.#byWindow(this.bytes.fetchRange(this.bound(from), this.bound(to), fromMs, toMs, direction));
  }

  /** @internal An entry as iterators and queries over several keys hand it out. */
  entryOf(entry: StoreEntry<WindowedBytesKey>): KeyValue<Windowed<K>, S> {
    const startMs = entry.key.windowStartMs;
    const window = { startMs, endMs: windowEndMs(startMs, this.windowSizeMs) };
    return { key: { key: this.keyOf(entry.key.key), window }, value: this.toUser(entry) };
  }

  #byStart(entries: StoreIterator<WindowedBytesKey>): KeyValueIterator<number, S> {
    return new MeteredIterator(this.openIterators, entries, (entry: StoreEntry<WindowedBytesKey>) => ({
      key: entry.key.windowStartMs,
      value: this.toUser(entry),
    }));
  }

  #byWindow(entries: StoreIterator<WindowedBytesKey>): KeyValueIterator<Windowed<K>, S> {
    return new MeteredIterator(this.openIterators, entries, (entry: StoreEntry<WindowedBytesKey>) =>
      this.entryOf(entry),
    );
  }
}

/**
 * Values without timestamps before a bytes store; a put has the time of the record being processed.
 * @internal Made by `Stores.windowStoreBuilder`.
 */
export class PlainWindowStore<K, V> extends MeteredWindowStore<K, V, V> {
  /** The values of a store that keeps timestamps beside them. */
  static of<K, V>(store: TimestampedPlainWindowStore<K, V>): PlainWindowStore<K, V> {
    return new PlainWindowStore(store.bytes, store.keySerde, store.valueSerde).view(store);
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
 * @internal Made by `Stores.timestampedWindowStoreBuilder`.
 */
export class TimestampedPlainWindowStore<K, V> extends MeteredWindowStore<K, V, ValueAndTimestamp<V>> {
  #plain: PlainWindowStore<K, V> | undefined;

  /** The values alone: what a query of a window store sees, as in Kafka Streams. */
  get plain(): PlainWindowStore<K, V> {
    this.#plain ??= PlainWindowStore.of(this);
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
