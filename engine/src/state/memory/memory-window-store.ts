import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type {
  StateStoreContext,
  StoredValue,
  StoreEntry,
  StoreIterator,
  WindowBytesStore,
  WindowedBytesKey,
} from '../state-store.ts';
import { copyRow, storeClosed } from '../store-support.ts';
import { readWindowChangelogKey, sequenceMax, type WindowChangelogKey, WindowSuffixCache } from '../window-key.ts';
import { countExpired, WindowRetention } from '../window-retention.ts';
import { EntryColumns } from './entry-columns.ts';
import { KeyWindows, noSlot } from './key-windows.ts';
import { type CopiedEntry, SortedEntries } from './sorted-entries.ts';
import { TimeBuckets } from './time-buckets.ts';

export interface WindowBytesStoreOptions {
  readonly name: string;
  readonly loggingEnabled: boolean;
  /** How long a window is kept after the newest window's start, ms; at least the window size. */
  readonly retentionMs: number;
  readonly windowSizeMs: number;
  /** Every put adds an entry of its own, numbered in arrival order; puts of null are numbered and logged, and change nothing. */
  readonly retainDuplicates: boolean;
  /** Windows of all keys are often asked for by time: kept so that this needs no look at every key. */
  readonly readByTime?: boolean;
}

/** Expired windows leave memory a bucket at a time: retention ÷ this is the longest they linger, invisible. */
const bucketsPerRetention = 8;

/**
 * A window store that lives in memory and is restored from its changelog.
 *
 * Owns: the windows of every key, and which keys have windows in which time bucket.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order, also one that is too old to be kept or a null
 * among duplicates (Kafka Streams logs them too); I2 no read shows a window that has expired; I3 iterators show the windows of the moment they reach the key;
 * I4 a key without windows isn't in the map.
 */
export class MemoryWindowStore implements WindowBytesStore {
  readonly name: string;
  readonly persistent = false;
  readonly restoredOffset = undefined;
  readonly retentionMs: number;
  readonly windowSizeMs: number;
  readonly #loggingEnabled: boolean;
  readonly #retainDuplicates: boolean;
  readonly #windows = new Map<BinaryKey, KeyWindows>();
  readonly #entries = new EntryColumns();
  readonly #buckets: TimeBuckets;
  readonly #sorted = new SortedKeys();
  readonly #retention: WindowRetention;
  readonly #suffixes = new WindowSuffixCache();
  #sequence = 0;
  #context: StateStoreContext | undefined;

  constructor(options: WindowBytesStoreOptions) {
    this.name = options.name;
    this.retentionMs = options.retentionMs;
    this.windowSizeMs = options.windowSizeMs;
    this.#loggingEnabled = options.loggingEnabled;
    this.#retainDuplicates = options.retainDuplicates;
    this.#retention = new WindowRetention(options.retentionMs);
    const bucketMs = Math.max(1, Math.ceil(options.retentionMs / bucketsPerRetention));
    this.#buckets = new TimeBuckets(options.readByTime === true ? Math.min(bucketMs, options.windowSizeMs) : bucketMs);
  }

  get observedStreamTimeMs(): number {
    return this.#retention.observedStreamTimeMs;
  }

  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  open(context: StateStoreContext): void {
    this.#context = context;
  }

