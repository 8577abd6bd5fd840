import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { PreparedScans, StateStore, StateStoreContext, StoredValue, StoreIterator } from '../state-store.ts';
import { storeClosed } from '../store-support.ts';
import { countExpired, WindowRetention } from '../window-retention.ts';
import { EntryColumns } from './entry-columns.ts';
import { KeyWindows, NO_SLOT } from './key-windows.ts';
import { type EntryScan, type EntrySource, MemoryEntries } from './memory-entries.ts';
import { type CopiedEntry, SortedEntries } from './sorted-entries.ts';
import { TimeBuckets } from './time-buckets.ts';

/** What window and session stores in memory are made from. */
export interface ExpiringStoreOptions {
  /** Name of the store, and of its changelog. */
  readonly name: string;
  /** Whether puts go to a changelog. */
  readonly loggingEnabled: boolean;
  /** How long an entry is kept after the newest entry's time, ms. */
  readonly retentionMs: number;
  /** Entries of all keys are often asked for by time: kept so that this needs no look at every key. */
  readonly readByTime?: boolean;
}

/**
 * What window and session stores in memory share. An entry has a time by which it expires (a window's start, a session's end) and a
 * number that tells apart entries of one key and time (a sequence number, a session's start).
 *
 * Owns: the entries of every key, and which keys have entries in which stretch of time.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order, also one that is too old to be kept; I2 no read
 * shows what has expired; I3 iterators show the entries of the moment at which they reach a key; I4 a key without entries isn't in the map.
 */
