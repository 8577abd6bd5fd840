import type { BinaryKey } from '../../base/bytes.ts';
import type { ExpiringStoreOptions } from '../memory/memory-expiring-store.ts';
import { type CopiedEntry, SortedEntries } from '../memory/sorted-entries.ts';
import type { BoundedScan, StateStoreContext, StoredValue, StoreEntry, StoreIterator } from '../state-store.ts';
import { countExpired, WindowRetention } from '../window-retention.ts';
import { type ExpiringRows, isTimeRow, timeRows, timeRowsFrom } from './expiring-rows.ts';
import { ExpirySweep } from './expiry-sweep.ts';
import { LmdbStore } from './lmdb-store.ts';
import { windowTableKeyStart } from './window-table-key.ts';

const STREAM_TIME_META = 'observed-stream-time';
/** Says whether the table lists its entries by time. */
const TIME_INDEX_META = 'indexed-by-time';
const noBytes = Buffer.alloc(0);
/** Sorts after every suffix that follows a key: no time begins with this byte. */
const AFTER_ALL_TIMES = '\u00ff';

/**
 * What window and session stores on disk share: entries expire by stream time, and may be listed by time.
 *
 * Owns: the observed stream time and the sweep that removes expired rows.
 * Called by: see {@link LmdbStore}.
 * Invariants: I1 also a put that is too old to be kept goes to the changelog; I2 no read shows what has expired; I3 disk holds
 * entries and stream time of the last commit.
 */
export abstract class LmdbExpiringStore<K extends object> extends LmdbStore {
  /** How long an entry is kept after the newest entry's time, ms. */
  readonly retentionMs: number;
  /** The observed stream time, and what it lets live. */
  protected readonly retention: WindowRetention;
  readonly #rows: ExpiringRows;
  readonly #hasTimeIndex: boolean;
  readonly #sweep: ExpirySweep;
  #newestOnDiskMs = -1;

