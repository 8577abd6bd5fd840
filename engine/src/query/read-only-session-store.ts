import type { Windowed } from '../serde/windowed.ts';
import type { KeyValueIterator } from '../state/key-value-store.ts';
import type { ReadOnlySessionStore, SessionStore } from '../state/session-store.ts';
import { ChainedIterator } from './read-only-stores.ts';

type KeyRange<K> = [K] | [K | undefined, K | undefined];
type SessionRange<K> = [K, number, number] | [K | undefined, K | undefined, number, number];

/** A session store over all local partitions, read-only; as `CompositeKeyValueStore`. */
export class CompositeSessionStore<K, V> implements ReadOnlySessionStore<K, V> {
  readonly #stores: () => readonly SessionStore<K, V>[];

  constructor(stores: () => readonly SessionStore<K, V>[]) {
    this.#stores = stores;
  }

  fetchSession(key: K, startMs: number, endMs: number): V | undefined {
    for (const store of this.#stores()) {
      const value = store.fetchSession(key, startMs, endMs);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  fetch(...keys: KeyRange<K>): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.fetch(...(keys as [K, K])));
  }

  backwardFetch(...keys: KeyRange<K>): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.backwardFetch(...(keys as [K, K])));
  }

  findSessions(...range: SessionRange<K>): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.findSessions(...(range as [K, K, number, number])));
  }

  backwardFindSessions(...range: SessionRange<K>): KeyValueIterator<Windowed<K>, V> {
    return this.#chain((store) => store.backwardFindSessions(...(range as [K, K, number, number])));
  }

  #chain(open: (store: SessionStore<K, V>) => KeyValueIterator<Windowed<K>, V>): KeyValueIterator<Windowed<K>, V> {
    return new ChainedIterator(this.#stores().map((store) => () => open(store)));
  }
}
