import type { BinaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { readSessionChangelogKey, type SessionChangelogKey, sessionSuffix } from '../session-key.ts';
import { SortedKeys } from '../sorted-keys.ts';
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
import { EntryColumns } from './entry-columns.ts';
import { KeyWindows, noSlot } from './key-windows.ts';
import { type CopiedEntry, SortedEntries } from './sorted-entries.ts';
import { TimeBuckets } from './time-buckets.ts';

export interface SessionBytesStoreOptions {
  readonly name: string;
  readonly loggingEnabled: boolean;
  /** How long a session is kept after the newest session's end, ms. */
  readonly retentionMs: number;
  /** Sessions of all keys are often asked for by end: kept so that this needs no look at every key. */
  readonly readByTime?: boolean;
}

/** Expired sessions leave memory a bucket at a time: retention ÷ this is the longest they linger, invisible. */
const bucketsPerRetention = 64;

/**
 * A session store that lives in memory and is restored from its changelog. The sessions of a key are kept as windows whose
 * "start" is the session's end and whose sequence number is its start.
 *
 * Owns: the sessions of every key, and which keys have sessions ending in which stretch of time.
 * Called by: the typed store and DSL nodes of one task, on its thread.
 * Invariants: I1 every put that isn't a restore goes to the changelog, in order, also one that is too old to be kept; I2 no read
 * shows a session that has expired; I3 a key without sessions isn't in the map.
 */
export class MemorySessionStore implements SessionBytesStore {
  readonly name: string;
  readonly persistent = false;
  readonly restoredOffset = undefined;
  readonly retentionMs: number;
  readonly #loggingEnabled: boolean;
  readonly #sessions = new Map<BinaryKey, KeyWindows>();
  readonly #entries = new EntryColumns();
  readonly #sorted = new SortedKeys();
  readonly #retention: WindowRetention;
  readonly #buckets: TimeBuckets;
  #context: StateStoreContext | undefined;

  constructor(options: SessionBytesStoreOptions) {
    this.name = options.name;
    this.retentionMs = options.retentionMs;
    this.#loggingEnabled = options.loggingEnabled;
    this.#retention = new WindowRetention(options.retentionMs);
    this.#buckets = new TimeBuckets(Math.max(1, Math.ceil(options.retentionMs / bucketsPerRetention)));
  }

  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  get observedStreamTimeMs(): number {
    return this.#retention.observedStreamTimeMs;
  }

  open(context: StateStoreContext): void {
    this.#context = context;
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
    if (this.#context === undefined) throw storeClosed(this.name);
    if (endMs < this.#retention.minLiveStartMs) return undefined;
    const slot = this.#sessions.get(key)?.find(endMs, startMs) ?? noSlot;
    return slot === noSlot ? undefined : this.#entries.read(slot);
  }

  findSessions(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<SessionBytesKey> {
    if (this.#context === undefined) throw storeClosed(this.name);
    return new SortedEntries(this.#copies(key, earliestEndMs, latestStartMs, direction));
  }

  findSessionsInRange(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<SessionBytesKey> {
    if (this.#context === undefined) throw storeClosed(this.name);
    const forward = direction === 'forward';
    const keys = this.#sorted.scan(this.#sessions, forward ? from : to, direction);
    return new SessionsByKey({
      next: () => {
        const step = keys.next();
        if (step.done === true) return undefined;
        const key = step.value[0];
        return (forward ? to !== undefined && key > to : from !== undefined && key < from) ? undefined : key;
      },
      sessionsOf: (key) => this.#copies(key, earliestEndMs, latestStartMs, direction),
      onClose: () => this.#sorted.endScan(),
    });
  }

  findByEnd(fromMs: number, toMs: number): StoreIterator<SessionBytesKey> {
    if (this.#context === undefined) throw storeClosed(this.name);
    const found: CopiedEntry<SessionBytesKey>[] = [];
    for (const key of this.#buckets.keysBetween(fromMs, toMs)) {
      for (const session of this.#copies(key, fromMs, Number.MAX_SAFE_INTEGER, 'forward')) {
        if (session.key.endMs <= toMs) found.push(session);
      }
    }
    return new SortedEntries(found.sort(byEnd));
  }

  restore(batch: RecordBatch): void {
    const parsed: SessionChangelogKey = { key: undefined, startMs: 0, endMs: 0 };
    for (let row = 0; row < batch.count; row++) {
      readSessionChangelogKey(batch, row, parsed);
      if (parsed.key !== undefined) this.#write(parsed.key, copyRow(batch, row), parsed.startMs, parsed.endMs);
    }
  }

  flush(): void {}

  commit(): void {}

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.#context = undefined;
    this.#sessions.clear();
    this.#entries.clear();
    this.#buckets.clear();
    this.#sorted.clear();
    this.#retention.reset(-1);
  }

  wipe(): void {}

  #copies(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
  ): CopiedEntry<SessionBytesKey>[] {
    const copies: CopiedEntry<SessionBytesKey>[] = [];
    const sessions = this.#sessions.get(key);
    if (sessions === undefined) return copies;
    const from = Math.max(earliestEndMs, this.#retention.minLiveStartMs);
    for (let index = sessions.size - 1; index >= 0 && (sessions.starts[index] as number) >= from; index--) {
      const startMs = sessions.sequences[index] as number;
      if (startMs > latestStartMs) continue;
      const endMs = sessions.starts[index] as number;
      copies.push({
        key: { key, startMs, endMs },
        value: this.#entries.value(sessions.slots[index] as number),
        timestampMs: endMs,
      });
    }
    return direction === 'forward' ? copies.reverse() : copies;
  }

  /** False when the session had already expired. */
  #write(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number): boolean {
    const retention = this.#retention;
    if (retention.observe(endMs)) this.#buckets.expireBefore(retention.minLiveStartMs, this.#dropBefore);
    if (endMs < retention.minLiveStartMs) return false;
    if (value === null) {
      this.#remove(key, startMs, endMs);
      return true;
    }
    let sessions = this.#sessions.get(key);
    if (sessions === undefined) {
      sessions = new KeyWindows();
      this.#sessions.set(key, sessions);
      this.#sorted.noteChange(key, this.#sessions.size);
    }
    const slot = sessions.find(endMs, startMs);
    if (slot !== noSlot) {
      this.#entries.set(slot, value, endMs);
      return true;
    }
    sessions.add(endMs, startMs, this.#entries.add(value, endMs));
    this.#buckets.add(endMs, key);
    return true;
  }

  #remove(key: BinaryKey, startMs: number, endMs: number): void {
    const sessions = this.#sessions.get(key);
    const freed = sessions?.deleteNumbered(endMs, startMs) ?? noSlot;
    if (freed === noSlot) return;
    this.#entries.remove(freed);
    if (sessions?.size === 0) this.#removeKey(key);
  }

  readonly #dropBefore = (key: BinaryKey, beforeMs: number): void => {
    const sessions = this.#sessions.get(key);
    if (sessions === undefined) return;
    for (const slot of sessions.deleteBefore(beforeMs)) this.#entries.remove(slot);
    if (sessions.size === 0) this.#removeKey(key);
  };

  #removeKey(key: BinaryKey): void {
    this.#sessions.delete(key);
    this.#sorted.noteChange(key, this.#sessions.size);
  }
}

/** By end, then key, then start. */
function byEnd(a: CopiedEntry<SessionBytesKey>, b: CopiedEntry<SessionBytesKey>): number {
  const [x, y] = [a.key, b.key];
  return x.endMs - y.endMs || (x.key < y.key ? -1 : x.key > y.key ? 1 : x.startMs - y.startMs);
}

interface KeyScan {
  next(): BinaryKey | undefined;
  sessionsOf(key: BinaryKey): CopiedEntry<SessionBytesKey>[];
  onClose(): void;
}

/** Goes key by key; the sessions of a key are copied when it gets there, so that writes meanwhile can't confuse it. */
class SessionsByKey implements StoreIterator<SessionBytesKey> {
  readonly #scan: KeyScan;
  #sessions: readonly CopiedEntry<SessionBytesKey>[] = [];
  #next = 0;
  #closed = false;

  constructor(scan: KeyScan) {
    this.#scan = scan;
  }

  next(): IteratorResult<StoreEntry<SessionBytesKey>, undefined> {
    while (!this.#closed) {
      const session = this.#sessions[this.#next];
      if (session !== undefined) {
        this.#next += 1;
        return { done: false, value: session };
      }
      const key = this.#scan.next();
      if (key === undefined) break;
      this.#sessions = this.#scan.sessionsOf(key);
      this.#next = 0;
    }
    this.close();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<StoreEntry<SessionBytesKey>, undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sessions = [];
    this.#scan.onClose();
  }

  [Symbol.iterator](): this {
    return this;
  }
}
