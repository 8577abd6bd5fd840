import type { StoreQuery, VersionedStoreQuery } from '../state/queries/store-query.ts';
import type { AsyncReadOnlyVersionedKeyValueStore, VersionedRecord } from '../state/versioned-store.ts';
import { askAll, askForOne, type StoreDoor } from './store-door.ts';

/** A versioned store as queries see it. */
export class VersionedStoreView<K, V> implements AsyncReadOnlyVersionedKeyValueStore<K, V> {
  readonly #door: StoreDoor;

  constructor(door: StoreDoor) {
    this.#door = door;
  }

  async get(key: K, asOfMs?: number): Promise<VersionedRecord<V> | undefined> {
    const answer = await askForOne(this.#door, this.#query({ type: 'get', key, asOfMs }));
    return answer as VersionedRecord<V> | undefined;
  }

  async fetch(
    key: K,
    fromMs: number | undefined,
    toMs: number | undefined,
    order: 'ascending' | 'descending' = 'ascending',
  ): Promise<readonly VersionedRecord<V>[]> {
    const answers = await askAll(this.#door, this.#query({ type: 'fetch', key, fromMs, toMs, order }));
    const found = answers as readonly (readonly VersionedRecord<V>[])[];
    return found.find((versions) => versions.length > 0) ?? [];
  }

  #query(ask: VersionedStoreQuery): StoreQuery {
    return { store: this.#door.store, kind: 'versioned', ask };
  }
}
