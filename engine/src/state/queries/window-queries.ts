import type { BinaryKey } from '../../base/bytes.ts';
import type { MeteredWindowStore } from '../metered-window-store.ts';
import type { BoundedScan, StoreIterator, WindowedBytesKey } from '../state-store.ts';
import { keyAfter } from './key-after.ts';
import { readPage } from './read-page.ts';
import type { EntryPosition, Page, PageRequest, QueryDirection, WindowStoreQuery } from './store-query.ts';

type Store = MeteredWindowStore<unknown, unknown, unknown>;
type OpenSegment = (bound: BoundedScan<WindowedBytesKey>) => StoreIterator<WindowedBytesKey>;

interface WindowRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly direction: QueryDirection;
  readonly page: PageRequest;
}

/** Answers a question to a window store. */
export function answerWindowQuery(store: Store, query: WindowStoreQuery): unknown {
  switch (query.type) {
    case 'get':
      return store.fetch(query.key, query.startMs);
    case 'fetch':
      return pageOfKey(store, store.binary(query.key), query);
    case 'range':
      return pageOfKeys(store, store.bound(query.from), store.bound(query.to), query);
  }
}

function pageOfKey(store: Store, key: BinaryKey, range: WindowRange): Page<number, unknown> {
  return readPage({
    store: store.bytes,
    segments: [windowsOf(store, key, range, range.page.after)],
    request: range.page,
    direction: range.direction,
    positionOf,
    entryOf: (entry) => ({ key: entry.key.windowStartMs, value: store.toUser(entry) }),
  });
}

/** What is left of the key that the page before ended in, then the keys behind it. */
function pageOfKeys(store: Store, from: BinaryKey | undefined, to: BinaryKey | undefined, range: WindowRange): Page {
  const { fromMs, toMs, direction, page } = range;
  const { after } = page;
  const keys =
    (first: BinaryKey | undefined, last: BinaryKey | undefined): OpenSegment =>
    (bound) =>
      store.bytes.fetchRange(first, last, fromMs, toMs, direction, bound);
  let segments: readonly OpenSegment[];
  if (after === undefined) segments = [keys(from, to)];
  else {
    const rest = direction === 'forward' ? keys(keyAfter(after.key), to) : keys(from, after.key);
    segments = [windowsOf(store, after.key, range, after), rest];
  }
  return readPage({
    store: store.bytes,
    segments,
    request: page,
    direction,
    positionOf,
    entryOf: (entry) => store.entryOf(entry),
  });
}

function windowsOf(store: Store, key: BinaryKey, range: WindowRange, after: EntryPosition | undefined): OpenSegment {
  const forward = range.direction === 'forward';
  const fromMs = forward ? (after?.timeMs ?? range.fromMs) : range.fromMs;
  const toMs = forward ? range.toMs : (after?.timeMs ?? range.toMs);
  return () => store.bytes.fetch(key, fromMs, toMs, range.direction);
}

function positionOf({ key, windowStartMs, sequence }: WindowedBytesKey): EntryPosition {
  return { key, timeMs: windowStartMs, number: sequence };
}
