import type { BinaryKey } from '../../base/bytes.ts';
import type { TypedSessionStore } from '../metered-session-store.ts';
import type { BoundedScan, SessionBytesKey, StoreIterator } from '../state-store.ts';
import { keyAfter } from './key-after.ts';
import { readPage } from './read-page.ts';
import type { EntryPosition, Page, PageRequest, QueryDirection, SessionStoreQuery } from './store-query.ts';

type Store = TypedSessionStore<unknown, unknown>;
type OpenSegment = (bound: BoundedScan<SessionBytesKey>) => StoreIterator<SessionBytesKey>;

interface SessionRange {
  readonly earliestEndMs: number;
  readonly latestStartMs: number;
  readonly direction: QueryDirection;
  readonly page: PageRequest;
}

/** Answers a question to a session store. */
export function answerSessionQuery(store: Store, query: SessionStoreQuery): unknown {
  switch (query.type) {
    case 'get':
      return store.fetchSession(query.key, query.startMs, query.endMs);
    case 'find':
      return page(store, [sessionsOf(store, store.binary(query.key), query, query.page.after)], query);
    case 'range':
      return page(store, segmentsOfKeys(store, store.bound(query.from), store.bound(query.to), query), query);
  }
}

/** What is left of the key that the page before ended in, then the keys behind it. */
function segmentsOfKeys(
  store: Store,
  from: BinaryKey | undefined,
  to: BinaryKey | undefined,
  range: SessionRange,
): readonly OpenSegment[] {
  const { earliestEndMs, latestStartMs, direction } = range;
  const { after } = range.page;
  const keys =
    (first: BinaryKey | undefined, last: BinaryKey | undefined): OpenSegment =>
    (bound) =>
      store.bytes.findSessionsInRange(first, last, earliestEndMs, latestStartMs, direction, bound);
  if (after === undefined) return [keys(from, to)];
  const rest = direction === 'forward' ? keys(keyAfter(after.key), to) : keys(from, after.key);
  return [sessionsOf(store, after.key, range, after), rest];
}

function sessionsOf(store: Store, key: BinaryKey, range: SessionRange, after: EntryPosition | undefined): OpenSegment {
  const { direction, latestStartMs } = range;
  const forward = direction === 'forward';
  const earliestEndMs = forward ? (after?.timeMs ?? range.earliestEndMs) : range.earliestEndMs;
  const latestEndMs = forward ? undefined : after?.timeMs;
  return () => store.bytes.findSessions(key, earliestEndMs, latestStartMs, direction, latestEndMs);
}

function page(store: Store, segments: readonly OpenSegment[], { direction, page: request }: SessionRange): Page {
  return readPage({
    store: store.bytes,
    segments,
    request,
    direction,
    positionOf,
    entryOf: (entry) => store.entryOf(entry),
  });
}

function positionOf({ key, startMs, endMs }: SessionBytesKey): EntryPosition {
  return { key, timeMs: endMs, number: startMs };
}
