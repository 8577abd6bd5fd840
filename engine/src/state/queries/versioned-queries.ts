import type { TypedVersionedStore } from '../versioned-store.ts';
import type { VersionedStoreQuery } from './store-query.ts';

/**
 * Answers a question to a versioned store. The versions of one key come in one answer: the history of a key is short.
 */
export function answerVersionedQuery(
  store: TypedVersionedStore<unknown, unknown>,
  query: VersionedStoreQuery,
): unknown {
  switch (query.type) {
    case 'get':
      return store.get(query.key, query.asOfMs);
    case 'fetch':
      return store.fetch(query.key, query.fromMs, query.toMs, query.order);
  }
}
