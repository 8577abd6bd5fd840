import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { PreparedScans, StateStore, StateStoreContext } from '../state-store.ts';
import { storeClosed } from '../store-support.ts';
import { LmdbTable } from './lmdb-table.ts';

/**
 * What stores on disk share: a table, and the changelog that it is restored from.
 *
 * Owns: an {@link LmdbTable}; values handed to `put` belong to it from then on.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order; I2 disk holds the state of the last commit.
 */
export abstract class LmdbStore implements StateStore, PreparedScans {
  readonly name: string;
  readonly persistent = true;
  /** The entries: what is on disk and what waits for the next commit. */
  protected readonly table: LmdbTable;
  readonly #isLoggingEnabled: boolean;
  #context: StateStoreContext | undefined;

  /** The folder is made by `open`, not here. */
  constructor(options: {
    /** Name of the store, of its folder and of its changelog. */
    readonly name: string;
    /** Whether puts go to a changelog. */
    readonly loggingEnabled: boolean;
  }) {
    this.name = options.name;
    this.table = new LmdbTable(options.name);
    this.#isLoggingEnabled = options.loggingEnabled;
  }

  /** Applies one record of the changelog, without logging it. */
  protected abstract restoreRow(batch: RecordBatch, row: number): void;

  get isOpen(): boolean {
    return this.table.isOpen;
  }

  get restoredOffset(): number | undefined {
    return this.table.restoredOffset;
  }

  get lastDurableMs(): number | undefined {
    return this.table.lastDurableMs;
  }

  get wantsCommit(): boolean {
    return this.table.wantsCommit;
  }

  open(context: StateStoreContext): void {
    this.table.open(context);
    this.#context = context;
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    for (let row = 0; row < batch.count; row += 1) this.restoreRow(batch, row);
    if (this.table.isRestoreCommitDue) this.commit(nextOffset);
  }

  prepareScan(steps: number): boolean {
    return this.table.prepareScan(steps);
  }

  flush(): void {}

  commit(changelogOffset: number | undefined): void {
    this.table.commit(changelogOffset);
  }

  rollback(): boolean {
    this.table.rollback();
    return true;
  }

  close(): void {
    this.#context = undefined;
    this.table.close();
  }

  wipe(): void {
    this.table.wipe();
  }

  /** Throws where the store is not open. */
  protected get context(): StateStoreContext {
    if (this.#context === undefined) throw storeClosed(this.name);
    return this.#context;
  }

  /** Appends to the changelog; `key` is the changelog's. */
  protected log(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    if (this.#isLoggingEnabled) this.context.logChange(this.name, key, value, timestampMs);
  }
}
