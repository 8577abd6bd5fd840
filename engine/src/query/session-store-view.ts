import type { Windowed } from '../serde/windowed.ts';
import type { AsyncKeyValueIterator } from '../state/key-value-store.ts';
import type { QueryDirection, SessionStoreQuery, StoreQuery } from '../state/queries/store-query.ts';
import type { AsyncReadOnlySessionStore } from '../state/session-store.ts';
import { PagedIterator } from './paged-iterator.ts';
import { askForOne, type StoreDoor } from './store-door.ts';

type Keys<K> = [key: K] | [from: K | undefined, to: K | undefined];
type Sessions<K> =
  | [key: K, earliestEndMs: number, latestStartMs: number]
  | [from: K | undefined, to: K | undefined, earliestEndMs: number, latestStartMs: number];

const END_OF_TIME = Number.MAX_SAFE_INTEGER;

/** A session store as queries see it. */
export class SessionStoreView<K, V> implements AsyncReadOnlySessionStore<K, V> {
  readonly #door: StoreDoor;

  constructor(door: StoreDoor) {
    this.#door = door;
  }

  async fetchSession(key: K, startMs: number, endMs: number): Promise<V | undefined> {
    return (await askForOne(this.#door, this.#query({ type: 'get', key, startMs, endMs }))) as V | undefined;
  }

  fetch(...keys: Keys<K>): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.#find(withAllTimes(keys), 'forward');
  }

  backwardFetch(...keys: Keys<K>): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.#find(withAllTimes(keys), 'reverse');
  }

  findSessions(...sessions: Sessions<K>): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.#find(sessions, 'forward');
  }

  backwardFindSessions(...sessions: Sessions<K>): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.#find(sessions, 'reverse');
  }

  #find(sessions: Sessions<K>, direction: QueryDirection): AsyncKeyValueIterator<Windowed<K>, V> {
    return new PagedIterator<Windowed<K>, V>(this.#door, (page) => {
      if (sessions.length === 3) {
        const [key, earliestEndMs, latestStartMs] = sessions;
        return this.#query({ type: 'find', key, earliestEndMs, latestStartMs, direction, page });
      }
      const [from, to, earliestEndMs, latestStartMs] = sessions;
      return this.#query({ type: 'range', from, to, earliestEndMs, latestStartMs, direction, page });
    });
  }

  #query(ask: SessionStoreQuery): StoreQuery {
    return { store: this.#door.store, kind: 'session', ask };
  }
}

function withAllTimes<K>(keys: Keys<K>): Sessions<K> {
  return keys.length === 1 ? [keys[0], 0, END_OF_TIME] : [keys[0], keys[1], 0, END_OF_TIME];
}