  put(key: BinaryKey, value: Buffer | null, windowStartMs: number, timestampMs: number): void {
    const context = this.#context;
    if (context === undefined) throw storeClosed(this.name);
    if (this.#retainDuplicates) this.#sequence = (this.#sequence + 1) & sequenceMax;
    if (!this.#write(key, value, windowStartMs, this.#sequence, timestampMs)) countExpired(context, this.name);
    if (this.#loggingEnabled) {
      const suffix = this.#suffixes.suffix(windowStartMs, this.#sequence);
      // A tombstone has no time of its own: Kafka Streams logs it with that of the record being processed.
      const loggedMs = value === null ? context.timestampMs() : timestampMs;
      context.logChange(this.name, (key + suffix) as BinaryKey, value, loggedMs);
    }
  }

  get(key: BinaryKey, windowStartMs: number): StoredValue | undefined {
    if (this.#context === undefined) throw storeClosed(this.name);
    if (windowStartMs < this.#retention.minLiveStartMs) return undefined;
    const slot = this.#windows.get(key)?.get(windowStartMs) ?? noSlot;
    return slot === noSlot ? undefined : this.#entries.read(slot);
  }

  fetch(
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey> {
    if (this.#context === undefined) throw storeClosed(this.name);
    const windows = this.#windows.get(key);
    return new MemoryWindowIterator(windows === undefined ? noKeys : [key].values(), {
      windows: this.#windows,
      entries: this.#entries,
      fromMs: Math.max(fromMs, this.#retention.minLiveStartMs),
      toMs,
      reverse: direction === 'reverse',
    });
  }

  fetchAll(fromMs: number, toMs: number, direction: 'forward' | 'reverse'): StoreIterator<WindowedBytesKey> {
    return this.fetchRange(undefined, undefined, fromMs, toMs, direction);
  }

  fetchRange(
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey> {
    if (this.#context === undefined) throw storeClosed(this.name);
    const forward = direction === 'forward';
    const pairs = this.#sorted.scan(this.#windows, forward ? keyFrom : keyTo, direction);
    const isPast = (key: BinaryKey): boolean =>
      forward ? keyTo !== undefined && key > keyTo : keyFrom !== undefined && key < keyFrom;
    const keys: Iterator<BinaryKey> = {
      next: () => {
        const step = pairs.next();
        if (step.done === true || isPast(step.value[0])) return { done: true, value: undefined };
        return { done: false, value: step.value[0] };
      },
    };
    return new MemoryWindowIterator(keys, {
      windows: this.#windows,
      entries: this.#entries,
      fromMs: Math.max(fromMs, this.#retention.minLiveStartMs),
      toMs,
      reverse: direction === 'reverse',
      onClose: () => this.#sorted.endScan(),
    });
  }

  fetchAllByTime(fromMs: number, toMs: number): StoreIterator<WindowedBytesKey> {
    if (this.#context === undefined) throw storeClosed(this.name);
    const from = Math.max(fromMs, this.#retention.minLiveStartMs);
    const found: CopiedEntry<WindowedBytesKey>[] = [];
    for (const key of this.#buckets.keysBetween(from, toMs)) {
      for (const entry of this.fetch(key, from, toMs, 'forward')) {
        found.push({ key: { ...entry.key }, value: entry.value, timestampMs: entry.timestampMs });
      }
    }
    return new SortedEntries(found.sort(byStart));
  }

  restore(batch: RecordBatch): void {
    const parsed: WindowChangelogKey = { key: undefined, windowStartMs: 0, sequence: 0 };
    for (let row = 0; row < batch.count; row++) {
      readWindowChangelogKey(batch, row, parsed);
      if (parsed.key === undefined) continue;
      const value = copyRow(batch, row);
      if (this.#retainDuplicates) this.#sequence = Math.max(this.#sequence, parsed.sequence);
      this.#write(parsed.key, value, parsed.windowStartMs, parsed.sequence, batch.timestamps[row] as number);
    }
  }

  flush(): void {}

  commit(): void {}

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.#context = undefined;
    this.#windows.clear();
    this.#entries.clear();
    this.#buckets.clear();
    this.#sorted.clear();
    this.#retention.reset(-1);
    this.#sequence = 0;
  }

  wipe(): void {}

  /** False when the window had already expired. */
  #write(key: BinaryKey, value: Buffer | null, windowStartMs: number, sequence: number, timestampMs: number): boolean {
    if (this.#retention.observe(windowStartMs))
      this.#buckets.expireBefore(this.#retention.minLiveStartMs, this.#dropBefore);
    else if (windowStartMs < this.#retention.minLiveStartMs) return false;
    // Among duplicates a null deletes nothing, but in memory it moves the store's time, as in Kafka Streams.
    if (value === null && this.#retainDuplicates) return true;
    let windows = this.#windows.get(key);
    if (value === null) {
      const freed = windows?.delete(windowStartMs) ?? noSlot;
      if (freed === noSlot) return true;
      this.#entries.remove(freed);
      if (windows?.size === 0) this.#removeKey(key);
      return true;
    }
    if (windows === undefined) {
      windows = new KeyWindows();
      this.#windows.set(key, windows);
      this.#sorted.noteChange(key, this.#windows.size);
    }
    const slot = this.#retainDuplicates ? windows.find(windowStartMs, sequence) : windows.get(windowStartMs);
    if (slot !== noSlot) {
      this.#entries.set(slot, value, timestampMs);
      return true;
    }
    windows.add(windowStartMs, this.#retainDuplicates ? sequence : 0, this.#entries.add(value, timestampMs));
    this.#buckets.add(windowStartMs, key);
    return true;
  }

  readonly #dropBefore = (key: BinaryKey, beforeMs: number): void => {
    const windows = this.#windows.get(key);
    if (windows === undefined) return;
    for (const slot of windows.deleteBefore(beforeMs)) this.#entries.remove(slot);
    if (windows.size === 0) this.#removeKey(key);
  };

  #removeKey(key: BinaryKey): void {
    this.#windows.delete(key);
    this.#sorted.noteChange(key, this.#windows.size);
  }
}

/** By start, then key, then sequence number. */
export function byStart(a: { readonly key: WindowedBytesKey }, b: { readonly key: WindowedBytesKey }): number {
  const [x, y] = [a.key, b.key];
  return x.windowStartMs - y.windowStartMs || (x.key < y.key ? -1 : x.key > y.key ? 1 : x.sequence - y.sequence);
}

const noKeys: Iterator<BinaryKey> = { next: () => ({ done: true, value: undefined }) };
const noBytes = Buffer.alloc(0);

interface WindowScan {
  readonly windows: ReadonlyMap<BinaryKey, KeyWindows>;
  readonly entries: EntryColumns;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reverse: boolean;
  readonly onClose?: () => void;
}

/** Goes key by key; the windows of a key are copied when it gets there, so that writes meanwhile can't confuse it. */
class MemoryWindowIterator implements StoreIterator<WindowedBytesKey>, StoreEntry<WindowedBytesKey> {
  readonly key = { key: '' as BinaryKey, windowStartMs: 0, sequence: 0 };
  value: Buffer = noBytes;
  timestampMs = 0;
  readonly #keys: Iterator<BinaryKey>;
  readonly #scan: WindowScan;
  readonly #result: IteratorYieldResult<StoreEntry<WindowedBytesKey>> = { done: false, value: this };
  #current: KeyWindows | undefined;
  #index = 0;
  #closed = false;

  constructor(keys: Iterator<BinaryKey>, scan: WindowScan) {
    this.#keys = keys;
    this.#scan = scan;
  }

  next(): IteratorResult<StoreEntry<WindowedBytesKey>, undefined> {
    while (!this.#closed) {
      const current = this.#current;
      if (current !== undefined && this.#index < current.size) {
        const index = this.#scan.reverse ? current.size - 1 - this.#index : this.#index;
        this.#index++;
        const slot = current.slots[index] as number;
        const startMs = current.starts[index] as number;
        const sequence = current.sequences[index] as number;
        if (!this.#isLive(current, startMs, sequence, slot)) continue;
        this.key.windowStartMs = startMs;
        this.key.sequence = sequence;
        this.value = this.#scan.entries.value(slot);
        this.timestampMs = this.#scan.entries.timestampMs(slot);
        return this.#result;
      }
      const step = this.#keys.next();
      if (step.done === true) break;
      this.key.key = step.value;
      this.#current = this.#scan.windows.get(step.value)?.slice(this.#scan.fromMs, this.#scan.toMs);
      this.#index = 0;
    }
    this.close();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<StoreEntry<WindowedBytesKey>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#current = undefined;
    this.#scan.onClose?.();
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** A slot may belong to another window by now, if this key's windows changed since they were copied. */
  #isLive(copy: KeyWindows, startMs: number, sequence: number, slot: number): boolean {
    const windows = this.#scan.windows.get(this.key.key);
    return windows !== undefined && (windows.version === copy.version || windows.find(startMs, sequence) === slot);
  }
}
