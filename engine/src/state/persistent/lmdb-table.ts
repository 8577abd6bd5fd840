import { join } from 'node:path';
import { asBinary, open, type TransactionFlags } from 'lmdb';
import { assert } from '../../base/assert.ts';
import type { BinaryKey } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import { StreamsError, TaskCorruptedError } from '../../base/errors.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { BoundedScan, StateStoreContext, StoredValue, StoreIterator } from '../state-store.ts';
import { storeClosed } from '../store-support.ts';
import { entryCodec, keyCodec } from './lmdb-entry.ts';
import { checkLmdbFile } from './lmdb-file-check.ts';
import { type LmdbDatabase, LmdbTableIterator, type TableEpoch } from './lmdb-table-iterator.ts';

/** 8 KB pages allow keys of 4,026 bytes (4 KB pages: 1,978), lmdb's most; one byte is our table prefix. */
const PAGE_BYTES = 8_192;
/** Longest key that a persistent store takes, in bytes; a longer one throws `INVALID_STATE_STORE`. */
export const LMDB_KEY_BYTES_MAX = 4_025;
/**
 * Writes kept in memory before the store asks for a commit. 64 MB is about 200,000 entries of 200 bytes, more than a task
 * writes in several commit intervals; above it, one transaction would block the event loop for seconds.
 */
export const OVERLAY_BYTES_MAX = 64 * 1024 * 1024;
/** A restore has no transaction to wait for: it writes whenever this much has come, about 50 ms of work. */
const RESTORE_OVERLAY_BYTES_MAX = 4 * 1024 * 1024;
/** Rough cost of an overlay entry besides its key and value: map slot, objects, buffer header. */
const ENTRY_OVERHEAD_BYTES = 160;
/**
 * Abortable, synchronous, not waiting for the disk: lmdb's overlapping sync flushes right after and returns to the last flushed
 * transaction if the machine (not the process) dies, which costs a longer restore and never mixes state and offset.
 */
const TRANSACTION_FLAGS = 0x10003 as TransactionFlags;

/** First byte of every lmdb key: lmdb has no empty keys, Kafka has. */
const DATA_PREFIX = '\u0001';
const META_PREFIX = '\u0000';
const OFFSET_META = 'changelog-offset';
const FORMAT_META = 'format';
const TIME_META = 'committed-at';
/** Raised when the layout of keys or values changes: another version's data is restored from the changelog, not misread. */
const FORMAT_VERSION = 1;

/**
 * An ordered table on disk whose writes wait in memory until they are committed together with the changelog offset.
 *
 * Owns: one lmdb environment, the overlay of uncommitted writes and the sorted view of its keys, the last commit's entries.
 * Called by: the persistent stores, on their task's thread; everything is synchronous.
 * Invariants: I1 what is on disk is the state after exactly one `commit`, never between two; I2 reads see overlay over disk; `#committed` equals disk where it has a key;
 * I3 an iterator doesn't outlive the commit, rollback or close after its making: its next step throws.
 */
export class LmdbTable {
  /** Name of the store, and of its folder. */
  readonly name: string;
  #database: LmdbDatabase | undefined;
  #directory: string | undefined;
  #disk: Disk | undefined;
  #overlay = new Map<BinaryKey, StoredValue | null>();
  /** What the last commit wrote: keys in steady use are read from here instead of from disk. */
  #committed = new Map<BinaryKey, StoredValue | null>();
  readonly #sorted = new SortedKeys();
  #overlayBytes = 0;
  #restoredOffset: number | undefined;
  #lastDurableMs: number | undefined;
  #clock: Clock | undefined;
  #epoch: TableEpoch = { isOver: false };

  /** Touches no file: `open` does. */
  constructor(name: string) {
    this.name = name;
  }

  /** Whether the lmdb environment is open. */
  get isOpen(): boolean {
    return this.#database !== undefined;
  }

  /** Changelog offset of the last commit, to restore from; undefined: the table is new, or not open. */
  get restoredOffset(): number | undefined {
    return this.#restoredOffset;
  }

  /** When the last commit was made, epoch ms; undefined: never, or not open. */
  get lastDurableMs(): number | undefined {
    return this.#lastDurableMs;
  }