  /** `rows` says how table keys hold record key and time. */
  constructor(options: ExpiringStoreOptions, rows: ExpiringRows) {
    super(options);
    this.retentionMs = options.retentionMs;
    this.retention = new WindowRetention(options.retentionMs);
    this.#rows = rows;
    this.#hasTimeIndex = options.readByTime === true;
    this.#sweep = new ExpirySweep(this.table, options.retentionMs, (key, _next, beforeMs) => {
      return rows.timeOf(key) < beforeMs;
    });
  }

  /** The key that an entry is handed out with, from its key in the table. */
  protected abstract keyOf(tableKey: BinaryKey): K;

  /** The highest time ever put, over all keys, epoch ms; -1 before the first. Survives a restart. */
  get observedStreamTimeMs(): number {
    return this.retention.observedStreamTimeMs;
  }

  override open(context: StateStoreContext): void {
    super.open(context);
    this.readPosition();
    if (this.#hasTimeIndex && this.table.readMeta(TIME_INDEX_META) !== 1) this.#listByTime();
  }

  override commit(changelogOffset: number | undefined): void {
    const { minLiveStartMs } = this.retention;
    this.table.commit(
      changelogOffset,
      this.position(),
      (key) => this.#rows.timeOf(key) >= minLiveStartMs,
      this.#sweep.next(minLiveStartMs),
    );
    this.#newestOnDiskMs = this.observedStreamTimeMs;
  }

  override rollback(): boolean {
    super.rollback();
    this.readPosition();
    return true;
  }

  /** What is committed with the entries, by name; {@link readPosition} takes it up again. */
  protected position(): Record<string, number> {
    return { [STREAM_TIME_META]: this.observedStreamTimeMs, [TIME_INDEX_META]: this.#hasTimeIndex ? 1 : 0 };
  }

  /** Goes back to what the last commit wrote, or to the beginning where there was none. */
  protected readPosition(): void {
    this.retention.reset(this.table.readMeta(STREAM_TIME_META) ?? -1);
    this.#newestOnDiskMs = this.observedStreamTimeMs;
    this.#sweep.reset();
  }

  /** The later of `fromMs` and the first time that has not expired. */
  protected liveFrom(fromMs: number): number {
    return Math.max(0, fromMs, this.retention.minLiveStartMs);
  }

  /** A put that isn't a restore, without its record in the changelog. */
  protected write(tableKey: BinaryKey, value: Buffer | null, timeMs: number, timestampMs: number): void {
    if (!this.rewrite(tableKey, value, timeMs, timestampMs)) countExpired(this.context, this.name);
  }

  /** False when the entry had already expired. */
  protected rewrite(tableKey: BinaryKey, value: Buffer | null, timeMs: number, timestampMs: number): boolean {
    this.retention.observe(timeMs);
    if (timeMs < this.retention.minLiveStartMs) return false;
    this.table.put(tableKey, value, timestampMs);
    if (this.#hasTimeIndex)
      this.table.put(this.#rows.timeRowOf(tableKey), value === null ? null : noBytes, timestampMs);
    return true;
  }

  /** `timeMs`: the entry's, which spares a look at the disk where it can't be there. */
  protected read(tableKey: BinaryKey, timeMs: number): StoredValue | undefined {
    if (timeMs < this.retention.minLiveStartMs) return undefined;
    return this.table.get(tableKey, timeMs <= this.#newestOnDiskMs);
  }

  /** The entries between two table keys, both inclusive, that are `wanted`; none of them is of a time before `fromMs`. */
  protected entries(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    fromMs: number,
    direction: 'forward' | 'reverse',
    wanted: (tableKey: BinaryKey) => boolean,
    bound?: BoundedScan<K>,
  ): StoreIterator<K> {
    const onDisk = fromMs <= this.#newestOnDiskMs;
    const tableBound = bound === undefined ? undefined : { stepsLeft: bound.stepsLeft, stoppedAt: undefined };
    const scan = (first: BinaryKey | undefined, last: BinaryKey | undefined, exclusive: boolean) =>
      this.table.scan(first, last, exclusive, direction, onDisk, tableBound);
    let segments = [];
    if ((from === undefined || from < timeRows.from) && (to === undefined || to >= timeRows.end)) {
      // The list may be as long as all that is looked for.
      segments = [scan(from, timeRows.from, true), scan(timeRows.end, to, false)];
      if (direction === 'reverse') segments.reverse();
    } else segments = [scan(from, to, false)];
    return new LmdbEntries(segments, (tableKey) => this.keyOf(tableKey), wanted, bound, tableBound);
  }

  /** The wanted entries of all record keys between two, both inclusive; undefined is an open end. */
  protected entriesOfKeys(
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    fromMs: number,
    direction: 'forward' | 'reverse',
    wanted: (tableKey: BinaryKey) => boolean,
    bound?: BoundedScan<K>,
  ): StoreIterator<K> {
    const first = keyFrom === undefined ? undefined : windowTableKeyStart(keyFrom);
    const last = keyTo === undefined ? undefined : ((windowTableKeyStart(keyTo) + AFTER_ALL_TIMES) as BinaryKey);
    return this.entries(first, last, fromMs, direction, wanted, bound);
  }

  /** Live entries of all keys whose time lies in `[fromMs, toMs]`, in this order. */
  protected entriesByTime(
    fromMs: number,
    toMs: number,
    order: (a: CopiedEntry<K>, b: CopiedEntry<K>) => number,
  ): StoreIterator<K> {
    const from = this.liveFrom(fromMs);
    const found: CopiedEntry<K>[] = [];
    if (!this.#hasTimeIndex) {
      const isInTime = (tableKey: BinaryKey) => {
        const timeMs = this.#rows.timeOf(tableKey);
        return timeMs >= from && timeMs <= toMs;
      };
      for (const { key, value, timestampMs } of this.entries(undefined, undefined, from, 'forward', isInTime)) {
        found.push({ key, value, timestampMs });
      }
      return new SortedEntries(found.sort(order));
    }
    if (from > toMs) return new SortedEntries(found);
    for (const row of this.table.scan(timeRowsFrom(from), timeRowsFrom(toMs + 1), true, 'forward')) {
      const tableKey = this.#rows.entryOf(row.key);
      const stored = this.table.get(tableKey);
      if (stored !== undefined) found.push({ key: this.keyOf(tableKey), ...stored });
    }
    return new SortedEntries(found);
  }

  /** The store was made without a list, by a program that did not read by time. */
  #listByTime(): void {
    for (const row of this.table.scan(undefined, undefined, false, 'forward')) {
      if (!isTimeRow(row.key)) this.table.put(this.#rows.timeRowOf(row.key), noBytes, row.timestampMs);
    }
  }
}

/** Rows of table scans, one after another, as entries, those left out that are not wanted. Each has a key of its own. */
class LmdbEntries<K> implements StoreIterator<K>, StoreEntry<K> {
  key!: K;
  value: Buffer = noBytes;
  timestampMs = 0;
  readonly #segments: readonly StoreIterator<BinaryKey>[];
  readonly #keyOf: (tableKey: BinaryKey) => K;
  readonly #wanted: (tableKey: BinaryKey) => boolean;
  readonly #bound: BoundedScan<K> | undefined;
  /** `#bound` in terms of the table, whose scans use it up, too. */
  readonly #tableBound: BoundedScan<BinaryKey> | undefined;
  readonly #result: IteratorYieldResult<StoreEntry<K>> = { done: false, value: this };
  #segment = 0;

  constructor(
    segments: readonly StoreIterator<BinaryKey>[],
    keyOf: (tableKey: BinaryKey) => K,
    wanted: (tableKey: BinaryKey) => boolean,
    bound: BoundedScan<K> | undefined,
    tableBound: BoundedScan<BinaryKey> | undefined,
  ) {
    this.#segments = segments;
    this.#keyOf = keyOf;
    this.#wanted = wanted;
    this.#bound = bound;
    this.#tableBound = tableBound;
  }

  next(): IteratorResult<StoreEntry<K>, undefined> {
    for (;;) {
      const step = this.#segments[this.#segment]?.next();
      if (step === undefined || this.#isStopped) return this.#end();
      if (step.done === true) {
        this.#segment += 1;
        continue;
      }
      const row = step.value;
      if (!this.#wanted(row.key)) {
        this.#passOver(row.key);
        continue;
      }
      this.key = this.#keyOf(row.key);
      this.value = row.value;
      this.timestampMs = row.timestampMs;
      return this.#result;
    }
  }

  get #isStopped(): boolean {
    return this.#tableBound?.stoppedAt !== undefined;
  }

  #passOver(tableKey: BinaryKey): void {
    const bound = this.#tableBound;
    if (bound === undefined) return;
    bound.stepsLeft -= 1;
    if (bound.stepsLeft <= 0) bound.stoppedAt = tableKey;
  }

  #end(): IteratorReturnResult<undefined> {
    if (this.#bound !== undefined && this.#tableBound !== undefined) {
      const { stepsLeft, stoppedAt } = this.#tableBound;
      this.#bound.stepsLeft = stepsLeft;
      if (stoppedAt !== undefined) this.#bound.stoppedAt = this.#keyOf(stoppedAt);
    }
    this.close();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<StoreEntry<K>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    for (const segment of this.#segments) segment.close();
  }

  [Symbol.iterator](): this {
    return this;
  }
}
