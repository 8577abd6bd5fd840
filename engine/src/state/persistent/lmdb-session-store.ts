import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { SessionBytesStoreOptions } from '../memory/memory-session-store.ts';
import { type CopiedEntry, SortedEntries } from '../memory/sorted-entries.ts';
import { readSessionChangelogKey, type SessionChangelogKey, sessionSuffix } from '../session-key.ts';
import type {
  SessionBytesKey,
  SessionBytesStore,
  StateStoreContext,
  StoredValue,
  StoreEntry,
  StoreIterator,
} from '../state-store.ts';
import { copyRow, storeClosed } from '../store-support.ts';
import { countExpired, WindowRetention } from '../window-retention.ts';
import { ExpirySweep } from './expiry-sweep.ts';
import { LmdbTable } from './lmdb-table.ts';
import { sessionEndOf, sessionKeyOf, sessionStartOf, sessionTableKey } from './session-table-key.ts';
import {
  isTimeRow,
  noBytes,
  sessionKeyOfRow,
  sessionStartOfRow,
  sessionTimeRow,
  timeIndexMeta,
  timeOfRow,
} from './time-index.ts';
import { windowTableKeyStart } from './window-table-key.ts';

const streamTimeMeta = 'observed-stream-time';
const endOfTime = Number.MAX_SAFE_INTEGER;
/** Sorts after every time suffix that follows a key. */
const afterAllTimes = '\u00ff';

/**
 * A session store on disk.
 *
 * Owns: an {@link LmdbTable} keyed by record key, end and start.
 * Called by: the typed store and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order, also one that is too old to be kept; I2 no read
 * shows a session that has expired; I3 disk holds sessions and stream time of the last commit.
 */
export class LmdbSessionStore implements SessionBytesStore {
  readonly name: string;
  readonly persistent = true;
  readonly retentionMs: number;
  readonly #loggingEnabled: boolean;
  readonly #timeIndexed: boolean;
  readonly #table: LmdbTable;
  readonly #retention: WindowRetention;
  readonly #sweep: ExpirySweep;
  #context: StateStoreContext | undefined;

