import type { BinaryKey } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { Disk } from '../base/disk.ts';
import type { Log, Metrics } from '../base/metrics.ts';
import type { Header, RecordBatch } from '../base/record-batch.ts';
import type { RecordCacheContext } from './cache/cache-origin.ts';

/** What a store may use of the task that owns it. */
export interface StateStoreContext {
  /** The application's id: with the store's name it makes the changelog's. */
  readonly applicationId: string;
  /** Task that owns the store: `0_1` is sub-topology 0, partition 1. */
  readonly taskId: string;
  /** Folder of this task's persistent stores; exists. */
  readonly stateDirectory: string;
  /** Where that folder is. */
  readonly disk: Disk;
  /** For the time of the machine and timers; the test driver's in tests. */
  readonly clock: Clock;
  /** Where the store counts, with the tags `task-id` and `store-name`. */
  readonly metrics: Metrics;
  /** Where the store tells what it mended by itself. */
  readonly log: Log;
  /** The task's record cache; stores built with caching need it. */
  readonly cache?: RecordCacheContext;
  /** Timestamp of the record being processed, epoch ms. */
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
 * Durability contract of persistent stores: writes stay in an overlay until `commit`, which writes them and the
 * changelog offset in one transaction, so a crash leaves state and offset of the same moment.
 *
 * The typed stores of `Stores` are such stores; a store of your own implements this and comes from a {@link
 * StoreBuilder}.
 */
export interface StateStore {
  /** Name of the store, unique in the topology. */
  readonly name: string;
  /** Whether its content survives the process. */
  readonly persistent: boolean;
  /** Whether it can be read and written: from `open` until `close`. */
  readonly isOpen: boolean;
  /** Called before anything else, when the task is made. Reads what is durable. */
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
  /** Gives memory and files back; what was not committed is lost. Reads and writes throw afterwards. */
  close(): void;
  /** Removes all durable data; the store must be closed. */
  wipe(): void;
}

/** A stored value with its timestamp. `value` must not be written to. */
export interface StoredValue {
  /** The serialized value. */
  readonly value: Buffer;
  /** Epoch milliseconds; the changelog record's timestamp. */
  readonly timestampMs: number;
}

/** A value where the store keeps it: valid until the store's next write, and reused by its next `peek`. */
export interface StoredView {
  /** The memory in which the value lies. */
  readonly buffer: Buffer;
  /** First byte of the value. */
  readonly start: number;
  /** First byte after the value. */
  readonly end: number;
  /** Epoch milliseconds. */
  readonly timestampMs: number;
}

/**
 * The bytes side of a key-value store, plain and timestamped alike (a plain store just ignores the timestamp). The typed
 * stores and the DSL's nodes sit on it. Iteration is in byte order of the key; `range` bounds are inclusive.
 */
export interface KeyValueBytesStore extends StateStore, PreparedScans {
  /** The value of a key, as a copy that stays valid. */
  get(key: BinaryKey): StoredValue | undefined;
  /** `get` without a copy, for code that decodes at once. Absent where values aren't in memory. */
  peek?(key: BinaryKey): StoredView | undefined;
  /** Takes ownership of `value`; null deletes. */
  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void;
  /** Entries of the keys between two; undefined is an open end. */
  range(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<BinaryKey>,
  ): StoreIterator<BinaryKey>;
  /** Entries whose key begins with these bytes. */
  prefixScan(prefix: BinaryKey): StoreIterator<BinaryKey>;
  /**
   * How many entries there are, without reading them: exact for memory stores; for persistent ones, what is on disk
   * plus every uncommitted write.
   */
  approximateNumEntries(): number;
}

/**
 * A range that is read in one go, before anything else happens to the store, as queries do: it needs no copy of what it
 * will come to. It looks at a limited number of keys or rows that it does not hand out, and stops where the limit is
 * reached.
 */
export interface BoundedScan<K> {
  /** Keys or rows that may still be passed over. */
  stepsLeft: number;
  /** Set when the limit was reached: everything up to this place was looked at, and nothing behind it. */
  stoppedAt: K | undefined;
}

/** What bytes stores that keep no order of their keys until somebody ranges over them have in common. */
export interface PreparedScans {
  /**
   * Does up to `steps` parts of what a range needs first. True when so much is left at most, which the range then does:
   * bringing the order of a million keys up to date takes a second.
   */
  prepareScan(steps: number): boolean;
}

/** Must be closed; closing twice is harmless. The entry object is reused between steps. */
export interface StoreIterator<K> extends Iterable<StoreEntry<K>> {
  /** The next entry; its object is the same each time. */
  next(): IteratorResult<StoreEntry<K>, undefined>;
  /** Gives back what the iterator holds. */
  close(): void;
}

/** What an iterator stands on: read it before the next step. */
export interface StoreEntry<K> {
  /** In the form of the store: the serialized key, of windows and sessions with their bounds. */
  readonly key: K;
  /** The serialized value; must not be written to. */
  readonly value: Buffer;
  /** Epoch ms; the changelog record's timestamp. */
  readonly timestampMs: number;
}

/** Key of a window store: bytes of the record key, start of the window in ms, and a sequence number where duplicates are kept. */
export interface WindowedBytesKey {
  /** The serialized record key. */
  readonly key: BinaryKey;
  /** Start of the window, epoch ms. */
  readonly windowStartMs: number;
  /** 0, or in stores that keep duplicates the number of the put. */
  readonly sequence: number;
}

/**
 * The bytes side of a window store. A put older than `observedStreamTime - retention` is dropped and counted
 * (`expired-window-record-drop`), as in Kafka. Iteration: by key bytes, then start, then sequence, unless said otherwise.
 */
export interface WindowBytesStore extends StateStore, PreparedScans {
  /** How long a window is kept after the newest window's start, ms. */
  readonly retentionMs: number;
  /** Length of the windows, ms; the bytes of a key don't have it. */
  readonly windowSizeMs: number;
  /** Highest window start ever put, -1 at first. */
  readonly observedStreamTimeMs: number;
  /** Takes ownership of `value`; null removes. `timestampMs` is that of the changelog record. */
  put(key: BinaryKey, value: Buffer | null, windowStartMs: number, timestampMs: number): void;
  /** The value of the window that starts exactly then. */
  get(key: BinaryKey, windowStartMs: number): StoredValue | undefined;
  /** Windows of one key whose start lies in `[fromMs, toMs]`, by start. */
  fetch(
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey>;
  /**
   * Windows of all keys between two, both inclusive, whose start lies in `[fromMs, toMs]`; undefined is an open end.
   */
  fetchRange(
    keyFrom: BinaryKey | undefined,
    keyTo: BinaryKey | undefined,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<WindowedBytesKey>,
  ): StoreIterator<WindowedBytesKey>;
  /** Windows of all keys whose start lies in `[fromMs, toMs]`. */
  fetchAll(fromMs: number, toMs: number, direction: 'forward' | 'reverse'): StoreIterator<WindowedBytesKey>;
  /**
   * Windows of all keys whose start lies in `[fromMs, toMs]`, by start, then key, then sequence; quick in stores made
   * with `readByTime`.
   */
  fetchAllByTime(fromMs: number, toMs: number): StoreIterator<WindowedBytesKey>;
}

/** Key of a session store: bytes of the record key, first and last moment of the session, epoch ms, both inclusive. */
export interface SessionBytesKey {
  /** The serialized record key. */
  readonly key: BinaryKey;
  /** First moment of the session, epoch ms, inclusive. */
  readonly startMs: number;
  /** Last moment of the session, epoch ms, inclusive. */
  readonly endMs: number;
}

/**
 * The bytes side of a session store. A session expires when its end is `observedStreamTime - retention` or earlier, where
 * observed stream time is the highest end ever put; a put that has expired is dropped and counted. Removing what is not there is
 * harmless. Iteration: by key bytes, then end, then start, unless said otherwise.
 */
export interface SessionBytesStore extends StateStore, PreparedScans {
  /** How long a session is kept after the newest session's end, ms. */
  readonly retentionMs: number;
  /** Highest end ever put, -1 at first. */
  readonly observedStreamTimeMs: number;
  /** Takes ownership of `value`; null removes. `timestampMs` is that of the changelog record. */
  put(key: BinaryKey, value: Buffer | null, startMs: number, endMs: number, timestampMs: number): void;
  /** The value of the session of exactly these bounds. */
  get(key: BinaryKey, startMs: number, endMs: number): StoredValue | undefined;
  /**
   * Sessions of one key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier. `latestEndMs` leaves out those
   * that end later: where a reverse iteration goes on.
   */
  findSessions(
    key: BinaryKey,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    latestEndMs?: number,
  ): StoreIterator<SessionBytesKey>;
  /**
   * Sessions of all keys between two, both inclusive, that end at `earliestEndMs` or later and start at `latestStartMs`
   * or earlier; undefined is an open end.
   */
  findSessionsInRange(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    earliestEndMs: number,
    latestStartMs: number,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<SessionBytesKey>,
  ): StoreIterator<SessionBytesKey>;
  /**
   * Sessions of all keys that end in `[fromMs, toMs]`, by end. Those of one end come by key from memory stores, by start, then key
   * from persistent ones, as from Kafka Streams' own.
   */
  findByEnd(fromMs: number, toMs: number): StoreIterator<SessionBytesKey>;
}

/** Makes a store when a task is created; a value, so that a topology stays one. `Stores` has builders of all kinds. */
export interface StoreBuilder<S extends StateStore = StateStore> {
  /** Name of the stores, and part of the changelog's. */
  readonly name: string;
  /**
   * What the store can be asked: `key-value`, `window`, `session`, `versioned`; or `buffer`, records that an operator
   * holds back, which are not for queries.
   */
  readonly kind: 'key-value' | 'window' | 'session' | 'versioned' | 'buffer';
  /** Whether its stores keep their content on disk. */
  readonly persistent: boolean;
  /** Whether changes go to a changelog topic, from which a store is restored. */
  readonly loggingEnabled: boolean;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig: Readonly<Record<string, string>>;
  /** Whether updates between two commits are gathered in the task's record cache, where there is one. */
  readonly cachingEnabled: boolean;
  /** Window and session stores: how long entries are kept, ms. */
  readonly retentionMs?: number;
  /** Window stores that keep duplicates (stream-stream joins) have a delete-only changelog. */
  readonly retainDuplicates?: boolean;
  /**
   * Makes the store of one task. `caching`: the task has a record cache, so a builder with `cachingEnabled` puts one
   * before its store.
   */
  build(caching?: boolean): S;
}
