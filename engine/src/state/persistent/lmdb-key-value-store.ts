import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { prefixEnd } from '../binary-prefix.ts';
import type { KeyValueBytesStoreOptions } from '../memory/memory-key-value-store.ts';
import type { KeyValueBytesStore, StateStoreContext, StoredValue, StoreIterator } from '../state-store.ts';
import { copyRow, storeClosed } from '../store-support.ts';
import { LmdbTable } from './lmdb-table.ts';

/**
 * A key-value store on disk.
 *
 * Owns: an {@link LmdbTable}; values handed to `put` belong to it from then on.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order; I2 disk holds the state of the last commit.
 */
export class LmdbKeyValueStore implements KeyValueBytesStore {
  readonly name: string;
  readonly persistent = true;
  readonly #loggingEnabled: boolean;
  readonly #table: LmdbTable;
  #context: StateStoreContext | undefined;

  constructor(options: KeyValueBytesStoreOptions) {
    this.name = options.name;
    this.#loggingEnabled = options.loggingEnabled;
    this.#table = new LmdbTable(options.name);
  }

  get isOpen(): boolean {
    return this.#table.isOpen;
  }

  get restoredOffset(): number | undefined {
    return this.#table.restoredOffset;
  }

  get lastDurableMs(): number | undefined {
    return this.#table.lastDurableMs;
  }

  get wantsCommit(): boolean {
    return this.#table.wantsCommit;
  }

  open(context: StateStoreContext): void {
    this.#table.open(context);
    this.#context = context;
  }

  get(key: BinaryKey): StoredValue | undefined {
    return this.#table.get(key);
  }

  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    const context = this.#context;
    if (context === undefined) throw storeClosed(this.name);
    this.#table.put(key, value, timestampMs);
    // A tombstone has no time of its own: Kafka Streams logs it with that of the record being processed.
    if (this.#loggingEnabled) {
      context.logChange(this.name, key, value, value === null ? context.timestampMs() : timestampMs);
    }
  }

  range(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
  ): StoreIterator<BinaryKey> {
    return this.#table.scan(from, to, false, direction);
  }

  prefixScan(prefix: BinaryKey): StoreIterator<BinaryKey> {
    return this.#table.scan(prefix, prefixEnd(prefix), true, 'forward');
  }

  approximateNumEntries(): number {
    return this.#table.approximateNumEntries;
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    for (let row = 0; row < batch.count; row++) {
      const keyStart = batch.keyStarts[row] as number;
      if (keyStart < 0) continue;
      const key = binaryKey(batch.buffer, keyStart, batch.keyEnds[row] as number);
      this.#table.put(key, copyRow(batch, row), batch.timestamps[row] as number);
    }
    if (this.#table.restoreWantsCommit) this.#table.commit(nextOffset);
  }

  flush(): void {}

  commit(changelogOffset: number | undefined): void {
    this.#table.commit(changelogOffset);
  }

  rollback(): boolean {
    this.#table.rollback();
    return true;
  }

  close(): void {
    this.#context = undefined;
    this.#table.close();
  }

  wipe(): void {
    this.#table.wipe();
  }
}
