import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { KeyValueBytesStore, StateStoreContext, StoredValue, StoreIterator } from '../state-store.ts';
import { type KeyValueBytesStoreOptions, MemoryKeyValueStore } from './memory-key-value-store.ts';

/**
 * A memory store of limited size: what was used longest ago makes room for what is new, and is deleted from the changelog, too.
 *
 * Owns: the entries, and their order of use (insertion order of a set).
 * Called by: typed stores of one task. Invariants: I1 never more than `entriesMax` entries; I2 `get` and `put` are uses, ranges are
 * not; I3 the deletion of what makes room is logged before the put that needed it.
 */
export class LruKeyValueStore implements KeyValueBytesStore {
  readonly name: string;
  readonly persistent = false;
  readonly restoredOffset = undefined;
  readonly #entries: MemoryKeyValueStore;
  readonly #entriesMax: number;
  readonly #used = new Set<BinaryKey>();

  /** `entriesMax`: entries above which a put makes the least recently used one leave. */
  constructor(options: KeyValueBytesStoreOptions, entriesMax: number) {
    this.name = options.name;
    this.#entries = new MemoryKeyValueStore(options);
    this.#entriesMax = entriesMax;
  }

  get isOpen(): boolean {
    return this.#entries.isOpen;
  }

  open(context: StateStoreContext): void {
    this.#entries.open(context);
  }

  get(key: BinaryKey): StoredValue | undefined {
    if (this.#used.delete(key)) this.#used.add(key);
    return this.#entries.get(key);
  }

  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    const known = this.#used.delete(key);
    if (value !== null) {
      if (!known && this.#used.size >= this.#entriesMax) this.#entries.put(this.#dropOldest(), null, timestampMs);
      this.#used.add(key);
    }
    this.#entries.put(key, value, timestampMs);
  }

  range(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
  ): StoreIterator<BinaryKey> {
    return this.#entries.range(from, to, direction);
  }

  prefixScan(prefix: BinaryKey): StoreIterator<BinaryKey> {
    return this.#entries.prefixScan(prefix);
  }

  prepareScan(steps: number): boolean {
    return this.#entries.prepareScan(steps);
  }

  approximateNumEntries(): number {
    return this.#used.size;
  }

  restore(batch: RecordBatch): void {
    this.#entries.restoreEach(batch, (key, isThere) => {
      this.#used.delete(key);
      if (!isThere) return undefined;
      const dropped = this.#used.size >= this.#entriesMax ? this.#dropOldest() : undefined;
      this.#used.add(key);
      return dropped;
    });
  }

  flush(): void {}

  commit(): void {}

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.#used.clear();
    this.#entries.close();
  }

  wipe(): void {}

  #dropOldest(): BinaryKey {
    const oldest = this.#used.values().next().value as BinaryKey;
    this.#used.delete(oldest);
    return oldest;
  }
}
