import { TopologyError } from '../base/errors.ts';
import type { Serde } from '../serde/serde.ts';
import { withCache, withSessionCache, withWindowCache } from './cache/caching.ts';
import type { KeyValueStore, TimestampedKeyValueStore } from './key-value-store.ts';
import { LruKeyValueStore } from './memory/lru-key-value-store.ts';
import { MemoryKeyValueStore } from './memory/memory-key-value-store.ts';
import { MemorySessionStore } from './memory/memory-session-store.ts';
import { MemoryVersionedStore } from './memory/memory-versioned-store.ts';
import { MemoryWindowStore } from './memory/memory-window-store.ts';
import { PlainKeyValueStore, TimestampedStore } from './metered-key-value-store.ts';
import { TypedSessionStore } from './metered-session-store.ts';
import { PlainWindowStore, TimestampedPlainWindowStore } from './metered-window-store.ts';
import { LmdbKeyValueStore } from './persistent/lmdb-key-value-store.ts';
import { LmdbSessionStore } from './persistent/lmdb-session-store.ts';
import { LmdbVersionedStore } from './persistent/lmdb-versioned-store.ts';
import { LmdbWindowStore } from './persistent/lmdb-window-store.ts';
import type { SessionStore } from './session-store.ts';
import type { KeyValueBytesStore, StateStore, StoreBuilder, WindowBytesStore } from './state-store.ts';
import { defaultSegmentIntervalMs } from './versioned/history-retention.ts';
import { TypedVersionedStore, type VersionedKeyValueStore } from './versioned-store.ts';
import type { TimestampedWindowStore, WindowStore } from './window-store.ts';

/** Where a store keeps its entries between commits: `memory` restores from the changelog at start, `persistent` on disk (lmdb). */
export type StoreMedium = 'memory' | 'persistent';

/** Options of every kind of store. */
export interface StoreOptions<K, V> {
  /**
   * Name of the store, and part of the changelog topic's, `<applicationId>-<name>-changelog`: 1 to 200 letters, digits,
   * `.`, `_`, `-`.
   */
  readonly name: string;
  /** Serde of the keys, in the store and its changelog. */
  readonly key: Serde<K>;
  /** Serde of the values, in the store and its changelog. */
  readonly value: Serde<V>;
  /** Where entries are kept between commits. Default: `persistent`, as in Kafka Streams. */
  readonly store?: StoreMedium;
  /**
   * Whether changes go to a changelog topic. Default: true. Without one the state is lost when the task moves, and a
   * memory store starts empty.
   */
  readonly loggingEnabled?: boolean;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig?: Readonly<Record<string, string>>;
  /** Whether updates of a key between two commits are gathered into one. Default: false. */
  readonly cachingEnabled?: boolean;
}

/** Options of a memory store of limited size. */
export interface LruMapOptions<K, V> extends Omit<StoreOptions<K, V>, 'store'> {
  /** Entries that the store holds at most; 1 or more. */
  readonly maxCacheSize: number;
}

/** How long windows are, how long they are kept, and how they are read. */
export interface WindowStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How long a window is kept after the newest window's start, ms; at least `windowSizeMs`. */
  readonly retentionMs: number;
  /** Length of the windows, ms; 0 or more. */
  readonly windowSizeMs: number;
  /** Whether every put is kept as an entry of its own; for stream-stream joins. Default: false. */
  readonly retainDuplicates?: boolean;
  /**
   * Whether windows of all keys are often asked for by time, as `EmitStrategy.onWindowClose()` does: then they are
   * listed by time, too. Default: false.
   */
  readonly readByTime?: boolean;
  /** Kept this much longer than the retention says, ms; the changelog isn't. Default: 0. */
  readonly extraRetentionMs?: number;
}

/** How long sessions are kept, and how they are read. */
export interface SessionStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How long a session is kept after the newest session's end, ms; at least gap + grace of the windows it serves. */
  readonly retentionMs: number;
  /**
   * Whether sessions of all keys are often asked for by end, as `EmitStrategy.onWindowClose()` does: then they are
   * listed by end, too. Default: false.
   */
  readonly readByTime?: boolean;
  /** Kept this much longer than the retention says, ms; the changelog isn't. Default: 0. */
  readonly extraRetentionMs?: number;
}