export abstract class MemoryExpiringStore<K> implements StateStore, PreparedScans {
  readonly name: string;
  readonly persistent = false;
  readonly restoredOffset = undefined;
  /** How long an entry is kept after the newest entry's time, ms. */
  readonly retentionMs: number;
  readonly #isLoggingEnabled: boolean;
  readonly #keys = new Map<BinaryKey, KeyWindows>();
  readonly #columns = new EntryColumns();
  readonly #sorted = new SortedKeys();
  readonly #retention: WindowRetention;
  readonly #buckets: TimeBuckets;
  readonly #source: EntrySource<K> = {
    entries: this.#keys,
    columns: this.#columns,
    keyOf: (key, timeMs, number) => this.keyOf(key, timeMs, number),
  };
  #context: StateStoreContext | undefined;

  /** Expired entries leave memory `bucketMs` at a time. */
  constructor(options: ExpiringStoreOptions, bucketMs: number) {
    this.name = options.name;
    this.retentionMs = options.retentionMs;
    this.#isLoggingEnabled = options.loggingEnabled;
    this.#retention = new WindowRetention(options.retentionMs);
    this.#buckets = new TimeBuckets(Math.max(1, Math.ceil(bucketMs)));
  }

  /** The key that an entry is handed out with. */
  protected abstract keyOf(key: BinaryKey, timeMs: number, number: number): K;
  /** Applies one record of the changelog, without logging it. */
  protected abstract restoreRow(batch: RecordBatch, row: number): void;

  /** The highest time ever put, over all keys, epoch ms; -1 before the first. */
  get observedStreamTimeMs(): number {
    return this.#retention.observedStreamTimeMs;
  }

  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  open(context: StateStoreContext): void {
    this.#context = context;
  }

  restore(batch: RecordBatch): void {
    for (let row = 0; row < batch.count; row += 1) this.restoreRow(batch, row);
  }

  prepareScan(steps: number): boolean {
    return this.#sorted.prepare(this.#keys, steps);
  }

  flush(): void {}

  commit(): void {}

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.#context = undefined;
    this.#keys.clear();
    this.#columns.clear();
    this.#buckets.clear();
    this.#sorted.clear();
    this.#retention.reset(-1);
  }

  wipe(): void {}

  /** Throws where the store is not open. */
  protected get context(): StateStoreContext {
    if (this.#context === undefined) throw storeClosed(this.name);
    return this.#context;
  }

  /** Appends to the changelog; `key` is the changelog's. */
  protected log(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    if (this.#isLoggingEnabled) this.context.logChange(this.name, key, value, timestampMs);
  }

  /** Counts a put that was dropped because its time had expired. */
  protected countExpired(): void {
    countExpired(this.context, this.name);
  }

  /** Moves stream time. False when an entry of this time has expired. */
  protected observe(timeMs: number): boolean {
    if (this.#context === undefined) throw storeClosed(this.name);
    const retention = this.#retention;
    if (retention.observe(timeMs)) this.#buckets.expireBefore(retention.minLiveStartMs, this.#dropBefore);
    return timeMs >= retention.minLiveStartMs;
  }

  /** False when the entry had already expired. */
  protected write(key: BinaryKey, value: Buffer | null, timeMs: number, number: number, timestampMs: number): boolean {
    if (!this.observe(timeMs)) return false;
    if (value === null) this.#remove(key, timeMs, number);
    else this.#set(key, value, timeMs, number, timestampMs);
    return true;
  }

  /** `number` undefined: entries of one key and time are not told apart. */
  protected read(key: BinaryKey, timeMs: number, number?: number): StoredValue | undefined {
    if (this.#context === undefined) throw storeClosed(this.name);
    if (timeMs < this.#retention.minLiveStartMs) return undefined;
    const entries = this.#keys.get(key);
    const slot = (number === undefined ? entries?.get(timeMs) : entries?.find(timeMs, number)) ?? NO_SLOT;
    return slot === NO_SLOT ? undefined : this.#columns.read(slot);
  }

  /** Entries of one key, by time, then number. */
  protected entriesOfKey(key: BinaryKey, scan: EntryScan<K>): StoreIterator<K> {
    return this.#iterator(this.#keys.has(key) ? [key].values() : [].values(), scan);
  }

  /** Entries of all keys between two, both inclusive, by key, then time, then number; undefined is an open end. */
  protected entriesOfKeys(
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    scan: EntryScan<K>,
  ): StoreIterator<K> {
    const forward = scan.direction === 'forward';
    const pairs = this.#sorted.scan(this.#keys, forward ? keyFrom : keyTo, scan.direction);
    const isPast = (key: BinaryKey): boolean =>
      forward ? keyTo !== undefined && key > keyTo : keyFrom !== undefined && key < keyFrom;
    const keys: Iterator<BinaryKey, undefined> = {
      next: () => {
        const step = pairs.next();
        if (step.done === true || isPast(step.value[0])) return { done: true, value: undefined };
        return { done: false, value: step.value[0] };
      },
    };
    return this.#iterator(keys, scan, () => this.#sorted.endScan());
  }

  /** Entries of all keys whose time lies in `[fromMs, toMs]`, in this order. */
  protected entriesByTime(
    fromMs: number,
    toMs: number,
    order: (a: CopiedEntry<K>, b: CopiedEntry<K>) => number,
  ): StoreIterator<K> {
    const found: CopiedEntry<K>[] = [];
    const keys = this.#buckets.keysBetween(Math.max(fromMs, this.#retention.minLiveStartMs), toMs);
    for (const entry of this.#iterator(keys.values(), { fromMs, toMs, direction: 'forward' })) {
      found.push({ key: entry.key, value: entry.value, timestampMs: entry.timestampMs });
    }
    return new SortedEntries(found.sort(order));
  }

  #iterator(keys: Iterator<BinaryKey, undefined>, scan: EntryScan<K>, onClose?: () => void): StoreIterator<K> {
    if (this.#context === undefined) throw storeClosed(this.name);
    return new MemoryEntries(this.#source, keys, scan, this.#retention.minLiveStartMs, onClose);
  }

  #set(key: BinaryKey, value: Buffer, timeMs: number, number: number, timestampMs: number): void {
    let entries = this.#keys.get(key);
    if (entries === undefined) {
      entries = new KeyWindows();
      this.#keys.set(key, entries);
      this.#sorted.noteChange(key, this.#keys.size);
    }
    const slot = entries.find(timeMs, number);
    if (slot !== NO_SLOT) {
      this.#columns.set(slot, value, timestampMs);
      return;
    }
    entries.add(timeMs, number, this.#columns.add(value, timestampMs));
    this.#buckets.add(timeMs, key);
  }

  #remove(key: BinaryKey, timeMs: number, number: number): void {
    const entries = this.#keys.get(key);
    const freed = entries?.delete(timeMs, number) ?? NO_SLOT;
    if (freed === NO_SLOT) return;
    this.#columns.remove(freed);
    if (entries?.size === 0) this.#removeKey(key);
  }

  readonly #dropBefore = (key: BinaryKey, beforeMs: number): void => {
    const entries = this.#keys.get(key);
    if (entries === undefined) return;
    for (const slot of entries.deleteBefore(beforeMs)) this.#columns.remove(slot);
    if (entries.size === 0) this.#removeKey(key);
  };

  #removeKey(key: BinaryKey): void {
    this.#keys.delete(key);
    this.#sorted.noteChange(key, this.#keys.size);
  }
}
