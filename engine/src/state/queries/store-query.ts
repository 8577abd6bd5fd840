import type { BinaryKey } from '../../base/bytes.ts';
import type { KeyValue } from '../key-value-store.ts';

// What may be asked of a store from outside its task. Queries and answers are plain values: they carry no function and
// no part of a store, so that they can travel between threads as they are. Keys and values are of the types of the
// store's serdes.

/** `forward` is ascending by key, then by time; `reverse` turns the whole order round. */
export type QueryDirection = 'forward' | 'reverse';

/**
 * The place of an entry in the order of its store. Key-value stores have no times, window stores a start and a sequence
 * number.
 */
export interface EntryPosition {
  readonly key: BinaryKey;
  /** Start of a window, end of a session, epoch ms; 0 in key-value stores. */
  readonly timeMs: number;
  /** Tells apart entries of one key and time: a window's sequence number, a session's start; 0 in key-value stores. */
  readonly number: number;
}

/** Which part of a range is wanted. */
export interface PageRequest {
  /** Entries that the answer has at most; it may have fewer without being the last. */
  readonly entriesMax: number;
  /** Entries behind this place in the order of the range; undefined: from its beginning. */
  readonly after?: EntryPosition | undefined;
}

/** A part of a range as it was at one moment. It may be empty and yet not the last: then there was more to do than to find. */
export interface Page<K = unknown, V = unknown> {
  readonly entries: readonly KeyValue<K, V>[];
  /** What the next page comes after; undefined: nothing of the range was looked at yet. */
  readonly after: EntryPosition | undefined;
  /** Nothing of the range comes after this page. */
  readonly isLast: boolean;
}

interface RangeOf {
  readonly direction: QueryDirection;
  readonly page: PageRequest;
}

/** The entry of one key. Answer: the value, undefined where there is none. */
interface KeyQuery {
  readonly type: 'get';
  readonly key: unknown;
}

/** Entries whose keys lie between two, both inclusive; undefined is an open end. Answer: a {@link Page}. */
interface KeyRangeQuery extends RangeOf {
  readonly type: 'range';
  readonly from: unknown;
  readonly to: unknown;
}

/** Entries whose serialized keys begin with these bytes. Answer: a {@link Page}. */
interface PrefixQuery {
  readonly type: 'prefix';
  readonly prefix: Uint8Array;
  readonly page: PageRequest;
}

/** Answer: about how many entries there are. */
interface CountQuery {
  readonly type: 'count';
}

/** The window of a key that starts at this moment. Answer: the value, undefined where there is none. */
interface WindowQuery {
  readonly type: 'get';
  readonly key: unknown;
  readonly startMs: number;
}

/** Windows of one key that start in `[fromMs, toMs]`. Answer: a {@link Page} whose keys are the starts. */
interface WindowsOfKeyQuery extends RangeOf {
  readonly type: 'fetch';
  readonly key: unknown;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Windows of the keys between two, both inclusive, that start in `[fromMs, toMs]`; undefined is an open end. Answer: a
 * {@link Page} of windowed keys.
 */
interface WindowsOfKeysQuery extends RangeOf {
  readonly type: 'range';
  readonly from: unknown;
  readonly to: unknown;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The session of exactly these bounds. Answer: the value, undefined where there is none. */
interface SessionQuery {
  readonly type: 'get';
  readonly key: unknown;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Sessions of one key that end at `earliestEndMs` or later and start at `latestStartMs` or earlier. Answer: a {@link
 * Page} of windowed keys.
 */
interface SessionsOfKeyQuery extends RangeOf {
  readonly type: 'find';
  readonly key: unknown;
  readonly earliestEndMs: number;
  readonly latestStartMs: number;
}

/**
 * Sessions of the keys between two, both inclusive, that end at `earliestEndMs` or later and start at `latestStartMs` or
 * earlier; undefined is an open end. Answer: a {@link Page} of windowed keys.
 */
interface SessionsOfKeysQuery extends RangeOf {
  readonly type: 'range';
  readonly from: unknown;
  readonly to: unknown;
  readonly earliestEndMs: number;
  readonly latestStartMs: number;
}

/**
 * The newest value of a key, or the one that counted at `asOfMs`. Answer: a `VersionedRecord`, undefined where there is
 * none.
 */
interface VersionQuery {
  readonly type: 'get';
  readonly key: unknown;
  readonly asOfMs: number | undefined;
}

/**
 * Values of a key that counted somewhere in `[fromMs, toMs]`; undefined is an open end. Answer: a list of
 * `VersionedRecord`s.
 */
interface VersionsQuery {
  readonly type: 'fetch';
  readonly key: unknown;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly order: 'ascending' | 'descending';
}

/** A question to a key-value store. */
export type KeyValueQuery = KeyQuery | KeyRangeQuery | PrefixQuery | CountQuery;
/** A question to a window store. */
export type WindowStoreQuery = WindowQuery | WindowsOfKeyQuery | WindowsOfKeysQuery;
/** A question to a session store. */
export type SessionStoreQuery = SessionQuery | SessionsOfKeyQuery | SessionsOfKeysQuery;
/** A question to a versioned store. */
export type VersionedStoreQuery = VersionQuery | VersionsQuery;

/**
 * A question to one store, by its kind. `timestamped`: the answer has the timestamps that tables keep beside their
 * values.
 */
export type StoreQuery = { readonly store: string } & (
  | { readonly kind: 'key-value'; readonly timestamped: boolean; readonly ask: KeyValueQuery }
  | { readonly kind: 'window'; readonly timestamped: boolean; readonly ask: WindowStoreQuery }
  | { readonly kind: 'session'; readonly ask: SessionStoreQuery }
  | { readonly kind: 'versioned'; readonly ask: VersionedStoreQuery }
);
