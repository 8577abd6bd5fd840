import { TopologyError } from '../../base/errors.ts';
import type { Serde } from '../../serde/serde.ts';
import type { StateStore, StoreBuilder } from '../../state/state-store.ts';
import { Stores } from '../../state/stores.ts';
import type { MaterializedOptions } from '../options.ts';

/** Options that every kind of store shares, without the undefined ones. */
export function storeOptions(materialized: MaterializedOptions<never, never> | undefined): {
  store?: 'memory' | 'persistent';
  loggingEnabled?: boolean;
  loggingConfig?: Readonly<Record<string, string>>;
  cachingEnabled: boolean;
} {
  return {
    ...(materialized?.store === undefined ? {} : { store: materialized.store }),
    ...(materialized?.loggingEnabled === undefined ? {} : { loggingEnabled: materialized.loggingEnabled }),
    ...(materialized?.loggingConfig === undefined ? {} : { loggingConfig: materialized.loggingConfig }),
    cachingEnabled: materialized?.cachingEnabled ?? true,
  };
}

/**
 * The key-value store that a table is kept in: with timestamps, or with versions where history is asked for. Throws
 * `TopologyError` for options of window stores and a negative history.
 */
export function tableStore<K, V>(
  name: string,
  key: Serde<K>,
  value: Serde<V>,
  materialized: MaterializedOptions<K, V> | undefined,
): StoreBuilder<StateStore> {
  if (materialized?.retentionMs !== undefined) {
    throw new TopologyError(`Store ${name}: retentionMs is for window stores; a key-value store keeps its entries.`);
  }
  const common = { name, key, value, ...storeOptions(materialized as MaterializedOptions<never, never> | undefined) };
  const historyRetentionMs = materialized?.historyRetentionMs;
  if (historyRetentionMs === undefined) return Stores.timestampedKeyValueStoreBuilder(common);
  if (!(historyRetentionMs >= 0)) {
    throw new TopologyError(`Store ${name}: historyRetentionMs is ${historyRetentionMs}; it must be 0 or more.`);
  }
  return Stores.versionedKeyValueStoreBuilder({ ...common, historyRetentionMs });
}
