import type { BinaryKey } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { Log, Metrics } from '../base/metrics.ts';
import type { Header, RecordBatch } from '../base/record-batch.ts';
import type { RecordCacheContext } from './cache/cache-origin.ts';

/** What a store may use of the task that owns it. */
export interface StateStoreContext {
  readonly applicationId: string;
  /** `0_1` */
  readonly taskId: string;
  /** Folder of this task's persistent stores; exists. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** The task's record cache; stores built with caching need it. */
  readonly cache?: RecordCacheContext;
  /** Timestamp of the record being processed. */
  timestampMs(): number;
  /**
   * Appends to the store's changelog; a no-op while restoring or when logging is off. `value` null is a tombstone. The
   * bytes are copied before it returns. A null timestamp is the producer's wall clock.
   */
  logChange(
    storeName: string,
    key: BinaryKey,
    value: Buffer | null,
    timestampMs: number | null,
    headers?: readonly Header[],
  ): void;
}

/**
 * A store of one task. Reads see the task's own uncommitted writes.
 *
 * Durability contract of persistent stores: writes stay in an overlay until `commit`, which writes them and the changelog
 * offset in one transaction, so a crash leaves state and offset of the same moment.
 */
export interface StateStore {
  readonly name: string;
  readonly persistent: boolean;
  readonly isOpen: boolean;
  open(context: StateStoreContext): void;
  /** First changelog offset that the durable state does not contain; undefined when it holds nothing durable. */
  readonly restoredOffset: number | undefined;
  /** When the durable state was last brought up to its changelog, epoch ms; undefined: unknown, or nothing durable. */
  readonly lastDurableMs?: number | undefined;
  /** Applies changelog records in order, without logging them. `nextOffset` is the position after the batch. */
  restore(batch: RecordBatch, nextOffset: number): void;
  /** Passes cached writes downstream (caching layer); a no-op without one. */
  flush(): void;
  /** Cached writes wait for `flush`. Absent: never. */
  readonly isDirty?: boolean;
  /** Makes everything written so far durable together with `changelogOffset` (position after the last logged record). */
  commit(changelogOffset: number | undefined): void;
  /** Forgets all writes since the last `commit`. Memory stores answer false: they must be restored from the changelog. */
  rollback(): boolean;
  /** True when so many uncommitted writes are held in memory that the task should commit soon. Absent: never. */
  readonly wantsCommit?: boolean;
  close(): void;
  /** Removes all durable data; the store must be closed. */
  wipe(): void;
}

/** A stored value with its timestamp. `value` must not be written to. */
export interface StoredValue {
  readonly value: Buffer;
  /** Epoch milliseconds; the changelog record's timestamp. */
  readonly timestampMs: number;
}

/** A value where the store keeps it: valid until the store's next write, and reused by its next `peek`. */
export interface StoredView {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Epoch milliseconds. */
  readonly timestampMs: number;
}

/**
 * The bytes side of a key-value store, plain and timestamped alike (a plain store just ignores the timestamp). The typed
 * stores and the DSL's nodes sit on it. Iteration is in byte order of the key; `range` bounds are inclusive.
 */
export interface KeyValueBytesStore extends StateStore {
  get(key: BinaryKey): StoredValue | undefined;
  /** `get` without a copy, for code that decodes at once. Absent where values aren't in memory. */
  peek?(key: BinaryKey): StoredView | undefined;
  /** Takes ownership of `value`; null deletes. */
  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void;
  range(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
  ): StoreIterator<BinaryKey>;
  prefixScan(prefix: BinaryKey): StoreIterator<BinaryKey>;
  approximateNumEntries(): number;
}

/** Must be closed; closing twice is harmless. The entry object is reused between steps. */
export interface StoreIterator<K> extends Iterable<StoreEntry<K>> {
  next(): IteratorResult<StoreEntry<K>, undefined>;
  close(): void;
}

export interface StoreEntry<K> {
  readonly key: K;
  readonly value: Buffer;
  readonly timestampMs: number;
}

/** Key of a window store: bytes of the record key, start of the window in ms, and a sequence number where duplicates are kept. */
export interface WindowedBytesKey {
  readonly key: BinaryKey;
  readonly windowStartMs: number;
  readonly sequence: number;
}

/**
 * The bytes side of a window store. A put older than `observedStreamTime - retention` is dropped and counted
 * (`expired-window-record-drop`), as in Kafka. Iteration: by key bytes, then start, then sequence, unless said otherwise.
 */
export interface WindowBytesStore extends StateStore {
  readonly retentionMs: number;
  readonly windowSizeMs: number;
  /** Highest window start ever put, -1 at first. */
  readonly observedStreamTimeMs: number;
  put(key: BinaryKey, value: Buffer | null, windowStartMs: number, timestampMs: number): void;
  get(key: BinaryKey, windowStartMs: number): StoredValue | undefined;
  /** Windows of one key whose start lies in `[fromMs, toMs]`, by start. */
  fetch(
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey>;
  /** The same of all keys between two, both inclusive; undefined is an open end. */
  fetchRange(
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey>;
  /** Windows of all keys whose start lies in `[fromMs, toMs]`. */
  fetchAll(fromMs: number, toMs: number, direction: 'forward' | 'reverse'): StoreIterator<WindowedBytesKey>;
  /** The same by start, then key, then sequence; quick in stores made with `readByTime`. */
  fetchAllByTime(fromMs: number, toMs: number): StoreIterator<WindowedBytesKey>;
}

/** Key of a session store: bytes of the record key, first and last moment of the session, epoch ms, both inclusive. */
export interface SessionBytesKey {
  readonly key: BinaryKey;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The bytes side of a session store. A session expires when its end is `observedStreamTime - retention` or earlier, where
 * observed stream time is the highest end ever put; a put that has expired is dropped and counted. Removing what is not there is
 * harmless. Iteration: by key bytes, then end, then start, unless said otherwise.
 */
export interface SessionBytesStore extends StateStore {
  readonly retentionMs: number;
  /** Highest end ever put, -1 at first. */
  readonly observedStreamTimeMs: number;
  /** Takes ownership of `value`; null removes. `timestampMs` is that of the changelog record. */
  put(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number, timestampMs: number): void;
  get(key: BinaryKey, startMs: number, endMs: number): StoredValue | undefined;
  /** Sessions of one key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier. */
  findSessions(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<SessionBytesKey>;
  /** The same of all keys between two, both inclusive; undefined is an open end. */
  findSessionsInRange(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<SessionBytesKey>;
  /**
   * Sessions of all keys that end in `[fromMs, toMs]`, by end. Those of one end come by key from memory stores, by start, then key
   * from persistent ones, as from Kafka Streams' own.
   */
  findByEnd(fromMs: number, toMs: number): StoreIterator<SessionBytesKey>;
}

/** Makes a store when a task is created; a value, so that a topology stays one. */
export interface StoreBuilder<S extends StateStore = StateStore> {
  readonly name: string;
  /** `buffer`: records that an operator holds back; not for queries. */
  readonly kind: 'key-value' | 'window' | 'session' | 'versioned' | 'buffer';
  readonly persistent: boolean;
  readonly loggingEnabled: boolean;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig: Readonly<Record<string, string>>;
  readonly cachingEnabled: boolean;
  /** Window and session stores: how long entries are kept, ms. */
  readonly retentionMs?: number;
  /** Window stores that keep duplicates (stream-stream joins) have a delete-only changelog. */
  readonly retainDuplicates?: boolean;
  /** `caching`: the task has a record cache, so a builder with `cachingEnabled` puts one before its store. */
  build(caching?: boolean): S;
}
