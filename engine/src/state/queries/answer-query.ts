import { StreamsError } from '../../base/errors.ts';
import { MeteredKeyValueStore } from '../metered-key-value-store.ts';
import { TypedSessionStore } from '../metered-session-store.ts';
import { MeteredWindowStore } from '../metered-window-store.ts';
import type { StateStore } from '../state-store.ts';
import { TypedVersionedStore } from '../versioned-store.ts';
import { answerKeyValueQuery } from './key-value-queries.ts';
import { answerSessionQuery } from './session-queries.ts';
import type { StoreQuery } from './store-query.ts';
import { keyValuesOf, timestampedKeyValuesOf, timestampedWindowsOf, windowsOf } from './timestamps-of-stores.ts';
import { answerVersionedQuery } from './versioned-queries.ts';
import { answerWindowQuery } from './window-queries.ts';

/**
 * Answers a query from a store as it is at this moment, between two records. The answer holds copies: what the store
 * does later does not show in it. Throws INVALID_STATE_STORE where the store is not of the kind that was asked for, and
 * whatever a serde throws.
 */
export function answerQuery(store: StateStore, query: StoreQuery): unknown {
  switch (query.kind) {
    case 'key-value': {
      const asked = query.timestamped ? timestampedKeyValuesOf(store) : keyValuesOf(store);
      if (asked instanceof MeteredKeyValueStore) return answerKeyValueQuery(asked, query.ask);
      break;
    }
    case 'window': {
      const asked = query.timestamped ? timestampedWindowsOf(store) : windowsOf(store);
      if (asked instanceof MeteredWindowStore) return answerWindowQuery(asked, query.ask);
      break;
    }
    case 'session':
      if (store instanceof TypedSessionStore) return answerSessionQuery(store, query.ask);
      break;
    case 'versioned':
      if (store instanceof TypedVersionedStore) return answerVersionedQuery(store, query.ask);
      break;
  }
  throw new StreamsError(`State store '${store.name}' was not made by 'Stores': it can't be asked from outside`, {
    code: 'INVALID_STATE_STORE',
    recovery: 'fail',
  });
}
