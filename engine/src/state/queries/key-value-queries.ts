import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import type { MeteredKeyValueStore } from '../metered-key-value-store.ts';
import type { StoreIterator } from '../state-store.ts';
import { readPage } from './read-page.ts';
import type { EntryPosition, KeyValueQuery, Page, PageRequest, QueryDirection } from './store-query.ts';

type Store = MeteredKeyValueStore<unknown, unknown, unknown>;

/** Answers a question to a key-value store. */
export function answerKeyValueQuery(store: Store, query: KeyValueQuery): unknown {
  switch (query.type) {
    case 'get':
      return store.get(query.key);
    case 'count':
      return store.approximateNumEntries();
    case 'range':
      return rangePage(store, store.bound(query.from), store.bound(query.to), query.direction, query.page);
    case 'prefix':
      return prefixPage(store, binaryKey(Buffer.from(query.prefix)), query.page);
  }
}

function rangePage(
  store: Store,
  from: BinaryKey | undefined,
  to: BinaryKey | undefined,
  direction: QueryDirection,
  request: PageRequest,
): Page {
  const { after } = request;
  const open = (): StoreIterator<BinaryKey> =>
    direction === 'forward'
      ? store.bytes.range(after?.key ?? from, to, direction)
      : store.bytes.range(from, after?.key ?? to, direction);
  return readPage({ parts: [open], request, direction, positionOf, entryOf: (entry) => store.entryOf(entry) });
}

function prefixPage(store: Store, prefix: BinaryKey, request: PageRequest): Page {
  const { after } = request;
  const open = (): StoreIterator<BinaryKey> =>
    after === undefined ? store.bytes.prefixScan(prefix) : store.bytes.range(after.key, undefined, 'forward');
  return readPage({
    parts: [open],
    request,
    direction: 'forward',
    positionOf,
    entryOf: (entry) => store.entryOf(entry),
    isPast: (key) => !key.startsWith(prefix),
  });
}

function positionOf(key: BinaryKey): EntryPosition {
  return { key, timeMs: 0, number: 0 };
}
