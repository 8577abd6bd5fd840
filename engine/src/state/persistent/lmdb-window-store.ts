import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { byStart, type WindowBytesStoreOptions } from '../memory/memory-window-store.ts';
import { type CopiedEntry, SortedEntries } from '../memory/sorted-entries.ts';
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
import { ExpirySweep } from './expiry-sweep.ts';
import { LmdbTable } from './lmdb-table.ts';
import { isTimeRow, noBytes, timeIndexMeta, timeOfRow, windowKeyOfRow, windowTimeRow } from './time-index.ts';
import { recordKeyOf, sequenceOf, windowStartOf, windowTableKey, windowTableKeyStart } from './window-table-key.ts';

const streamTimeMeta = 'observed-stream-time';
const sequenceMeta = 'sequence';
const startMax = Number.MAX_SAFE_INTEGER;

/**
 * A window store on disk.
 *
 * Owns: an {@link LmdbTable} keyed by record key, start and sequence number; the sweep that removes expired windows.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order, also one that is too old to be kept or a null
 * among duplicates (Kafka Streams logs them too); I2 no read
 * shows a window that has expired; I3 disk holds windows, stream time and sequence number of the last commit.
 */
export class LmdbWindowStore implements WindowBytesStore {
  readonly name: string;
  readonly persistent = true;
  readonly retentionMs: number;
  readonly windowSizeMs: number;
  readonly #loggingEnabled: boolean;
  readonly #retainDuplicates: boolean;
  readonly #timeIndexed: boolean;
  readonly #table: LmdbTable;
  readonly #retention: WindowRetention;
  readonly #suffixes = new WindowSuffixCache();
  readonly #sweep: ExpirySweep;
  #sequence = 0;
  #context: StateStoreContext | undefined;

  constructor(options: WindowBytesStoreOptions) {
    this.name = options.name;
    this.retentionMs = options.retentionMs;
    this.windowSizeMs = options.windowSizeMs;
    this.#loggingEnabled = options.loggingEnabled;
    this.#retainDuplicates = options.retainDuplicates;
    this.#timeIndexed = options.readByTime === true && !options.retainDuplicates;
    this.#table = new LmdbTable(options.name);
    this.#retention = new WindowRetention(options.retentionMs);
    this.#sweep = new ExpirySweep(this.#table, options.retentionMs, timeOf);
  }

