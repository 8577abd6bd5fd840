import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { readSessionChangelogKey, type SessionChangelogKey, sessionSuffix } from '../session-key.ts';
import type { BoundedScan, SessionBytesKey, SessionBytesStore, StoredValue, StoreIterator } from '../state-store.ts';
import { copyRow } from '../store-support.ts';
import { type ExpiringStoreOptions, MemoryExpiringStore } from './memory-expiring-store.ts';
import type { CopiedEntry } from './sorted-entries.ts';

/** Expired sessions leave memory a bucket at a time: retention ÷ this is the longest they linger, invisible. */
const BUCKETS_PER_RETENTION = 64;
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

/**
 * A session store that lives in memory and is restored from its changelog. An entry's time is the end of its session, its number
 * the start.
 */
export class MemorySessionStore extends MemoryExpiringStore<SessionBytesKey> implements SessionBytesStore {
  readonly #parsed: SessionChangelogKey = { key: undefined, startMs: 0, endMs: 0 };

  /** Expired sessions leave memory in steps of 1/64 of `retentionMs`. */
  constructor(options: ExpiringStoreOptions) {
    super(options, options.retentionMs / BUCKETS_PER_RETENTION);
  }

  put(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number, timestampMs: number): void {
    if (!this.write(key, value, endMs, startMs, endMs)) this.countExpired();
    this.log((key + sessionSuffix(startMs, endMs)) as BinaryKey, value, timestampMs);
  }

  get(key: BinaryKey, startMs: number, endMs: number): StoredValue | undefined {
    return this.read(key, endMs, startMs);
  }

  findSessions(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    latestEndMs = END_OF_TIME,
  ): StoreIterator<SessionBytesKey> {
    return this.entriesOfKey(key, sessionsBetween(earliestEndMs, latestStartMs, direction, latestEndMs));
  }

  findSessionsInRange(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<SessionBytesKey>,
  ): StoreIterator<SessionBytesKey> {
    return this.entriesOfKeys(from, to, { ...sessionsBetween(earliestEndMs, latestStartMs, direction), bound });
  }

  findByEnd(fromMs: number, toMs: number): StoreIterator<SessionBytesKey> {
    return this.entriesByTime(fromMs, toMs, byEnd);
  }

  protected restoreRow(batch: RecordBatch, row: number): void {
    const parsed = this.#parsed;
    readSessionChangelogKey(batch, row, parsed);
    const { key, startMs, endMs } = parsed;
    if (key !== undefined) this.write(key, copyRow(batch, row), endMs, startMs, endMs);
  }

  protected keyOf(key: BinaryKey, endMs: number, startMs: number): SessionBytesKey {
    return { key, startMs, endMs };
  }
}

function sessionsBetween(
  earliestEndMs: number,
  latestStartMs: number,
  direction: 'forward' | 'reverse',
  latestEndMs = END_OF_TIME,
) {
  const accepts = (startMs: number) => startMs <= latestStartMs;
  return { fromMs: earliestEndMs, toMs: latestEndMs, direction, accepts };
}

/** By end, then key, then start. */
function byEnd(a: CopiedEntry<SessionBytesKey>, b: CopiedEntry<SessionBytesKey>): number {
  const [x, y] = [a.key, b.key];
  return x.endMs - y.endMs || (x.key < y.key ? -1 : x.key > y.key ? 1 : x.startMs - y.startMs);
}