/** Options of versioned stores, which are never cached. */
export interface VersionedStoreOptions<K, V> extends Omit<StoreOptions<K, V>, 'cachingEnabled'> {
  /** How long old values are known, ms of stream time, 0 or more; puts that are older are dropped. */
  readonly historyRetentionMs: number;
  /**
   * Grain in which old values are forgotten, ms, 1 or more; default as in Kafka Streams. Shows in `fetch` of times
   * beyond the retention only.
   */
  readonly segmentIntervalMs?: number | undefined;
}

/** A store builder that knows its serdes, so that nodes and queries can be typed by it. */
export interface TypedStoreBuilder<S extends StateStore, K, V> extends StoreBuilder<S> {
  /** Serde of the store's keys. */
  readonly keySerde: Serde<K>;
  /** Reads and writes values, without the timestamp that timestamped stores keep beside them. */
  readonly valueSerde: Serde<V>;
}

/** Kafka's rule for topic names, which store names become part of. */
const NAME_PATTERN = /^[a-zA-Z0-9._-]{1,200}$/;

function common<K, V>(options: StoreOptions<K, V>) {
  if (!NAME_PATTERN.test(options.name) || options.name === '.' || options.name === '..') {
    throw invalid(options.name, 'a store name has 1 to 200 letters, digits, ".", "_" or "-"');
  }
  const { store = 'persistent' } = options;
  if (store !== 'memory' && store !== 'persistent') {
    throw invalid(options.name, `store is ${JSON.stringify(store)}, but may be 'memory' or 'persistent'`);
  }
  return {
    name: options.name,
    persistent: store === 'persistent',
    loggingEnabled: options.loggingEnabled ?? true,
    loggingConfig: options.loggingConfig ?? {},
    cachingEnabled: options.cachingEnabled ?? false,
    keySerde: options.key,
    valueSerde: options.value,
  };
}

function invalid(name: string, rule: string): TopologyError {
  return new TopologyError(`State store ${JSON.stringify(name)}: ${rule}.`);
}

function keyValueBuilder<S extends StateStore, K, V>(
  options: StoreOptions<K, V>,
  timestamped: boolean,
  wrap: (bytes: KeyValueBytesStore) => S,
): TypedStoreBuilder<S, K, V> {
  const fields = common(options);
  return Object.freeze({
    ...fields,
    kind: 'key-value' as const,
    build(caching?: boolean) {
      const bytes = fields.persistent ? new LmdbKeyValueStore(fields) : new MemoryKeyValueStore(fields);
      return wrap(withCache(bytes, fields, caching, timestamped));
    },
  });
}

function windowBuilder<S extends StateStore, K, V>(
  options: WindowStoreOptions<K, V>,
  timestamped: boolean,
  wrap: (bytes: WindowBytesStore) => S,
): TypedStoreBuilder<S, K, V> {
  const { retentionMs, windowSizeMs } = options;
  if (!(windowSizeMs >= 0)) throw invalid(options.name, 'windowSizeMs must be 0 or more');
  if (!(retentionMs >= windowSizeMs)) throw invalid(options.name, 'retentionMs must be at least windowSizeMs');
  const fields = {
    ...common(options),
    retentionMs,
    windowSizeMs,
    retainDuplicates: options.retainDuplicates ?? false,
    readByTime: options.readByTime ?? false,
  };
  return Object.freeze({
    ...fields,
    kind: 'window' as const,
    build(caching?: boolean) {
      const kept = { ...fields, retentionMs: retentionMs + (options.extraRetentionMs ?? 0) };
      const bytes = fields.persistent ? new LmdbWindowStore(kept) : new MemoryWindowStore(kept);
      return wrap(withWindowCache(bytes, fields, caching, timestamped));
    },
  });
}

function versionedBuilder<K, V>(
  options: VersionedStoreOptions<K, V>,
): TypedStoreBuilder<VersionedKeyValueStore<K, V>, K, V> {
  const { historyRetentionMs } = options;
  if (!(historyRetentionMs >= 0)) throw invalid(options.name, 'historyRetentionMs must be 0 or more');
  const segmentIntervalMs = options.segmentIntervalMs ?? defaultSegmentIntervalMs(historyRetentionMs);
  if (!(segmentIntervalMs >= 1)) throw invalid(options.name, 'segmentIntervalMs must be positive');
  const fields = { ...common(options), cachingEnabled: false, historyRetentionMs, segmentIntervalMs };
  return Object.freeze({
    ...fields,
    kind: 'versioned' as const,
    retentionMs: historyRetentionMs,
    build: () =>
      new TypedVersionedStore(
        fields.persistent ? new LmdbVersionedStore(fields) : new MemoryVersionedStore(fields),
        options.key,
        options.value,
      ),
  });
}

