import { type BinaryKey, binaryKey, bytesOf } from '../base/bytes.ts';
import type { RecordBatch } from '../base/record-batch.ts';
import type { Serde } from '../serde/serde.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { KeyValueIterator, ValueAndTimestamp } from './key-value-store.ts';
import { MeteredIterator } from './metered-iterator.ts';
import type {
  StateStoreContext,
  StoredValue,
  StoreEntry,
  StoreIterator,
  WindowBytesStore,
  WindowedBytesKey,
} from './state-store.ts';
import type { WindowStore } from './window-store.ts';

/**
 * What plain and timestamped window stores share: serdes on the way in and out of a bytes store. `V` is the value serde's
 * type, `S` what users put and get.
 *
 * Owns: nothing; all state is in `bytes`.
 * Called by: processors, DSL nodes, interactive queries.
 * Invariants: I1 serdes see the changelog topic's name, as in Kafka Streams; I2 null and undefined never reach a serde.
 */
abstract class MeteredWindowStore<K, V, S> implements WindowStore<K, S> {
  readonly bytes: WindowBytesStore;
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  protected context: StateStoreContext | undefined;
  protected topic: string;

  constructor(bytes: WindowBytesStore, keySerde: Serde<K>, valueSerde: Serde<V>) {
    this.bytes = bytes;
    this.keySerde = keySerde;
    this.valueSerde = valueSerde;
    this.topic = `${bytes.name}-changelog`;
  }

  protected abstract toUser(stored: StoredValue): S;
  protected abstract toBytes(value: S): Buffer | null;
  protected abstract timestampOf(value: S): number;

  get name(): string {
    return this.bytes.name;
  }

  get persistent(): boolean {
    return this.bytes.persistent;
  }

  get isOpen(): boolean {
    return this.bytes.isOpen;
  }

  get restoredOffset(): number | undefined {
    return this.bytes.restoredOffset;
  }

  get windowSizeMs(): number {
    return this.bytes.windowSizeMs;
  }

  get retentionMs(): number {
    return this.bytes.retentionMs;
  }

  get lastDurableMs(): number | undefined {
    return this.bytes.lastDurableMs;
  }

  get wantsCommit(): boolean {
    return this.bytes.wantsCommit === true;
  }

  open(context: StateStoreContext): void {
    this.context = context;
    this.topic = `${context.applicationId}-${this.name}-changelog`;
    this.bytes.open(context);
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    this.bytes.restore(batch, nextOffset);
  }

  flush(): void {
    this.bytes.flush();
  }

  commit(changelogOffset: number | undefined): void {
    this.bytes.commit(changelogOffset);
  }

  rollback(): boolean {
    return this.bytes.rollback();
  }

  close(): void {
    this.bytes.close();
  }

  wipe(): void {
    this.bytes.wipe();
  }

  put(key: K, value: S | null | undefined, windowStartMs: number): void {
    const bytes = value === null || value === undefined ? null : this.toBytes(value);
    const timestampMs = bytes === null ? (this.context?.timestampMs() ?? 0) : this.timestampOf(value as S);
    this.bytes.put(this.#binary(key), bytes, windowStartMs, timestampMs);
  }

  fetch(key: K, windowStartMs: number): S | undefined;
  fetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, S>;
  fetch(key: K, fromMs: number, toMs?: number): S | undefined | KeyValueIterator<number, S> {
    if (toMs !== undefined) return this.#byStart(this.bytes.fetch(this.#binary(key), fromMs, toMs, 'forward'));
    const stored = this.bytes.get(this.#binary(key), fromMs);
    return stored === undefined ? undefined : this.toUser(stored);
  }

  backwardFetch(key: K, fromMs: number, toMs: number): KeyValueIterator<number, S> {
    return this.#byStart(this.bytes.fetch(this.#binary(key), fromMs, toMs, 'reverse'));
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

  #binary(key: K): BinaryKey {
    if (key === null || key === undefined) throw new TypeError(`State store ${this.name}: the key may not be null`);
    return binaryKey(this.keySerde.serialize(key, this.topic));
  }

  #byStart(entries: StoreIterator<WindowedBytesKey>): KeyValueIterator<number, S> {
    return new MeteredIterator(entries, (entry: StoreEntry<WindowedBytesKey>) => ({
      key: entry.key.windowStartMs,
      value: this.toUser(entry),
    }));
  }

  #byWindow(entries: StoreIterator<WindowedBytesKey>): KeyValueIterator<Windowed<K>, S> {
    return new MeteredIterator(entries, (entry: StoreEntry<WindowedBytesKey>) => {
      const bytes = bytesOf(entry.key.key);
      const key = this.keySerde.deserialize(bytes, 0, bytes.length, this.topic);
      const startMs = entry.key.windowStartMs;
      return { key: { key, window: { startMs, endMs: startMs + this.windowSizeMs } }, value: this.toUser(entry) };
    });
  }
}

/** @internal Made by `Stores.windowStoreBuilder`. */
export class PlainWindowStore<K, V> extends MeteredWindowStore<K, V, V> {
  protected toUser(stored: StoredValue): V {
    return this.valueSerde.deserialize(stored.value, 0, stored.value.length, this.topic);
  }

  protected toBytes(value: V): Buffer {
    return this.valueSerde.serialize(value, this.topic);
  }

  protected timestampOf(): number {
    return this.context?.timestampMs() ?? 0;
  }
}

/** @internal Made by `Stores.timestampedWindowStoreBuilder`. */
export class TimestampedPlainWindowStore<K, V> extends MeteredWindowStore<K, V, ValueAndTimestamp<V>> {
  protected toUser(stored: StoredValue): ValueAndTimestamp<V> {
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
