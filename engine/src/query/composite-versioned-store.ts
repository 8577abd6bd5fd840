import type { ReadOnlyVersionedKeyValueStore, VersionedRecord } from '../state/versioned-store.ts';

/**
 * A versioned store over all local partitions, read-only. Reads happen between records and see what the tasks have processed,
 * committed or not.
 *
 * `stores` is asked at each read, so that a view outlives rebalances; it throws while a partition is being restored.
 */
export class CompositeVersionedStore<K, V> implements ReadOnlyVersionedKeyValueStore<K, V> {
  readonly #stores: () => readonly ReadOnlyVersionedKeyValueStore<K, V>[];

  constructor(stores: () => readonly ReadOnlyVersionedKeyValueStore<K, V>[]) {
    this.#stores = stores;
  }

  get(key: K, asOfMs?: number): VersionedRecord<V> | undefined {
    for (const store of this.#stores()) {
      const version = store.get(key, asOfMs);
      if (version !== undefined) return version;
    }
    return undefined;
  }

  fetch(
    key: K,
    fromMs: number | undefined,
    toMs: number | undefined,
    order?: 'ascending' | 'descending',
  ): readonly VersionedRecord<V>[] {
    for (const store of this.#stores()) {
      const versions = store.fetch(key, fromMs, toMs, order);
      if (versions.length > 0) return versions;
    }
    return [];
  }
}