  get observedStreamTimeMs(): number {
    return this.#retention.observedStreamTimeMs;
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
    this.#readPosition();
    if (this.#timeIndexed && this.#table.readMeta(timeIndexMeta) !== 1) this.#buildTimeIndex();
  }

  put(key: BinaryKey, value: Buffer | null, windowStartMs: number, timestampMs: number): void {
    const context = this.#context;
    if (context === undefined) throw storeClosed(this.name);
    if (this.#retainDuplicates) this.#sequence = (this.#sequence + 1) & sequenceMax;
    const ignored = value === null && this.#retainDuplicates;
    if (!ignored && !this.#write(key, value, windowStartMs, this.#sequence, timestampMs))
      countExpired(context, this.name);
    if (this.#loggingEnabled) {
      const suffix = this.#suffixes.suffix(windowStartMs, this.#sequence);
      // A tombstone has no time of its own: Kafka Streams logs it with that of the record being processed.
      const loggedMs = value === null ? context.timestampMs() : timestampMs;
      context.logChange(this.name, (key + suffix) as BinaryKey, value, loggedMs);
    }
  }

  get(key: BinaryKey, windowStartMs: number): StoredValue | undefined {
    if (windowStartMs < this.#retention.minLiveStartMs) return undefined;
    if (!this.#retainDuplicates) return this.#table.get(windowTableKey(key, windowStartMs, 0));
    const last = this.fetch(key, windowStartMs, windowStartMs, 'reverse');
    const step = last.next();
    last.close();
    return step.done === true ? undefined : { value: step.value.value, timestampMs: step.value.timestampMs };
  }

  fetch(
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey> {
    const from = Math.max(0, fromMs, this.#retention.minLiveStartMs);
    const to = Math.min(toMs, startMax);
    const keyStart = windowTableKeyStart(key);
    const bound = (startMs: number, sequence: number) =>
      // An empty range keeps both bounds equal and the filter below empties it.
      windowTableKey(key, Math.max(0, startMs), sequence);
    const rows = this.#table.scan(
      from <= to ? bound(from, 0) : keyStart,
      from <= to ? bound(to, sequenceMax) : keyStart,
      false,
      direction,
    );
    return new LmdbWindowIterator(rows, from, to);
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
    const from = Math.max(0, fromMs, this.#retention.minLiveStartMs);
    const first = keyFrom === undefined ? undefined : windowTableKeyStart(keyFrom);
    const last = keyTo === undefined ? undefined : windowTableKey(keyTo, startMax, sequenceMax);
    const empty = first !== undefined && last !== undefined && first > last;
    return new LmdbWindowIterator(this.#table.scan(first, empty ? first : last, false, direction), from, toMs);
  }

  fetchAllByTime(fromMs: number, toMs: number): StoreIterator<WindowedBytesKey> {
    const found: CopiedEntry<WindowedBytesKey>[] = [];
    if (this.#timeIndexed) {
      const from = Math.max(0, fromMs, this.#retention.minLiveStartMs);
      if (from > toMs) return new SortedEntries(found);
      const rows = this.#table.scan(windowTimeRow(from, ''), windowTimeRow(toMs + 1, ''), true, 'forward');
      for (const row of rows) {
        const key = windowKeyOfRow(row.key);
        const windowStartMs = timeOfRow(row.key);
        const stored = this.#table.get(windowTableKey(key, windowStartMs, 0));
        if (stored !== undefined) found.push({ key: { key, windowStartMs, sequence: 0 }, ...stored });
      }
      return new SortedEntries(found);
    }
    for (const { key, value, timestampMs } of this.fetchAll(fromMs, toMs, 'forward')) {
      found.push({ key: { ...key }, value, timestampMs });
    }
    return new SortedEntries(found.sort(byStart));
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    const parsed: WindowChangelogKey = { key: undefined, windowStartMs: 0, sequence: 0 };
    for (let row = 0; row < batch.count; row++) {
      readWindowChangelogKey(batch, row, parsed);
      if (parsed.key === undefined) continue;
      const value = copyRow(batch, row);
      if (this.#retainDuplicates) {
        this.#sequence = Math.max(this.#sequence, parsed.sequence);
        if (value === null) continue;
      }
      this.#write(parsed.key, value, parsed.windowStartMs, parsed.sequence, batch.timestamps[row] as number);
    }
    if (this.#table.restoreWantsCommit) this.commit(nextOffset);
  }

  flush(): void {}

  commit(changelogOffset: number | undefined): void {
    const minLiveStartMs = this.#retention.minLiveStartMs;
    this.#table.commit(
      changelogOffset,
      {
        [streamTimeMeta]: this.#retention.observedStreamTimeMs,
        [sequenceMeta]: this.#sequence,
        [timeIndexMeta]: this.#timeIndexed ? 1 : 0,
      },
      (key) => timeOf(key) >= minLiveStartMs,
      this.#sweep.next(minLiveStartMs),
    );
  }

  rollback(): boolean {
    this.#table.rollback();
    this.#readPosition();
    return true;
  }

  close(): void {
    this.#context = undefined;
    this.#table.close();
  }

  wipe(): void {
    this.#table.wipe();
  }

  #readPosition(): void {
    this.#retention.reset(this.#table.readMeta(streamTimeMeta) ?? -1);
    this.#sequence = this.#table.readMeta(sequenceMeta) ?? 0;
    this.#sweep.reset();
  }

  /** The store was made without one, by a program that did not read by time. */
  #buildTimeIndex(): void {
    for (const row of this.#table.scan(undefined, undefined, false, 'forward')) {
      if (isTimeRow(row.key)) continue;
      this.#table.put(windowTimeRow(windowStartOf(row.key), recordKeyOf(row.key)), noBytes, row.timestampMs);
    }
  }

  /** False when the window had already expired. */
  #write(key: BinaryKey, value: Buffer | null, windowStartMs: number, sequence: number, timestampMs: number): boolean {
    this.#retention.observe(windowStartMs);
    if (windowStartMs < this.#retention.minLiveStartMs) return false;
    this.#table.put(windowTableKey(key, windowStartMs, sequence), value, timestampMs);
    if (this.#timeIndexed)
      this.#table.put(windowTimeRow(windowStartMs, key), value === null ? null : noBytes, timestampMs);
    return true;
  }
}

function timeOf(tableKey: BinaryKey): number {
  return isTimeRow(tableKey) ? timeOfRow(tableKey) : windowStartOf(tableKey);
}

/** Rows of a table scan as windows, those outside the time range left out. */
class LmdbWindowIterator implements StoreIterator<WindowedBytesKey>, StoreEntry<WindowedBytesKey> {
  readonly key = { key: '' as BinaryKey, windowStartMs: 0, sequence: 0 };
  value: Buffer = Buffer.alloc(0);
  timestampMs = 0;
  readonly #rows: StoreIterator<BinaryKey>;
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly #result: IteratorYieldResult<StoreEntry<WindowedBytesKey>> = { done: false, value: this };

  constructor(rows: StoreIterator<BinaryKey>, fromMs: number, toMs: number) {
    this.#rows = rows;
    this.#fromMs = fromMs;
    this.#toMs = toMs;
  }

  next(): IteratorResult<StoreEntry<WindowedBytesKey>, undefined> {
    for (;;) {
      const step = this.#rows.next();
      if (step.done === true) return step;
      const row = step.value;
      if (isTimeRow(row.key)) continue;
      const windowStartMs = windowStartOf(row.key);
      if (windowStartMs < this.#fromMs || windowStartMs > this.#toMs) continue;
      this.key.key = recordKeyOf(row.key);
      this.key.windowStartMs = windowStartMs;
      this.key.sequence = sequenceOf(row.key);
      this.value = row.value;
      this.timestampMs = row.timestampMs;
      return this.#result;
    }
  }

  return(): IteratorResult<StoreEntry<WindowedBytesKey>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#rows.close();
  }

  [Symbol.iterator](): this {
    return this;
  }
}
