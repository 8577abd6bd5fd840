import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { BoundedScan, StoredValue, StoreIterator, WindowBytesStore, WindowedBytesKey } from '../state-store.ts';
import { copyRow } from '../store-support.ts';
import { readWindowChangelogKey, SEQUENCE_MAX, type WindowChangelogKey, WindowSuffixCache } from '../window-key.ts';
import { type ExpiringStoreOptions, MemoryExpiringStore } from './memory-expiring-store.ts';
import type { CopiedEntry } from './sorted-entries.ts';

/** `retentionMs` is at least the window size. */
export interface WindowBytesStoreOptions extends ExpiringStoreOptions {
  /** Length of the store's windows, ms: keys that are handed out have no end, so readers reckon it from this. */
  readonly windowSizeMs: number;
  /** Every put adds an entry of its own, numbered in arrival order; puts of null are numbered and logged, and change nothing. */
  readonly retainDuplicates: boolean;
}

/** Expired windows leave memory a bucket at a time: retention ÷ this is the longest they linger, invisible. */
const BUCKETS_PER_RETENTION = 8;

/**
 * A window store that lives in memory and is restored from its changelog. An entry's time is the start of its window.
 *
 * Owns: the sequence number. Called by: see {@link MemoryExpiringStore}, whose invariants it keeps.
 * Invariants: I5 also a null among duplicates goes to the changelog, as in Kafka Streams.
 */
export class MemoryWindowStore extends MemoryExpiringStore<WindowedBytesKey> implements WindowBytesStore {
  readonly windowSizeMs: number;
  readonly #retainsDuplicates: boolean;
  readonly #suffixes = new WindowSuffixCache();
  readonly #parsed: WindowChangelogKey = { key: undefined, windowStartMs: 0, sequence: 0 };
  #sequence = 0;

  /**
   * Expired windows leave memory in steps of 1/8 of `retentionMs`, of at most a window's size where `readByTime` is
   * set.
   */
  constructor(options: WindowBytesStoreOptions) {
    const bucketMs = options.retentionMs / BUCKETS_PER_RETENTION;
    super(options, options.readByTime === true ? Math.min(bucketMs, options.windowSizeMs) : bucketMs);
    this.windowSizeMs = options.windowSizeMs;
    this.#retainsDuplicates = options.retainDuplicates;
  }

  put(key: BinaryKey, value: Buffer | null, windowStartMs: number, timestampMs: number): void {
    const { context } = this;
    if (this.#retainsDuplicates) this.#sequence = (this.#sequence + 1) & SEQUENCE_MAX;
    if (!this.write(key, value, windowStartMs, this.#sequence, timestampMs)) this.countExpired();
    const suffix = this.#suffixes.suffix(windowStartMs, this.#sequence);
    // A tombstone has no time of its own: Kafka Streams logs it with that of the record being processed.
    this.log((key + suffix) as BinaryKey, value, value === null ? context.timestampMs() : timestampMs);
  }

  get(key: BinaryKey, windowStartMs: number): StoredValue | undefined {
    return this.read(key, windowStartMs);
  }

  fetch(
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey> {
    return this.entriesOfKey(key, { fromMs, toMs, direction });
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
    return this.entriesOfKeys(keyFrom, keyTo, { fromMs, toMs, direction, bound });
  }

  fetchAllByTime(fromMs: number, toMs: number): StoreIterator<WindowedBytesKey> {
    return this.entriesByTime(fromMs, toMs, byStart);
  }

  override close(): void {
    super.close();
    this.#sequence = 0;
  }

  protected restoreRow(batch: RecordBatch, row: number): void {
    const parsed = this.#parsed;
    readWindowChangelogKey(batch, row, parsed);
    const { key, windowStartMs } = parsed;
    if (key === undefined) return;
    const sequence = this.#retainsDuplicates ? parsed.sequence : 0;
    this.#sequence = Math.max(this.#sequence, sequence);
    this.write(key, copyRow(batch, row), windowStartMs, sequence, batch.timestamps[row] as number);
  }

  protected keyOf(key: BinaryKey, windowStartMs: number, sequence: number): WindowedBytesKey {
    return { key, windowStartMs, sequence };
  }

  /** Among duplicates a null deletes nothing, but in memory it moves the store's time, as in Kafka Streams. */
  protected override write(
    key: BinaryKey,
    value: Buffer | null,
    windowStartMs: number,
    sequence: number,
    timestampMs: number,
  ): boolean {
    if (value === null && this.#retainsDuplicates) return this.observe(windowStartMs);
    return super.write(key, value, windowStartMs, sequence, timestampMs);
  }
}

/** By start, then key, then sequence number. */
export function byStart(a: CopiedEntry<WindowedBytesKey>, b: CopiedEntry<WindowedBytesKey>): number {
  const [x, y] = [a.key, b.key];
  return x.windowStartMs - y.windowStartMs || (x.key < y.key ? -1 : x.key > y.key ? 1 : x.sequence - y.sequence);
}
