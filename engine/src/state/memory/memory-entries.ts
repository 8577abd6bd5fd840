import type { BinaryKey } from '../../base/bytes.ts';
import type { BoundedScan, StoreEntry, StoreIterator } from '../state-store.ts';
import type { EntryColumns } from './entry-columns.ts';
import type { KeyWindows } from './key-windows.ts';

const noBytes = Buffer.alloc(0);
/** Behind all times and numbers of a key, in either direction. */
const END_OF = { forward: Number.MAX_SAFE_INTEGER, reverse: -1 } as const;

/** Which entries of a key are wanted: those of times in `[fromMs, toMs]`, both live, that pass `accepts`. */
export interface EntryScan<K> {
  /** Earliest time that is wanted, inclusive, epoch ms. */
  readonly fromMs: number;
  /** Latest time that is wanted, inclusive, epoch ms. */
  readonly toMs: number;
  /** Order of a key's entries; that of the keys is the caller's. */
  readonly direction: 'forward' | 'reverse';
  /** Whether an entry with this number (sequence number, session start) is wanted; undefined: all are. */
  readonly accepts?: (number: number) => boolean;
  /** Limits what is passed over. Undefined: nothing does. */
  readonly bound?: BoundedScan<K> | undefined;
}

/** Where a store has its entries. */
export interface EntrySource<K> {
  /** The entries of each key, as slots. */
  readonly entries: ReadonlyMap<BinaryKey, KeyWindows>;
  /** Values and timestamps of the slots. */
  readonly columns: EntryColumns;
  /** The key that an entry is handed out with: record key, time and number as one. */
  readonly keyOf: (key: BinaryKey, timeMs: number, number: number) => K;
}

/**
 * Goes key by key; the entries of a key are copied when it gets there, so that writes meanwhile can't confuse it. Each has a key of
 * its own.
 */
export class MemoryEntries<K> implements StoreIterator<K>, StoreEntry<K> {
  key!: K;
  value: Buffer = noBytes;
  timestampMs = 0;
  readonly #source: EntrySource<K>;
  readonly #keys: Iterator<BinaryKey, undefined>;
  readonly #scan: EntryScan<K>;
  readonly #fromMs: number;
  readonly #onClose: (() => void) | undefined;
  readonly #result: IteratorYieldResult<StoreEntry<K>> = { done: false, value: this };
  #recordKey = '' as BinaryKey;
  #current: KeyWindows | undefined;
  #index = 0;
  #isClosed = false;

  /** `liveFromMs`: nothing of an earlier time is shown. */
  constructor(
    source: EntrySource<K>,
    keys: Iterator<BinaryKey, undefined>,
    scan: EntryScan<K>,
    liveFromMs: number,
    onClose?: () => void,
  ) {
    this.#source = source;
    this.#keys = keys;
    this.#scan = scan;
    this.#fromMs = Math.max(scan.fromMs, liveFromMs);
    this.#onClose = onClose;
  }

  next(): IteratorResult<StoreEntry<K>, undefined> {
    const source = this.#source;
    const scan = this.#scan;
    while (!this.#isClosed) {
      const current = this.#current;
      if (current !== undefined && this.#index < current.size) {
        const index = scan.direction === 'reverse' ? current.size - 1 - this.#index : this.#index;
        this.#index += 1;
        const slot = current.slots[index] as number;
        const timeMs = current.starts[index] as number;
        const number = current.sequences[index] as number;
        if (scan.accepts?.(number) === false || !this.#isLive(current, timeMs, number, slot)) {
          if (this.#stopsAt(timeMs, number)) break;
          continue;
        }
        this.key = source.keyOf(this.#recordKey, timeMs, number);
        this.value = source.columns.value(slot);
        this.timestampMs = source.columns.timestampMs(slot);
        return this.#result;
      }
      if (current !== undefined && this.#stopsAt(END_OF[scan.direction], END_OF[scan.direction])) break;
      const step = this.#keys.next();
      if (step.done === true) break;
      this.#recordKey = step.value;
      this.#current = source.entries.get(step.value)?.slice(this.#fromMs, scan.toMs);
      this.#index = 0;
    }
    this.close();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<StoreEntry<K>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#current = undefined;
    this.#onClose?.();
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** One more was passed over; true when it was the last that may be. */
  #stopsAt(timeMs: number, number: number): boolean {
    const { bound } = this.#scan;
    if (bound === undefined) return false;
    bound.stepsLeft -= 1;
    if (bound.stepsLeft > 0) return false;
    bound.stoppedAt = this.#source.keyOf(this.#recordKey, timeMs, number);
    return true;
  }

  /** A slot may belong to another entry by now, if this key's entries changed since they were copied. */
  #isLive(copy: KeyWindows, timeMs: number, number: number, slot: number): boolean {
    const entries = this.#source.entries.get(this.#recordKey);
    return entries !== undefined && (entries.version === copy.version || entries.find(timeMs, number) === slot);
  }
}
