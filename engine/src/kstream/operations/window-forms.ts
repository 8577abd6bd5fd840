import { TopologyError } from '../../base/errors.ts';
import type { Processor } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import { ENDLESS_MS, sessionWindowed, type Windowed, windowed } from '../../serde/windowed.ts';
import type { StateStore, StoreBuilder } from '../../state/state-store.ts';
import { Stores } from '../../state/stores.ts';
import type { MaterializedOptions } from '../options.ts';
import type { AggregateSpec } from '../processors/aggregate/aggregate-processor.ts';
import { SessionAggregateProcessor } from '../processors/aggregate/session-aggregate-processor.ts';
import { SlidingAggregateProcessor } from '../processors/aggregate/sliding-aggregate-processor.ts';
import { WindowAggregateProcessor } from '../processors/aggregate/window-aggregate-processor.ts';
import {
  sessionStoreGetter,
  type TableValueGetterSupplier,
  windowStoreGetter,
} from '../processors/table/table-value-getter.ts';
import { EmitStrategy } from '../windows/emit-strategy.ts';
import type { SessionWindows } from '../windows/session-windows.ts';
import { SlidingWindows } from '../windows/sliding-windows.ts';
import type { TimeWindows } from '../windows/time-windows.ts';
import { UnlimitedWindows } from '../windows/unlimited-windows.ts';
import { storeOptions } from './materialize.ts';

/** Every kind of window that has a start and a length of its own. */
export type AnyTimeWindows = TimeWindows | SlidingWindows | UnlimitedWindows;

/** What an aggregation does differently for each kind of windows: its store, its processor, the keys of its table. */
export interface WindowForm<K, A> {
  /** How long after its end a window may change, ms. */
  readonly closesAfterMs: number;
  /** Serde of the table's keys: it knows how long a window is, which bytes in a topic don't say. */
  keySerde(key: Serde<K>): Serde<Windowed<K>>;
  /** Throws `TopologyError` where the retention is too short. */
  store(name: string, key: Serde<K>, value: Serde<A>): StoreBuilder<StateStore>;
  /** How operations below the table read it. */
  getter(name: string, key: Serde<K>, value: Serde<A>): TableValueGetterSupplier<Windowed<K>, A>;
  /** A processor that folds records into the windows. */
  processor(spec: AggregateSpec<K, never, A>, keySerde: Serde<Windowed<K>>): Processor<never, never, never, never>;
}

/** Tumbling, hopping, unlimited and sliding windows. */
export function timeForm<K, A>(
  windows: AnyTimeWindows,
  materialized: MaterializedOptions<K, A> | undefined,
  strategy: EmitStrategy = EmitStrategy.onWindowUpdate(),
): WindowForm<K, A> {
  const sizeMs = windows instanceof SlidingWindows ? windows.timeDifferenceMs : windows.sizeMs;
  return {
    closesAfterMs: windows.graceMs,
    keySerde: (key) => windowed(key, sizeMs),
    store: (name, key, value) =>
      Stores.timestampedWindowStoreBuilder({
        name,
        key,
        value,
        windowSizeMs: sizeMs,
        retentionMs: retentionOf(name, materialized, leastTimeRetention(windows)),
        ...keeping(materialized, strategy),
        readByTime: strategy.kind === 'close',
        extraRetentionMs:
          strategy.kind === 'close' && windows instanceof SlidingWindows ? EXTRA_SLIDING_RETENTION_MS : 0,
      }),
    getter: windowStoreGetter,
    processor: (spec, keySerde) =>
      (windows instanceof SlidingWindows
        ? new SlidingAggregateProcessor(spec, windows, keySerde, strategy)
        : new WindowAggregateProcessor(spec, windows, keySerde, strategy)) as never,
  };
}

/** Session windows; `merger` makes one aggregate of two. */
export function sessionForm<K, A>(
  windows: SessionWindows,
  merger: (key: K, aggregate: A, other: A) => A | null,
  materialized: MaterializedOptions<K, A> | undefined,
  strategy: EmitStrategy = EmitStrategy.onWindowUpdate(),
): WindowForm<K, A> {
  const least = { ms: windows.gapMs + windows.graceMs, rule: 'gap + grace' };
  return {
    closesAfterMs: windows.gapMs + windows.graceMs,
    keySerde: sessionWindowed,
    store: (name, key, value) =>
      Stores.sessionStoreBuilder({
        name,
        key,
        value,
        retentionMs: retentionOf(name, materialized, least),
        readByTime: strategy.kind === 'close',
        extraRetentionMs: strategy.kind === 'close' ? windows.gapMs + EXTRA_SESSION_RETENTION_MS : 0,
        ...keeping(materialized, strategy),
      }),
    getter: sessionStoreGetter,
    processor: (spec, keySerde) =>
      new SessionAggregateProcessor({ ...spec, merger }, windows, keySerde, strategy) as never,
  };
}

/**
 * Windows that are emitted once must be whole: their stores keep what Kafka Streams forgets at the very boundary, the windows that
 * tell what a late record's sliding windows begin with, the sessions that a late record connects with one that is still open. So
 * the default retention gives what ample retention gives, but that a record later than the gap and a minute finds no closed session.
 */
const EXTRA_SLIDING_RETENTION_MS = 2;
const EXTRA_SESSION_RETENTION_MS = 60_000;

interface LeastRetention {
  readonly ms: number;
  readonly rule: string;
}

/** Sliding windows look back by twice their length for what a late record's windows begin with. */
function leastTimeRetention(windows: AnyTimeWindows): LeastRetention {
  if (windows instanceof SlidingWindows) {
    return { ms: 2 * windows.timeDifferenceMs + windows.graceMs, rule: '2 × time difference + grace' };
  }
  if (windows instanceof UnlimitedWindows) return { ms: ENDLESS_MS, rule: 'ever (unlimited windows)' };
  return { ms: windows.sizeMs + windows.graceMs, rule: 'size + grace' };
}

/** Retention is at least what the windows need, which is the default. */
function retentionOf<K, A>(
  name: string,
  materialized: MaterializedOptions<K, A> | undefined,
  least: LeastRetention,
): number {
  if (materialized?.historyRetentionMs !== undefined) {
    throw new TopologyError(`Store ${name}: windows keep no versions; historyRetentionMs is for key-value tables.`);
  }
  const retentionMs = materialized?.retentionMs ?? least.ms;
  if (retentionMs >= least.ms) return retentionMs;
  throw new TopologyError(
    `Store ${name}: retentionMs is ${retentionMs}, but windows are needed for ${least.rule} = ${least.ms} ms. Give at least that, or leave retentionMs out.`,
  );
}

/** Results that are emitted once need no cache, as in Kafka Streams. */
function keeping<K, A>(materialized: MaterializedOptions<K, A> | undefined, strategy: EmitStrategy) {
  const options = storeOptions(materialized as MaterializedOptions<never, never> | undefined);
  return strategy.kind === 'close' ? { ...options, cachingEnabled: false } : options;
}
