import type { RangeOptions, RootDatabase } from 'lmdb';
import type { BinaryKey } from '../../base/bytes.ts';
import { StreamsError } from '../../base/errors.ts';
import type { SortedKeys } from '../sorted-keys.ts';
import type { BoundedScan, StoredValue, StoreEntry, StoreIterator } from '../state-store.ts';

/** Rows read from lmdb at a time: few at first, since many scans stop early, then enough to hide the cost of a page. */
const FIRST_PAGE_ROWS = 16;
const PAGE_ROWS_MAX = 512;
const DATA_PREFIX = '\u0001';
/** Sorts after every data key. */
const AFTER_DATA = '\u0002';
const noBytes = Buffer.alloc(0);

/** Keys are strings of one char a byte: with the table's prefix where they are asked for, without where they are answered. */
export type LmdbDatabase = RootDatabase<StoredValue, string>;

/** The time between two commits, rollbacks or closes of a table. */
export interface TableEpoch {
  /** True once the table was committed, rolled back or closed: iterators of the epoch throw from then on. */
  isOver: boolean;
}

/** Which keys of a table are read, from disk and from what was not committed. */
export interface LmdbTableScan {
  /** The store's, for errors. */
  readonly name: string;
  /** Where the rows on disk are. */
  readonly database: LmdbDatabase;
  /** Writes since the last commit; null is a deletion. */
  readonly overlay: ReadonlyMap<BinaryKey, StoredValue | null>;
  /** The order of the overlay's keys; ended with the iterator. */
  readonly sorted: SortedKeys;
  /** Lowest key, inclusive; undefined: open. */
  readonly from: BinaryKey | undefined;
  /** Highest key; undefined: open. */
  readonly to: BinaryKey | undefined;
  /** Whether `to` itself is left out. */
  readonly toExclusive: boolean;
  /** Whether the walk goes from `to` down to `from`. */
  readonly reverse: boolean;
  /** False: nothing of it is on disk. */
  readonly onDisk: boolean;
  /** The table's at the moment of the scan. */
  readonly epoch: TableEpoch;
  /** Limits how many deletions of the overlay are passed over. Undefined: nothing does. */
  readonly bound?: BoundedScan<BinaryKey> | undefined;
}

interface DiskRow {
  readonly key: BinaryKey;
  readonly stored: StoredValue;
}

/**
 * Merges disk and overlay in key order; the overlay wins, its tombstones hide.
 *
 * Owns: the page of disk rows at hand; no lmdb cursor stays open between steps.
 * Called by: stores and through them user code.
 * Invariants: I1 keys come strictly in order, each once; I2 shows exactly the keys of the moment it was made.
 */
export class LmdbTableIterator implements StoreIterator<BinaryKey>, StoreEntry<BinaryKey> {
  key = '' as BinaryKey;
  value: Buffer = noBytes;
  timestampMs = 0;
  readonly #scan: LmdbTableScan;
  readonly #overlayKeys: Iterator<readonly [BinaryKey, undefined]>;
  readonly #result: IteratorYieldResult<StoreEntry<BinaryKey>> = { done: false, value: this };
  #overlayKey: BinaryKey | undefined;
  #page: DiskRow[] = [];
  #pageIndex = 0;
  #pageRows = FIRST_PAGE_ROWS;
  #hasDiskEnded: boolean;
  #lastDiskKey: BinaryKey | undefined;
  #isClosed = false;

