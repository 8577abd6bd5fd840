import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { byStart, type WindowBytesStoreOptions } from '../memory/memory-window-store.ts';
import type { BoundedScan, StoredValue, StoreIterator, WindowBytesStore, WindowedBytesKey } from '../state-store.ts';
import { copyRow } from '../store-support.ts';
import {
  readWindowChangelogKey,
  SEQUENCE_MAX,
  WINDOW_SUFFIX_BYTES,
  type WindowChangelogKey,
  WindowSuffixCache,
} from '../window-key.ts';
import { ExpiringRows } from './expiring-rows.ts';
import { LmdbExpiringStore } from './lmdb-expiring-store.ts';
import { sequenceOf, windowStartOf, windowTableKey, windowTableKeyStart } from './window-table-key.ts';

const SEQUENCE_META = 'sequence';
const START_MAX = Number.MAX_SAFE_INTEGER;
const START_BYTES = 8;
const rows = new ExpiringRows(WINDOW_SUFFIX_BYTES, START_BYTES);

/**
 * A window store on disk: the table is keyed by record key, start and sequence number.
 *
 * Owns: the sequence number. Called by: see {@link LmdbExpiringStore}, whose invariants it keeps.
 * Invariants: I4 also a null among duplicates goes to the changelog, as in Kafka Streams; I5 disk holds the sequence number of the
 * last commit.
 */
export class LmdbWindowStore extends LmdbExpiringStore<WindowedBytesKey> implements WindowBytesStore {
  readonly windowSizeMs: number;
  readonly #retainsDuplicates: boolean;
  readonly #suffixes = new WindowSuffixCache();
  readonly #parsed: WindowChangelogKey = { key: undefined, windowStartMs: 0, sequence: 0 };
  #sequence = 0;

  /** The folder is made by `open`, not here. */
  constructor(options: WindowBytesStoreOptions) {
    super({ ...options, readByTime: options.readByTime === true && !options.retainDuplicates }, rows);
    this.windowSizeMs = options.windowSizeMs;
    this.#retainsDuplicates = options.retainDuplicates;
  }

  put(key: BinaryKey, value: Buffer | null, windowStartMs: number, timestampMs: number): void {
    const { context } = this;
    if (this.#retainsDuplicates) this.#sequence = (this.#sequence + 1) & SEQUENCE_MAX;
    const suffix = this.#suffixes.suffix(windowStartMs, this.#sequence);
    if (value !== null || !this.#retainsDuplicates) {
      this.write((windowTableKeyStart(key) + suffix) as BinaryKey, value, windowStartMs, timestampMs);
    }
    // A tombstone has no time of its own: Kafka Streams logs it with that of the record being processed.
    this.log((key + suffix) as BinaryKey, value, value === null ? context.timestampMs() : timestampMs);
  }

  get(key: BinaryKey, windowStartMs: number): StoredValue | undefined {
    if (!this.#retainsDuplicates) {
      const tableKey = (windowTableKeyStart(key) + this.#suffixes.suffix(windowStartMs, 0)) as BinaryKey;
      return this.read(tableKey, windowStartMs);
    }
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
    const from = this.liveFrom(fromMs);
    const first = windowTableKey(key, from, 0);
    const last = windowTableKey(key, Math.max(0, Math.min(toMs, START_MAX)), SEQUENCE_MAX);
    return this.entries(first, last, from, direction, (row) => windowStartOf(row) <= toMs);
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
    bound?: BoundedScan<WindowedBytesKey>,
  ): StoreIterator<WindowedBytesKey> {
    const from = this.liveFrom(fromMs);
    const isInTime = (row: BinaryKey): boolean => {
      const windowStartMs = windowStartOf(row);
      return windowStartMs >= from && windowStartMs <= toMs;
    };
    return this.entriesOfKeys(keyFrom, keyTo, from, direction, isInTime, bound);
  }

  fetchAllByTime(fromMs: number, toMs: number): StoreIterator<WindowedBytesKey> {
    return this.entriesByTime(fromMs, toMs, byStart);
  }

  protected override position(): Record<string, number> {
    return { ...super.position(), [SEQUENCE_META]: this.#sequence };
  }

  protected override readPosition(): void {
    super.readPosition();
    this.#sequence = this.table.readMeta(SEQUENCE_META) ?? 0;
  }

  protected restoreRow(batch: RecordBatch, row: number): void {
    const parsed = this.#parsed;
    readWindowChangelogKey(batch, row, parsed);
    const { key, windowStartMs, sequence } = parsed;
    if (key === undefined) return;
    const value = copyRow(batch, row);
    if (this.#retainsDuplicates) {
      this.#sequence = Math.max(this.#sequence, sequence);
      if (value === null) return;
    }
    const timestampMs = batch.timestamps[row] as number;
    this.rewrite(windowTableKey(key, windowStartMs, sequence), value, windowStartMs, timestampMs);
  }

  protected keyOf(tableKey: BinaryKey): WindowedBytesKey {
    return {
      key: rows.recordKeyOf(tableKey),
      windowStartMs: windowStartOf(tableKey),
      sequence: sequenceOf(tableKey),
    };
  }
}