  constructor(options: SessionBytesStoreOptions) {
    this.name = options.name;
    this.retentionMs = options.retentionMs;
    this.#loggingEnabled = options.loggingEnabled;
    this.#timeIndexed = options.readByTime === true;
    this.#table = new LmdbTable(options.name);
    this.#retention = new WindowRetention(options.retentionMs);
    this.#sweep = new ExpirySweep(this.#table, options.retentionMs, timeOf);
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

  get observedStreamTimeMs(): number {
    return this.#retention.observedStreamTimeMs;
  }

  open(context: StateStoreContext): void {
    this.#table.open(context);
    this.#context = context;
    this.#readPosition();
    if (this.#timeIndexed && this.#table.readMeta(timeIndexMeta) !== 1) this.#buildTimeIndex();
  }

  put(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number, timestampMs: number): void {
    const context = this.#context;
    if (context === undefined) throw storeClosed(this.name);
    if (!this.#write(key, value, startMs, endMs)) countExpired(context, this.name);
    if (this.#loggingEnabled) {
      context.logChange(this.name, (key + sessionSuffix(startMs, endMs)) as BinaryKey, value, timestampMs);
    }
  }

  get(key: BinaryKey, startMs: number, endMs: number): StoredValue | undefined {
    if (endMs < this.#retention.minLiveStartMs) return undefined;
    return this.#table.get(sessionTableKey(key, startMs, endMs));
  }

  findSessions(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<SessionBytesKey> {
    const from = this.#liveFrom(earliestEndMs);
    const rows = this.#table.scan(
      sessionTableKey(key, 0, from),
      sessionTableKey(key, endOfTime, endOfTime),
      false,
      direction,
    );
    return new LmdbSessionIterator(rows, from, endOfTime, latestStartMs);
  }

  findSessionsInRange(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<SessionBytesKey> {
    const rows = this.#table.scan(
      from === undefined ? undefined : windowTableKeyStart(from),
      to === undefined ? undefined : ((windowTableKeyStart(to) + afterAllTimes) as BinaryKey),
      false,
      direction,
    );
    return new LmdbSessionIterator(rows, this.#liveFrom(earliestEndMs), endOfTime, latestStartMs);
  }

  findByEnd(fromMs: number, toMs: number): StoreIterator<SessionBytesKey> {
    const found: CopiedEntry<SessionBytesKey>[] = [];
    if (this.#timeIndexed) {
      const from = this.#liveFrom(fromMs);
      if (from > toMs) return new SortedEntries(found);
      const to = Math.min(toMs + 1, endOfTime);
      for (const row of this.#table.scan(sessionTimeRow(0, from, ''), sessionTimeRow(0, to, ''), true, 'forward')) {
        const session = {
          key: sessionKeyOfRow(row.key),
          startMs: sessionStartOfRow(row.key),
          endMs: timeOfRow(row.key),
        };
        const stored = this.#table.get(sessionTableKey(session.key, session.startMs, session.endMs));
        if (stored !== undefined) found.push({ key: session, ...stored });
      }
      return new SortedEntries(found);
    }
    const rows = this.#table.scan(undefined, undefined, false, 'forward');
    for (const { key, value, timestampMs } of new LmdbSessionIterator(rows, this.#liveFrom(fromMs), toMs, endOfTime)) {
      found.push({ key: { ...key }, value, timestampMs });
    }
    return new SortedEntries(found.sort(byEndAndStart));
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    const parsed: SessionChangelogKey = { key: undefined, startMs: 0, endMs: 0 };
    for (let row = 0; row < batch.count; row++) {
      readSessionChangelogKey(batch, row, parsed);
      if (parsed.key !== undefined) this.#write(parsed.key, copyRow(batch, row), parsed.startMs, parsed.endMs);
    }
    if (this.#table.restoreWantsCommit) this.commit(nextOffset);
  }

  flush(): void {}

  commit(changelogOffset: number | undefined): void {
    const { minLiveStartMs } = this.#retention;
    this.#table.commit(
      changelogOffset,
      { [streamTimeMeta]: this.#retention.observedStreamTimeMs, [timeIndexMeta]: this.#timeIndexed ? 1 : 0 },
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

  #liveFrom(earliestEndMs: number): number {
    return Math.max(0, earliestEndMs, this.#retention.minLiveStartMs);
  }

  #readPosition(): void {
    this.#retention.reset(this.#table.readMeta(streamTimeMeta) ?? -1);
    this.#sweep.reset();
  }

  /** The store was made without one, by a program that did not read by time. */
  #buildTimeIndex(): void {
    for (const row of this.#table.scan(undefined, undefined, false, 'forward')) {
      if (isTimeRow(row.key)) continue;
      const endMs = sessionEndOf(row.key);
      this.#table.put(sessionTimeRow(sessionStartOf(row.key), endMs, sessionKeyOf(row.key)), noBytes, endMs);
    }
  }

  /** False when the session had already expired. */
  #write(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number): boolean {
    this.#retention.observe(endMs);
    if (endMs < this.#retention.minLiveStartMs) return false;
    this.#table.put(sessionTableKey(key, startMs, endMs), value, endMs);
    if (this.#timeIndexed) this.#table.put(sessionTimeRow(startMs, endMs, key), value === null ? null : noBytes, endMs);
    return true;
  }
}

function timeOf(tableKey: BinaryKey): number {
  return isTimeRow(tableKey) ? timeOfRow(tableKey) : sessionEndOf(tableKey);
}

/** By end, then start, then key: the order of Kafka Streams' time-ordered session stores. */
function byEndAndStart(a: CopiedEntry<SessionBytesKey>, b: CopiedEntry<SessionBytesKey>): number {
  const [x, y] = [a.key, b.key];
  return x.endMs - y.endMs || x.startMs - y.startMs || (x.key < y.key ? -1 : x.key > y.key ? 1 : 0);
}

/** Rows of a table scan as sessions, those outside the times left out. */
class LmdbSessionIterator implements StoreIterator<SessionBytesKey>, StoreEntry<SessionBytesKey> {
  readonly key = { key: '' as BinaryKey, startMs: 0, endMs: 0 };
  value: Buffer = Buffer.alloc(0);
  timestampMs = 0;
  readonly #rows: StoreIterator<BinaryKey>;
  readonly #fromEndMs: number;
  readonly #toEndMs: number;
  readonly #latestStartMs: number;
  readonly #result: IteratorYieldResult<StoreEntry<SessionBytesKey>> = { done: false, value: this };

  constructor(rows: StoreIterator<BinaryKey>, fromEndMs: number, toEndMs: number, latestStartMs: number) {
    this.#rows = rows;
    this.#fromEndMs = fromEndMs;
    this.#toEndMs = toEndMs;
    this.#latestStartMs = latestStartMs;
  }

  next(): IteratorResult<StoreEntry<SessionBytesKey>, undefined> {
    for (;;) {
      const step = this.#rows.next();
      if (step.done === true) return step;
      const row = step.value;
      if (isTimeRow(row.key)) continue;
      const endMs = sessionEndOf(row.key);
      const startMs = sessionStartOf(row.key);
      if (endMs < this.#fromEndMs || endMs > this.#toEndMs || startMs > this.#latestStartMs) continue;
      this.key.key = sessionKeyOf(row.key);
      this.key.startMs = startMs;
      this.key.endMs = endMs;
      this.value = row.value;
      this.timestampMs = endMs;
      return this.#result;
    }
  }

  return(): IteratorResult<StoreEntry<SessionBytesKey>, undefined> {
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
