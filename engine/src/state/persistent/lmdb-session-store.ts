import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { ExpiringStoreOptions } from '../memory/memory-expiring-store.ts';
import type { CopiedEntry } from '../memory/sorted-entries.ts';
import {
  readSessionChangelogKey,
  SESSION_SUFFIX_BYTES,
  type SessionChangelogKey,
  sessionSuffix,
} from '../session-key.ts';
import type { BoundedScan, SessionBytesKey, SessionBytesStore, StoredValue, StoreIterator } from '../state-store.ts';
import { copyRow } from '../store-support.ts';
import { ExpiringRows } from './expiring-rows.ts';
import { LmdbExpiringStore } from './lmdb-expiring-store.ts';
import { timeAt, windowTableKeyStart } from './window-table-key.ts';

const END_OF_TIME = Number.MAX_SAFE_INTEGER;
const rows = new ExpiringRows(SESSION_SUFFIX_BYTES, SESSION_SUFFIX_BYTES);

/** A session store on disk: the table is keyed by record key, end and start. */
export class LmdbSessionStore extends LmdbExpiringStore<SessionBytesKey> implements SessionBytesStore {
  readonly #parsed: SessionChangelogKey = { key: undefined, startMs: 0, endMs: 0 };

  /** The folder is made by `open`, not here. */
  constructor(options: ExpiringStoreOptions) {
    super(options, rows);
  }

  put(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number, timestampMs: number): void {
    const suffix = sessionSuffix(startMs, endMs);
    this.write((windowTableKeyStart(key) + suffix) as BinaryKey, value, endMs, endMs);
    this.log((key + suffix) as BinaryKey, value, timestampMs);
  }

  get(key: BinaryKey, startMs: number, endMs: number): StoredValue | undefined {
    return this.read(tableKeyOf(key, startMs, endMs), endMs);
  }

  findSessions(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    latestEndMs = END_OF_TIME,
  ): StoreIterator<SessionBytesKey> {
    const fromMs = this.liveFrom(earliestEndMs);
    const first = tableKeyOf(key, 0, fromMs);
    const last = tableKeyOf(key, END_OF_TIME, latestEndMs);
    return this.entries(first, last, fromMs, direction, (row) => startOf(row) <= latestStartMs);
  }

  findSessionsInRange(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<SessionBytesKey>,
  ): StoreIterator<SessionBytesKey> {
    const fromMs = this.liveFrom(earliestEndMs);
    const isWanted = (row: BinaryKey) => rows.timeOf(row) >= fromMs && startOf(row) <= latestStartMs;
    return this.entriesOfKeys(from, to, fromMs, direction, isWanted, bound);
  }

  findByEnd(fromMs: number, toMs: number): StoreIterator<SessionBytesKey> {
    return this.entriesByTime(fromMs, toMs, byEndAndStart);
  }

  protected restoreRow(batch: RecordBatch, row: number): void {
    const parsed = this.#parsed;
    readSessionChangelogKey(batch, row, parsed);
    const { key, startMs, endMs } = parsed;
    if (key !== undefined) this.rewrite(tableKeyOf(key, startMs, endMs), copyRow(batch, row), endMs, endMs);
  }

  protected keyOf(tableKey: BinaryKey): SessionBytesKey {
    return { key: rows.recordKeyOf(tableKey), startMs: startOf(tableKey), endMs: rows.timeOf(tableKey) };
  }
}

function tableKeyOf(key: BinaryKey, startMs: number, endMs: number): BinaryKey {
  return (windowTableKeyStart(key) + sessionSuffix(startMs, endMs)) as BinaryKey;
}

function startOf(tableKey: BinaryKey): number {
  return timeAt(tableKey, tableKey.length - SESSION_SUFFIX_BYTES / 2);
}

/** By end, then start, then key: the order of Kafka Streams' time-ordered session stores. */
function byEndAndStart(a: CopiedEntry<SessionBytesKey>, b: CopiedEntry<SessionBytesKey>): number {
  const [x, y] = [a.key, b.key];
  return x.endMs - y.endMs || x.startMs - y.startMs || (x.key < y.key ? -1 : x.key > y.key ? 1 : 0);
}