  /** Begins at once in the overlay, and reads from disk at the first `next`. Must come to its end or be closed. */
  constructor(scan: LmdbTableScan) {
    this.#scan = scan;
    this.#hasDiskEnded = !scan.onDisk;
    this.#overlayKeys = scan.sorted.scan(
      scan.overlay,
      scan.reverse ? scan.to : scan.from,
      scan.reverse ? 'reverse' : 'forward',
    );
    this.#advanceOverlay();
  }

  next(): IteratorResult<StoreEntry<BinaryKey>, undefined> {
    while (!this.#isClosed) {
      if (this.#scan.epoch.isOver) throw this.#outlived();
      const disk = this.#diskRow();
      const overlayKey = this.#overlayKey;
      if (overlayKey === undefined && disk === undefined) break;
      if (overlayKey === undefined || (disk !== undefined && this.#isBefore(disk.key, overlayKey))) {
        this.#pageIndex += 1;
        return this.#emit((disk as DiskRow).key, (disk as DiskRow).stored);
      }
      if (disk?.key === overlayKey) this.#pageIndex += 1;
      const written = this.#scan.overlay.get(overlayKey);
      this.#advanceOverlay();
      if (written !== undefined && written !== null) return this.#emit(overlayKey, written);
      if (this.#stopsAt(overlayKey)) break;
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
    this.#page = [];
    this.#scan.sorted.endScan();
  }

  [Symbol.iterator](): this {
    return this;
  }

  #outlived(): StreamsError {
    return new StreamsError(`State store ${this.#scan.name}: an iterator was used after a commit, rollback or close`, {
      code: 'INVALID_STATE_STORE',
      recovery: 'fail',
    });
  }

  #emit(key: BinaryKey, stored: StoredValue): IteratorResult<StoreEntry<BinaryKey>, undefined> {
    this.key = key;
    this.value = stored.value;
    this.timestampMs = stored.timestampMs;
    return this.#result;
  }

  /** One more was passed over; true when it was the last that may be. */
  #stopsAt(key: BinaryKey): boolean {
    const { bound } = this.#scan;
    if (bound === undefined) return false;
    bound.stepsLeft -= 1;
    if (bound.stepsLeft > 0) return false;
    bound.stoppedAt = key;
    return true;
  }

  #isBefore(a: BinaryKey, b: BinaryKey): boolean {
    return this.#scan.reverse ? a > b : a < b;
  }

  #advanceOverlay(): void {
    const step = this.#overlayKeys.next();
    const key = step.done === true ? undefined : step.value[0];
    this.#overlayKey = key !== undefined && this.#isInside(key) ? key : undefined;
  }

  #isInside(key: BinaryKey): boolean {
    const { from, to, toExclusive } = this.#scan;
    if (from !== undefined && key < from) return false;
    if (to === undefined) return true;
    return toExclusive ? key < to : key <= to;
  }

  #diskRow(): DiskRow | undefined {
    if (this.#pageIndex < this.#page.length) return this.#page[this.#pageIndex];
    if (this.#hasDiskEnded) return undefined;
    this.#readPage();
    return this.#page[0];
  }

  #readPage(): void {
    const { database, from, to, toExclusive, reverse } = this.#scan;
    const lower = diskKey(from);
    const upper = to === undefined ? AFTER_DATA : diskKey(to);
    const resumed = this.#lastDiskKey === undefined ? undefined : diskKey(this.#lastDiskKey);
    const options: RangeOptions = reverse
      ? {
          start: resumed ?? upper,
          exclusiveStart: resumed !== undefined || toExclusive,
          end: lower,
          inclusiveEnd: true,
          reverse: true,
          limit: this.#pageRows,
        }
      : {
          start: resumed ?? lower,
          exclusiveStart: resumed !== undefined,
          end: upper,
          inclusiveEnd: to !== undefined && !toExclusive,
          limit: this.#pageRows,
        };
    this.#page = [];
    for (const row of database.getRange(options)) {
      this.#page.push({ key: row.key as BinaryKey, stored: row.value });
    }
    this.#pageIndex = 0;
    this.#hasDiskEnded = this.#page.length < this.#pageRows;
    this.#lastDiskKey = this.#page.at(-1)?.key;
    this.#pageRows = Math.min(this.#pageRows * 4, PAGE_ROWS_MAX);
  }
}

function diskKey(key: BinaryKey | undefined): string {
  return DATA_PREFIX + (key ?? '');
}