/**
 * Builders of state stores for `StreamsBuilder.addStateStore`, `Topology.addStateStore` and `ProcessorSupplier.stores`
 * (Java's `Stores`). Each builder is a value; `build` makes a store a task. Impossible options throw `TopologyError`
 * (`TOPOLOGY`).
 * @example
 * ```ts
 * const totals = Stores.keyValueStoreBuilder({ name: 'totals', key: string(), value: double(), store: 'memory' });
 * const alarms = Stores.windowStoreBuilder({
 *   name: 'alarms',
 *   key: string(),
 *   value: long(),
 *   windowSizeMs: minuteMs,
 *   retentionMs: 60 * minuteMs,
 * });
 * builder.addStateStore(totals).addStateStore(alarms);
 * ```
 */
export const Stores = {
  /** A store of one value a key. */
  keyValueStoreBuilder<K, V>(options: StoreOptions<K, V>): TypedStoreBuilder<KeyValueStore<K, V>, K, V> {
    return keyValueBuilder(options, false, (bytes) => new PlainKeyValueStore(bytes, options.key, options.value));
  },

  /**
   * A memory store of at most `maxCacheSize` entries: what was used longest ago makes room. Unlike Kafka Streams' it can be ranged
   * over.
   */
  lruMap<K, V>(options: LruMapOptions<K, V>): TypedStoreBuilder<KeyValueStore<K, V>, K, V> {
    const { maxCacheSize } = options;
    if (!(Number.isInteger(maxCacheSize) && maxCacheSize >= 1)) {
      throw invalid(options.name, 'maxCacheSize must be an integer of at least 1');
    }
    const fields = { ...common(options), persistent: false };
    return Object.freeze({
      ...fields,
      kind: 'key-value' as const,
      build(caching?: boolean) {
        const bytes = new LruKeyValueStore(fields, maxCacheSize);
        return new PlainKeyValueStore(withCache(bytes, fields, caching, false), options.key, options.value);
      },
    });
  },

  /** A store of one value a key, with the timestamp of the record that made it: what tables are kept in. */
  timestampedKeyValueStoreBuilder<K, V>(
    options: StoreOptions<K, V>,
  ): TypedStoreBuilder<TimestampedKeyValueStore<K, V>, K, V> {
    return keyValueBuilder(options, true, (bytes) => new TimestampedStore(bytes, options.key, options.value));
  },

  /** A store of one value for each key and window, or several with `retainDuplicates`. */
  windowStoreBuilder<K, V>(options: WindowStoreOptions<K, V>): TypedStoreBuilder<WindowStore<K, V>, K, V> {
    return windowBuilder(options, false, (bytes) => new PlainWindowStore(bytes, options.key, options.value));
  },

  /**
   * A store of one value for each key and window, with the timestamp of the record that made it: what windowed
   * aggregations are kept in.
   */
  timestampedWindowStoreBuilder<K, V>(
    options: WindowStoreOptions<K, V>,
  ): TypedStoreBuilder<TimestampedWindowStore<K, V>, K, V> {
    return windowBuilder(options, true, (bytes) => new TimestampedPlainWindowStore(bytes, options.key, options.value));
  },

  /** A store of one value for each key and session. */
  sessionStoreBuilder<K, V>(options: SessionStoreOptions<K, V>): TypedStoreBuilder<SessionStore<K, V>, K, V> {
    const { retentionMs } = options;
    if (!(retentionMs >= 0)) throw invalid(options.name, 'retentionMs must be 0 or more');
    const fields = { ...common(options), retentionMs, readByTime: options.readByTime ?? false };
    return Object.freeze({
      ...fields,
      kind: 'session' as const,
      build(caching?: boolean) {
        const kept = { ...fields, retentionMs: retentionMs + (options.extraRetentionMs ?? 0) };
        const bytes = fields.persistent ? new LmdbSessionStore(kept) : new MemorySessionStore(kept);
        return new TypedSessionStore(withSessionCache(bytes, fields, caching), options.key, options.value);
      },
    });
  },

  /** A store of what each key held at any time of the last `historyRetentionMs`: what versioned tables are kept in. */
  versionedKeyValueStoreBuilder<K, V>(
    options: VersionedStoreOptions<K, V>,
  ): TypedStoreBuilder<VersionedKeyValueStore<K, V>, K, V> {
    return versionedBuilder(options);
  },
} as const;
