import type { Windowed } from '../serde/windowed.ts';
import type { AsyncKeyValueIterator } from '../state/key-value-store.ts';
import type { PageRequest, QueryDirection, StoreQuery, WindowStoreQuery } from '../state/queries/store-query.ts';
import type { AsyncReadOnlyWindowStore } from '../state/window-store.ts';
import { PagedIterator } from './paged-iterator.ts';
import { askForOne, type StoreDoor } from './store-door.ts';

type OfKey<K> = [key: K, fromMs: number, toMs: number];
type OfKeys<K> = [keyFrom: K | undefined, keyTo: K | undefined, fromMs: number, toMs: number];

/** A window store as queries see it; `timestamped`: values with the timestamps that tables keep beside them. */
export class WindowStoreView<K, V> implements AsyncReadOnlyWindowStore<K, V> {
  readonly #door: StoreDoor;
  readonly #isTimestamped: boolean;

  constructor(door: StoreDoor, timestamped: boolean) {
    this.#door = door;
    this.#isTimestamped = timestamped;
  }

  fetch(key: K, windowStartMs: number): Promise<V | undefined>;
  fetch(key: K, fromMs: number, toMs: number): AsyncKeyValueIterator<number, V>;
  fetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): AsyncKeyValueIterator<Windowed<K>, V>;
  fetch(
    ...args: [key: K, windowStartMs: number] | OfKey<K> | OfKeys<K>
  ): Promise<V | undefined> | AsyncKeyValueIterator<number, V> | AsyncKeyValueIterator<Windowed<K>, V> {
    if (args.length === 4) return this.#ofKeys(args, 'forward');
    const [key, fromMs, toMs] = args;
    return toMs === undefined ? this.#get(key, fromMs) : this.#ofKey([key, fromMs, toMs], 'forward');
  }

  backwardFetch(key: K, fromMs: number, toMs: number): AsyncKeyValueIterator<number, V>;
  backwardFetch(
    keyFrom: K | undefined,
    keyTo: K | undefined,
    fromMs: number,
    toMs: number,
  ): AsyncKeyValueIterator<Windowed<K>, V>;
  backwardFetch(
    ...args: OfKey<K> | OfKeys<K>
  ): AsyncKeyValueIterator<number, V> | AsyncKeyValueIterator<Windowed<K>, V> {
    return args.length === 4 ? this.#ofKeys(args, 'reverse') : this.#ofKey(args, 'reverse');
  }

  fetchAll(fromMs: number, toMs: number): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.#ofKeys([undefined, undefined, fromMs, toMs], 'forward');
  }

  backwardFetchAll(fromMs: number, toMs: number): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.#ofKeys([undefined, undefined, fromMs, toMs], 'reverse');
  }

  all(): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.fetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  backwardAll(): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.backwardFetchAll(0, Number.MAX_SAFE_INTEGER);
  }

  async #get(key: K, startMs: number): Promise<V | undefined> {
    return (await askForOne(this.#door, this.#query({ type: 'get', key, startMs }))) as V | undefined;
  }

  #ofKey([key, fromMs, toMs]: OfKey<K>, direction: QueryDirection): AsyncKeyValueIterator<number, V> {
    return this.#pages((page) => ({ type: 'fetch', key, fromMs, toMs, direction, page }));
  }

  #ofKeys([from, to, fromMs, toMs]: OfKeys<K>, direction: QueryDirection): AsyncKeyValueIterator<Windowed<K>, V> {
    return this.#pages((page) => ({ type: 'range', from, to, fromMs, toMs, direction, page }));
  }

  #pages<Key>(askOf: (page: PageRequest) => WindowStoreQuery): AsyncKeyValueIterator<Key, V> {
    return new PagedIterator<Key, V>(this.#door, (page) => this.#query(askOf(page)));
  }

  #query(ask: WindowStoreQuery): StoreQuery {
    return { store: this.#door.store, kind: 'window', timestamped: this.#isTimestamped, ask };
  }
}
