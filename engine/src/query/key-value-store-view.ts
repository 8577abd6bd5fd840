import type { Serde } from '../serde/serde.ts';
import type { AsyncKeyValueIterator, AsyncReadOnlyKeyValueStore } from '../state/key-value-store.ts';
import type { KeyValueQuery, PageRequest, StoreQuery } from '../state/queries/store-query.ts';
import { PagedIterator } from './paged-iterator.ts';
import { askAll, askForOne, type StoreDoor } from './store-door.ts';

/** A key-value store as queries see it; `timestamped`: values with the timestamps that tables keep beside them. */
export class KeyValueStoreView<K, V> implements AsyncReadOnlyKeyValueStore<K, V> {
  readonly #door: StoreDoor;
  readonly #isTimestamped: boolean;

  constructor(door: StoreDoor, timestamped: boolean) {
    this.#door = door;
    this.#isTimestamped = timestamped;
  }

  async get(key: K): Promise<V | undefined> {
    return (await askForOne(this.#door, this.#query({ type: 'get', key }))) as V | undefined;
  }

  range(from: K | undefined, to: K | undefined): AsyncKeyValueIterator<K, V> {
    return this.#pages((page) => ({ type: 'range', from, to, direction: 'forward', page }));
  }

  reverseRange(from: K | undefined, to: K | undefined): AsyncKeyValueIterator<K, V> {
    return this.#pages((page) => ({ type: 'range', from, to, direction: 'reverse', page }));
  }

  all(): AsyncKeyValueIterator<K, V> {
    return this.range(undefined, undefined);
  }

  reverseAll(): AsyncKeyValueIterator<K, V> {
    return this.reverseRange(undefined, undefined);
  }

  prefixScan<P>(prefix: P, prefixSerde: Serde<P>): AsyncKeyValueIterator<K, V> {
    const { store, topic } = this.#door;
    return this.#pages((page) => {
      if (prefix === null || prefix === undefined)
        throw new TypeError(`State store ${store}: the prefix may not be null`);
      return { type: 'prefix', prefix: prefixSerde.serialize(prefix, topic), page };
    });
  }

  async approximateNumEntries(): Promise<number> {
    const counts = (await askAll(this.#door, this.#query({ type: 'count' }))) as readonly number[];
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #pages(askOf: (page: PageRequest) => KeyValueQuery): AsyncKeyValueIterator<K, V> {
    return new PagedIterator<K, V>(this.#door, (page) => this.#query(askOf(page)));
  }

  #query(ask: KeyValueQuery): StoreQuery {
    return { store: this.#door.store, kind: 'key-value', timestamped: this.#isTimestamped, ask };
  }
}
