import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { prefixEnd } from '../binary-prefix.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type {
  KeyValueBytesStore,
  StateStoreContext,
  StoredValue,
  StoredView,
  StoreEntry,
  StoreIterator,
} from '../state-store.ts';
import { copyRow, storeClosed } from '../store-support.ts';
import { EntryColumns } from './entry-columns.ts';

/** What key-value stores of every medium are made from. */
export interface KeyValueBytesStoreOptions {
  /** Name of the store, and of its changelog. */
  readonly name: string;
  /** Whether puts go to a changelog. */
  readonly loggingEnabled: boolean;
}

const noBytes = Buffer.alloc(0);
/** Slots are never negative. */
const NO_SLOT = -1;

/**
 * A key-value store that lives in memory and is restored from its changelog.
 *
 * Owns: the entries, as slots of {@link EntryColumns}.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order; I2 ranges are in byte order of the keys and
 * show the keys of the moment they were opened, with the values of the moment they are read; I3 nothing survives `close`.
 */
export class MemoryKeyValueStore implements KeyValueBytesStore {
  readonly name: string;
  readonly persistent = false;
  readonly restoredOffset = undefined;
  readonly #isLoggingEnabled: boolean;
  readonly #slots = new Map<BinaryKey, number>();
  readonly #entries = new EntryColumns();
  readonly #sorted = new SortedKeys();
  #foundKey: BinaryKey | undefined;
  #foundSlot = NO_SLOT;
  #context: StateStoreContext | undefined;

  constructor(options: KeyValueBytesStoreOptions) {
    this.name = options.name;
    this.#isLoggingEnabled = options.loggingEnabled;
  }

  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  open(context: StateStoreContext): void {
    this.#context = context;
  }

  get(key: BinaryKey): StoredValue | undefined {
    if (this.#context === undefined) throw storeClosed(this.name);
    const slot = this.#find(key);
    return slot === NO_SLOT ? undefined : this.#entries.read(slot);
  }

  peek(key: BinaryKey): StoredView | undefined {
    if (this.#context === undefined) throw storeClosed(this.name);
    const slot = this.#find(key);
    return slot === NO_SLOT ? undefined : this.#entries.peek(slot);
  }

  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    const context = this.#context;
    if (context === undefined) throw storeClosed(this.name);
    this.#write(key, value, timestampMs);
    // A tombstone has no time of its own: Kafka Streams logs it with that of the record being processed.
    if (this.#isLoggingEnabled) {
      context.logChange(this.name, key, value, value === null ? context.timestampMs() : timestampMs);
    }
  }

  range(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
  ): StoreIterator<BinaryKey> {
    return this.#scan(from, to, false, direction);
  }

  prefixScan(prefix: BinaryKey): StoreIterator<BinaryKey> {
    return this.#scan(prefix, prefixEnd(prefix), true, 'forward');
  }

  prepareScan(steps: number): boolean {
    return this.#sorted.prepare(this.#slots, steps);
  }

  approximateNumEntries(): number {
    return this.#slots.size;
  }

  restore(batch: RecordBatch): void {
    this.restoreEach(batch, () => undefined);
  }

  /** `onRow` is told each key, and whether it has a value, before it is applied; what it answers is removed. */
  restoreEach(batch: RecordBatch, onRow: (key: BinaryKey, hasValue: boolean) => BinaryKey | undefined): void {
    for (let row = 0; row < batch.count; row += 1) {
      const keyStart = batch.keyStarts[row] as number;
      if (keyStart < 0) continue;
      const key = binaryKey(batch.buffer, keyStart, batch.keyEnds[row] as number);
      const removed = onRow(key, (batch.valueStarts[row] as number) >= 0);
      if (removed !== undefined) this.#write(removed, null, 0);
      this.#write(key, copyRow(batch, row), batch.timestamps[row] as number);
    }
  }

  flush(): void {}

  commit(): void {}

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.#context = undefined;
    this.#slots.clear();
    this.#foundKey = undefined;
    this.#entries.clear();
    this.#sorted.clear();
  }

  wipe(): void {}

  #write(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    const slots = this.#slots;
    const slot = this.#find(key);
    if (slot !== NO_SLOT) {
      if (value !== null) {
        this.#entries.set(slot, value, timestampMs);
        return;
      }
      this.#entries.remove(slot);
      slots.delete(key);
      this.#foundSlot = NO_SLOT;
    } else {
      if (value === null) return;
      this.#foundSlot = this.#entries.add(value, timestampMs);
      slots.set(key, this.#foundSlot);
    }
    this.#sorted.noteChange(key, slots.size);
  }

  /** Aggregations read a key and write it at once: the second look-up is answered from the first. */
  #find(key: BinaryKey): number {
    if (key === this.#foundKey) return this.#foundSlot;
    const slot = this.#slots.get(key) ?? NO_SLOT;
    this.#foundKey = key;
    this.#foundSlot = slot;
    return slot;
  }

  #scan(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    toExclusive: boolean,
    direction: 'forward' | 'reverse',
  ): StoreIterator<BinaryKey> {
    if (this.#context === undefined) throw storeClosed(this.name);
    return new MemoryKeyValueIterator(this.#slots, this.#entries, this.#sorted, from, to, toExclusive, direction);
  }
}

/** Walks the sorted keys and looks the values up as it goes; keys deleted meanwhile are skipped. */
class MemoryKeyValueIterator implements StoreIterator<BinaryKey>, StoreEntry<BinaryKey> {
  key = '' as BinaryKey;
  value: Buffer = noBytes;
  timestampMs = 0;
  readonly #slots: ReadonlyMap<BinaryKey, number>;
  readonly #entries: EntryColumns;
  readonly #sorted: SortedKeys;
  readonly #keys: Iterator<readonly [BinaryKey, undefined]>;
  readonly #isReverse: boolean;
  readonly #end: BinaryKey | undefined;
  readonly #isEndExclusive: boolean;
  readonly #result: IteratorYieldResult<StoreEntry<BinaryKey>> = { done: false, value: this };
  #isClosed = false;

  constructor(
    slots: ReadonlyMap<BinaryKey, number>,
    entries: EntryColumns,
    sorted: SortedKeys,
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    toExclusive: boolean,
    direction: 'forward' | 'reverse',
  ) {
    this.#slots = slots;
    this.#entries = entries;
    this.#sorted = sorted;
    this.#isReverse = direction === 'reverse';
    this.#keys = sorted.scan(slots, this.#isReverse ? to : from, direction);
    this.#end = this.#isReverse ? from : to;
    this.#isEndExclusive = toExclusive;
  }

  next(): IteratorResult<StoreEntry<BinaryKey>, undefined> {
    while (!this.#isClosed) {
      const step = this.#keys.next();
      if (step.done === true) break;
      const key = step.value[0];
      if (this.#isPastEnd(key)) break;
      const slot = this.#slots.get(key);
      if (slot === undefined) continue;
      this.key = key;
      this.value = this.#entries.value(slot);
      this.timestampMs = this.#entries.timestampMs(slot);
      return this.#result;
    }
    this.close();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<StoreEntry<BinaryKey>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sorted.endScan();
  }

  [Symbol.iterator](): this {
    return this;
  }

  #isPastEnd(key: BinaryKey): boolean {
    const end = this.#end;
    if (end === undefined) return false;
    if (this.#isReverse) return key < end;
    return this.#isEndExclusive ? key >= end : key > end;
  }
}
