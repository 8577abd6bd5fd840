import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import type { MeteredKeyValueStore } from '../metered-key-value-store.ts';
import type { BoundedScan, StoreIterator } from '../state-store.ts';
import { type PageScan, readPage } from './read-page.ts';
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
      return pageOf(store, store.bound(query.from), store.bound(query.to), query.direction, query.page);
    case 'prefix': {
      const prefix = binaryKey(Buffer.from(query.prefix));
      return pageOf(store, prefix, undefined, 'forward', query.page, (key) => !key.startsWith(prefix));
    }
  }
}

function pageOf(
  store: Store,
  from: BinaryKey | undefined,
  to: BinaryKey | undefined,
  direction: QueryDirection,
  request: PageRequest,
  isPast?: (key: BinaryKey) => boolean,
): Page {
  const { after } = request;
  const segment = (bound: BoundedScan<BinaryKey>): StoreIterator<BinaryKey> =>
    direction === 'forward'
      ? store.bytes.range(after?.key ?? from, to, direction, bound)
      : store.bytes.range(from, after?.key ?? to, direction, bound);
  const scan: PageScan<BinaryKey, unknown, unknown> = {
    store: store.bytes,
    segments: [segment],
    request,
    direction,
    positionOf,
    entryOf: (entry) => store.entryOf(entry),
  };
  return readPage(isPast === undefined ? scan : { ...scan, isPast });
}

function positionOf(key: BinaryKey): EntryPosition {
  return { key, timeMs: 0, number: 0 };
}