  /**
   * Whether more than {@link OVERLAY_BYTES_MAX} bytes of writes wait: the task should commit before its interval is over.
   */
  get wantsCommit(): boolean {
    return this.#overlayBytes > OVERLAY_BYTES_MAX;
  }

  /** Entries on disk and in the overlay; counts twice what is in both. */
  get approximateNumEntries(): number {
    const stats = this.#opened().getStats() as { entryCount?: number };
    return Math.max(0, (stats.entryCount ?? 0) - this.#metaCount()) + this.#overlay.size;
  }

  /**
   * Opens or makes the folder of the store. Throws `TASK_CORRUPTED` where the data can't be read or has another format:
   * the task then wipes it and restores.
   */
  open(context: StateStoreContext): void {
    assert(this.#database === undefined, `the table of store ${this.name} is opened once`);
    this.#directory = join(context.stateDirectory, this.name);
    this.#disk = context.disk;
    this.#disk.makeFolderSync(this.#directory);
    try {
      checkLmdbFile(this.#disk, join(this.#directory, 'data.mdb'), PAGE_BYTES);
      const database: LmdbDatabase = open({
        path: this.#directory,
        encoder: entryCodec,
        keyEncoder: keyCodec,
        pageSize: PAGE_BYTES,
        cache: false,
      });
      this.#database = database;
      const format = this.readMeta(FORMAT_META);
      if (format !== undefined && format !== FORMAT_VERSION) {
        throw new Error(`its data has format ${format}, this version writes ${FORMAT_VERSION}`);
      }
      this.#restoredOffset = this.readMeta(OFFSET_META);
      this.#lastDurableMs = this.readMeta(TIME_META);
      this.#clock = context.clock;
    } catch (error) {
      void this.#database?.close();
      this.#database = undefined;
      throw new TaskCorruptedError(
        `State store ${this.name} in ${this.#directory} can't be opened: ${(error as Error).message}`,
        error,
      );
    }
  }

  /** `onDisk` false: the caller knows that only writes since the last commit can have the key. */
  get(key: BinaryKey, onDisk = true): StoredValue | undefined {
    const database = this.#opened();
    let written = this.#overlay.get(key);
    if (written === undefined) written = this.#committed.get(key);
    if (written !== undefined) return written ?? undefined;
    if (!onDisk || key.length > LMDB_KEY_BYTES_MAX) return undefined;
    return database.get(DATA_PREFIX + key);
  }

  /** Takes ownership of `value`; null deletes. */
  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    this.#opened();
    if (key.length > LMDB_KEY_BYTES_MAX) {
      throw new StreamsError(
        `State store ${this.name}: a key of ${key.length} bytes; persistent stores take ${LMDB_KEY_BYTES_MAX}, memory stores any`,
        { code: 'INVALID_STATE_STORE', recovery: 'fail' },
      );
    }
    const overlay = this.#overlay;
    const sizeBefore = overlay.size;
    const replaced = overlay.get(key);
    overlay.set(key, value === null ? null : { value, timestampMs });
    this.#overlayBytes += (value?.length ?? 0) - (replaced?.value.length ?? 0);
    if (overlay.size !== sizeBefore) {
      this.#overlayBytes += key.length + ENTRY_OVERHEAD_BYTES;
      this.#sorted.noteChange(key, sizeBefore);
    }
  }

  /** Entries from `from` to `to`, in byte order or its reverse; `to` is part of it unless `toExclusive`. `onDisk`: see {@link get}. */
  scan(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    toExclusive: boolean,
    direction: 'forward' | 'reverse',
    onDisk = true,
    bound?: BoundedScan<BinaryKey>,
  ): StoreIterator<BinaryKey> {
    return new LmdbTableIterator({
      database: this.#opened(),
      name: this.name,
      overlay: this.#overlay,
      sorted: this.#sorted,
      from,
      to,
      toExclusive,
      reverse: direction === 'reverse',
      onDisk,
      epoch: this.#epoch,
      bound,
    });
  }

  /** Brings the order of what was written since the last commit up to date, part by part: see `PreparedScans`. */
  prepareScan(steps: number): boolean {
    return this.#sorted.prepare(this.#overlay, steps);
  }

  /** Up to `limit` keys on disk after `after`, in order; for sweeps. */
  keysOnDisk(after: BinaryKey | undefined, limit: number): BinaryKey[] {
    const database = this.#opened();
    const keys: BinaryKey[] = [];
    const start = DATA_PREFIX + (after ?? '');
    for (const key of database.getKeys({ start, exclusiveStart: after !== undefined, limit })) {
      keys.push(key as BinaryKey);
    }
    return keys;
  }

  /** Keys written or deleted since the last commit. */
  get overlaySize(): number {
    return this.#overlay.size;
  }

  /**
   * Writes overlay, metadata and changelog offset in one transaction. `keep` false leaves an entry out (it has expired);
   * `removals` are deleted besides.
   */
  commit(
    changelogOffset: number | undefined,
    meta: Readonly<Record<string, number>> = {},
    keep?: (key: BinaryKey) => boolean,
    removals: readonly BinaryKey[] = [],
  ): void {
    const database = this.#opened();
    const offset = changelogOffset ?? this.#restoredOffset;
    if (this.#overlay.size === 0 && removals.length === 0 && offset === this.#restoredOffset) return;
    const nowMs = this.#clock?.nowMs();
    database.transactionSync(() => {
      for (const key of removals) database.removeSync(DATA_PREFIX + key);
      for (const [key, written] of this.#overlay) {
        if (written === null) database.removeSync(DATA_PREFIX + key);
        else if (keep === undefined || keep(key)) database.putSync(DATA_PREFIX + key, written);
      }
      this.#writeMeta(database, FORMAT_META, FORMAT_VERSION);
      for (const name in meta) this.#writeMeta(database, name, meta[name] as number);
      if (offset !== undefined) this.#writeMeta(database, OFFSET_META, offset);
      if (nowMs !== undefined) this.#writeMeta(database, TIME_META, nowMs);
    }, TRANSACTION_FLAGS);
    this.#restoredOffset = offset;
    this.#lastDurableMs = nowMs;
    this.#committed = this.#overlay;
    this.#clearOverlay();
  }

  /** After a batch of restored records: whether to commit now. */
  get isRestoreCommitDue(): boolean {
    return this.#overlayBytes > RESTORE_OVERLAY_BYTES_MAX;
  }

  /** Forgets the writes since the last commit. */
  rollback(): void {
    this.#opened();
    this.#clearOverlay();
  }

  /** A number stored by an earlier commit. */
  readMeta(name: string): number | undefined {
    const bytes = this.#opened().getBinary(META_PREFIX + name);
    return bytes?.readDoubleBE(0);
  }

  /** Uncommitted writes are lost. */
  close(): void {
    const database = this.#database;
    if (database === undefined) return;
    this.#clearOverlay();
    this.#committed = new Map();
    this.#database = undefined;
    this.#restoredOffset = undefined;
    this.#lastDurableMs = undefined;
    // All our operations are synchronous, so nothing is pending and lmdb closes before it returns its (resolved) promise.
    void database.close();
  }

  /** Removes the folder; the table must be closed. */
  wipe(): void {
    assert(this.#database === undefined, `store ${this.name} is closed before it is wiped`);
    if (this.#directory !== undefined) this.#disk?.removeSync(this.#directory);
  }

  #metaCount(): number {
    return [...this.#opened().getKeys({ start: META_PREFIX, end: DATA_PREFIX })].length;
  }

  #writeMeta(database: LmdbDatabase, name: string, value: number): void {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleBE(value);
    // Not an entry: lmdb writes it as it is.
    database.putSync(META_PREFIX + name, asBinary(bytes) as never);
  }

  #clearOverlay(): void {
    this.#overlay = new Map();
    this.#sorted.clear();
    this.#overlayBytes = 0;
    this.#epoch.isOver = true;
    this.#epoch = { isOver: false };
  }

  #opened(): LmdbDatabase {
    if (this.#database === undefined) throw storeClosed(this.name);
    return this.#database;
  }
}
