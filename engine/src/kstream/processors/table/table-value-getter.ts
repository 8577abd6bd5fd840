import { binaryKey } from '../../../base/bytes.ts';
import { Datum } from '../../../processor/datum.ts';
import type { ProcessorContext } from '../../../processor/processor.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { Windowed } from '../../../serde/windowed.ts';
import type { KeyValueStore } from '../../../state/key-value-store.ts';
import type { SessionStore } from '../../../state/session-store.ts';
import type { VersionedKeyValueStore } from '../../../state/versioned-store.ts';
import type { WindowStore } from '../../../state/window-store.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import { setStored } from './stored-datum.ts';
import { filterValue, mapValue, type TableStore } from './table-processors.ts';

/** Reads a table's newest value of a key, without copying where it can; one for each node and task that looks things up. */
export interface TableValueGetter<K, V> {
  /** Points `into` at the value, or makes it null; answers the value's timestamp, epoch ms, -1 where there is none. */
  read(key: Datum<K>, into: Datum<V>): number;
  /** Versioned tables only: the value that was the newest at `asOfMs`. */
  readAsOf?(key: Datum<K>, asOfMs: number, into: Datum<V>): number;
  /** Called when the node that looks up is closed: getters may hold functions of the user that want to know. */
  close?(): void;
}

/** Makes value getters, and says which stores they need. */
export interface TableValueGetterSupplier<K, V> {
  /** Stores that a node which looks things up must be connected to. */
  readonly storeNames: readonly string[];
  /** The table keeps versions: its getters have `readAsOf`. */
  readonly isVersioned?: boolean;
  /** How long it keeps them, ms. */
  readonly historyRetentionMs?: number | undefined;
  /** A getter for one node of one task. */
  get(context: ProcessorContext<never, never>): TableValueGetter<K, V>;
}

/** Reads the store of a materialised table. */
export function storeGetter<K, V>(store: TableStore<K, V>): TableValueGetterSupplier<K, V> {
  if (store.historyRetentionMs !== undefined) return versionedStoreGetter(store, store.historyRetentionMs);
  return {
    storeNames: [store.name],
    get(context) {
      const { bytes } = context.getStateStore<KeyValueStore<K, V>>(store.name);
      const topic = changelogTopicName(context.applicationId, store.name);
      return {
        read: (key, into) => setStored(into, bytes.get(key.binary(store.keySerde, topic)), store.valueSerde, topic),
      };
    },
  };
}

function versionedStoreGetter<K, V>(
  store: TableStore<K, V>,
  historyRetentionMs: number,
): TableValueGetterSupplier<K, V> {
  const { name, keySerde, valueSerde } = store;
  return {
    storeNames: [name],
    isVersioned: true,
    historyRetentionMs,
    get(context) {
      const { bytes } = context.getStateStore<VersionedKeyValueStore<K, V>>(name);
      const topic = changelogTopicName(context.applicationId, name);
      return {
        read: (key, into) => setStored(into, bytes.get(key.binary(keySerde, topic)), valueSerde, topic),
        readAsOf: (key, asOfMs, into) =>
          setStored(into, bytes.getAsOf(key.binary(keySerde, topic), asOfMs), valueSerde, topic),
      };
    },
  };
}

/** Reads the store of a windowed table. */
export function windowStoreGetter<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
): TableValueGetterSupplier<Windowed<K>, V> {
  return {
    storeNames: [name],
    get(context) {
      const { bytes } = context.getStateStore<WindowStore<K, V>>(name);
      const topic = changelogTopicName(context.applicationId, name);
      return {
        read(key, into) {
          const windowed = key.get();
          const inner = binaryKey(keySerde.serialize(windowed.key, topic));
          return setStored(into, bytes.get(inner, windowed.window.startMs), valueSerde, topic);
        },
      };
    },
  };
}

/** Reads the store of a table of sessions. */
export function sessionStoreGetter<K, V>(
  name: string,
  keySerde: Serde<K>,
  valueSerde: Serde<V>,
): TableValueGetterSupplier<Windowed<K>, V> {
  return {
    storeNames: [name],
    get(context) {
      const { bytes } = context.getStateStore<SessionStore<K, V>>(name);
      const topic = changelogTopicName(context.applicationId, name);
      return {
        read(key, into) {
          const { key: sessionKey, window } = key.get();
          const inner = binaryKey(keySerde.serialize(sessionKey, topic));
          return setStored(into, bytes.get(inner, window.startMs, window.endMs), valueSerde, topic);
        },
      };
    },
  };
}

/** A filtered table that is not kept: filters what the table above answers. */
export function filterGetter<K, V>(
  above: TableValueGetterSupplier<K, V>,
  predicate: (key: K, value: V) => boolean,
  wanted: boolean,
): TableValueGetterSupplier<K, V> {
  return computedGetter(above, (key, value, into) => filterValue(predicate, wanted, key, value, into));
}

/** A mapped table that is not kept. */
export function mapValuesGetter<K, V, VOut>(
  above: TableValueGetterSupplier<K, V>,
  mapper: (value: V, key: K) => VOut,
): TableValueGetterSupplier<K, VOut> {
  return computedGetter(above, (key, value, into) => mapValue(mapper, key, value, into));
}

/** Versioned where the table above is. */
function computedGetter<K, V, VOut>(
  above: TableValueGetterSupplier<K, V>,
  compute: (key: Datum<K>, value: Datum<V>, into: Datum<VOut>) => void,
): TableValueGetterSupplier<K, VOut> {
  const { storeNames, isVersioned = false, historyRetentionMs } = above;
  return {
    storeNames,
    isVersioned,
    historyRetentionMs,
    get(context) {
      const getter = above.get(context);
      const value = new Datum<V>();
      const computed = (timestampMs: number, key: Datum<K>, into: Datum<VOut>): number => {
        compute(key, value, into);
        return into.isNull ? -1 : timestampMs;
      };
      const { readAsOf } = getter;
      return {
        read: (key, into) => computed(getter.read(key, value), key, into),
        close: () => getter.close?.(),
        ...(readAsOf === undefined
          ? {}
          : { readAsOf: (key, asOfMs, into) => computed(readAsOf.call(getter, key, asOfMs, value), key, into) }),
      };
    },
  };
}
