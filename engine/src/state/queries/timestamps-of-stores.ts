import { StreamsError } from '../../base/errors.ts';
import type { KeyValueStore, TimestampedKeyValueStore } from '../key-value-store.ts';
import { TimestampedStore } from '../metered-key-value-store.ts';
import { TimestampedPlainWindowStore } from '../metered-window-store.ts';
import type { StateStore } from '../state-store.ts';
import type { TimestampedWindowStore, WindowStore } from '../window-store.ts';

// Tables keep timestamps beside their values. A query says which it wants by the method it calls, as in Kafka Streams.

/** The store with its values alone, whether it keeps timestamps or not. */
export function keyValuesOf<K, V>(store: StateStore): KeyValueStore<K, V> {
  return store instanceof TimestampedStore ? store.plain : (store as KeyValueStore<K, V>);
}

/** The store with the timestamps beside its values. Throws `INVALID_STATE_STORE` where it keeps none. */
export function timestampedKeyValuesOf<K, V>(store: StateStore): TimestampedKeyValueStore<K, V> {
  if (store instanceof TimestampedStore) return store;
  throw withoutTimestamps(store.name, 'keyValueStore');
}

/** The window store with its values alone, whether it keeps timestamps or not. */
export function windowsOf<K, V>(store: StateStore): WindowStore<K, V> {
  return store instanceof TimestampedPlainWindowStore ? store.plain : (store as WindowStore<K, V>);
}

/** The window store with the timestamps beside its values. Throws `INVALID_STATE_STORE` where it keeps none. */
export function timestampedWindowsOf<K, V>(store: StateStore): TimestampedWindowStore<K, V> {
  if (store instanceof TimestampedPlainWindowStore) return store;
  throw withoutTimestamps(store.name, 'windowStore');
}

function withoutTimestamps(name: string, instead: string): StreamsError {
  return new StreamsError(`State store '${name}' keeps no timestamps: ask for it by ${instead}.`, {
    code: 'INVALID_STATE_STORE',
    recovery: 'fail',
  });
}
