import type { BinaryKey } from '../../../base/bytes.ts';
import type { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { Windowed } from '../../../serde/windowed.ts';
import type { StoredValue, StoreIterator, WindowBytesStore, WindowedBytesKey } from '../../../state/state-store.ts';
import type { EmitStrategy } from '../../windows/emit-strategy.ts';
import type { SlidingWindows } from '../../windows/sliding-windows.ts';
import type { AggregateSpec } from './aggregate-processor.ts';
import type { EmittingNode } from './close-schedule.ts';
import { slidingRange, WindowEmitter } from './window-emitter.ts';
import { WindowedAggregateProcessor } from './windowed-aggregate-processor.ts';

const NONE = -1;

/** What the windows around a record tell about its neighbours. */
interface Neighbours {
  /** Starts of the windows that were found. */
  readonly starts: number[];
  /** Time of the newest record before this one, as far as it matters; -1: none. */
  previousMs: number;
  /** The newest window that ended before this record: what a window that ends with it begins with. */
  left: StoredValue | undefined;
  /** The newest window that began at this record or before it, without it: what the window right of it holds. */
  right: StoredValue | undefined;
  leftExists: boolean;
  rightExists: boolean;
}

function noNeighbours(): Neighbours {
  return { starts: [], previousMs: NONE, left: undefined, right: undefined, leftExists: false, rightExists: false };
}

/**
 * Folds records into sliding windows.
 *
 * A record makes up to three windows: the one that ends with it, the one that begins right after it (if later records of its key
 * are there), and the one that begins right after the record before it. What these hold is copied from neighbouring windows, so no
 * record is ever looked up again. A stored window's timestamp is that of its newest record.
 *
 * Owns, called by: see {@link WindowedAggregateProcessor}.
 * Invariants: I3 only records with key and value move stream time; I4 a record is late
 * when its time + difference lies before stream time − grace, a window when its end does; I5 windows that exist are updated by
 * descending start, then come the previous record's right window, the record's left and its right one; I6 records earlier
 * than the difference share the window that starts at 0, since no window starts before; all as in Kafka Streams.
 */
export class SlidingAggregateProcessor<K, V, A> extends WindowedAggregateProcessor<
  K,
  V,
  A,
  WindowBytesStore,
  WindowEmitter<K, A>
> {
  readonly #differenceMs: number;
  readonly #graceMs: number;
  #neighbours = noNeighbours();

  constructor(
    spec: AggregateSpec<K, V, A>,
    windows: SlidingWindows,
    windowedSerde: Serde<Windowed<K>>,
    strategy?: EmitStrategy,
  ) {
    super(spec, windowedSerde, strategy);
    this.#differenceMs = windows.timeDifferenceMs;
    this.#graceMs = windows.graceMs;
  }

  process(record: Record<K, V>): void {
    const { keyDatum, timestamp } = record;
    if (keyDatum.isNull || record.valueDatum.isNull) {
      this.context.recordDropped(keyDatum.isNull ? 'null-key' : 'null-value');
      return;
    }
    const closeMs = this.observe(timestamp) - this.#graceMs;
    if (timestamp + this.#differenceMs < closeMs) {
      this.context.recordDropped('expired-window');
      return;
    }
    const key = keyDatum.binary(this.spec.keySerde, this.topic);
    if (timestamp < this.#differenceMs) {
      this.#processEarly(record, key, closeMs);
      return;
    }
    this.emitter?.beforePut(record as Record<unknown, unknown>, timestamp);
    const found = this.#forget();
    if (this.#updateExisting(record, key, closeMs, found)) this.#createMissing(record, key, closeMs, found);
    this.emitter?.afterRecord(record as Record<unknown, unknown>, closeMs);
  }

  protected newEmitter(node: EmittingNode<K, A, WindowBytesStore>): WindowEmitter<K, A> {
    return new WindowEmitter(node, slidingRange(this.#differenceMs));
  }

  /** Newest windows first. False when there can be no missing windows: a record of the same time made them. */
  #updateExisting(record: Record<K, V>, key: BinaryKey, closeMs: number, found: Neighbours): boolean {
    const { timestamp } = record;
    const differenceMs = this.#differenceMs;
    const windows = this.#windows(key, Math.max(0, timestamp - 2 * differenceMs), timestamp + 1, 'reverse');
    try {
      for (let step = windows.next(); step.done !== true; step = windows.next()) {
        const { windowStartMs: startMs } = step.value.key;
        const stored: StoredValue = { value: step.value.value, timestampMs: step.value.timestampMs };
        const endMs = startMs + differenceMs;
        found.starts.push(startMs);
        if (startMs === timestamp + 1) {
          found.rightExists = true;
        } else if (endMs > timestamp) {
          found.right ??= stored;
          this.#update(record, key, startMs, stored, closeMs);
        } else if (endMs === timestamp) {
          found.leftExists = true;
          this.#update(record, key, startMs, stored, closeMs);
          if (stored.timestampMs >= timestamp) return false;
          found.previousMs = stored.timestampMs;
        } else {
          found.left = stored;
          found.previousMs = stored.timestampMs;
          break;
        }
      }
    } finally {
      windows.close();
    }
    return true;
  }

  #windows(
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    direction: 'forward' | 'reverse',
  ): StoreIterator<WindowedBytesKey> {
    // Kafka Streams asks for a range of one key, which tells its cache that other windows are used.
    if (this.forwarder?.isCached) return this.store.fetchRange(key, key, fromMs, toMs, direction);
    return this.store.fetch(key, fromMs, toMs, direction);
  }

  #createMissing(record: Record<K, V>, key: BinaryKey, closeMs: number, found: Neighbours): void {
    const { timestamp } = record;
    const { starts, previousMs, left, leftExists } = found;
    const leftStartMs = timestamp - this.#differenceMs;
    if (previousMs !== NONE && !starts.includes(previousMs + 1) && previousMs + 1 >= leftStartMs) {
      this.#update(record, key, previousMs + 1, undefined, closeMs);
    }
    if (!leftExists) {
      const holdsPrevious = previousMs !== NONE && previousMs >= leftStartMs;
      this.#update(record, key, leftStartMs, holdsPrevious ? left : undefined, closeMs);
    }
    this.#createRight(record, key, found);
  }

  /** Windows may not start before 0: records of the first `difference` ms have no left window but share `[0, difference]`. */
  #processEarly(record: Record<K, V>, key: BinaryKey, closeMs: number): void {
    const { timestamp } = record;
    const found = this.#forget();
    let first: StoredValue | undefined;
    for (const window of this.#windows(key, 0, timestamp + 1, 'forward')) {
      const { windowStartMs: startMs } = window.key;
      const stored: StoredValue = { value: window.value, timestampMs: window.timestampMs };
      found.starts.push(startMs);
      if (startMs === 0) {
        first = stored;
        if (stored.timestampMs < timestamp) found.previousMs = stored.timestampMs;
      } else if (startMs <= timestamp) {
        found.right = stored;
        this.#update(record, key, startMs, stored, closeMs);
      } else found.rightExists = true;
    }
    // All that the first window holds is later than this record, or there would be a window between them.
    if (found.right === undefined && first !== undefined && first.timestampMs > timestamp) found.right = first;
    this.#createRight(record, key, found);
    const { previousMs } = found;
    if (previousMs !== NONE && !found.starts.includes(previousMs + 1)) {
      this.#update(record, key, previousMs + 1, undefined, closeMs);
    }
    this.#update(record, key, 0, first, closeMs);
  }

  #forget(): Neighbours {
    // A read or put of a cached store may forward older records through this node: then this record needs an object of
    // its own.
    if (this.forwarder?.isCached) this.#neighbours = noNeighbours();
    const found = this.#neighbours;
    found.starts.length = 0;
    found.previousMs = NONE;
    found.left = undefined;
    found.right = undefined;
    found.leftExists = false;
    found.rightExists = false;
    return found;
  }

  /** The window right of the record holds what comes after it: what was in the window before, without the record. */
  #createRight(record: Record<K, V>, key: BinaryKey, found: Neighbours): void {
    const { right, rightExists } = found;
    if (rightExists || right === undefined || right.timestampMs <= record.timestamp) return;
    const startMs = record.timestamp + 1;
    const { change } = this.output;
    this.store.put(key, right.value, startMs, right.timestampMs);
    change.oldDatum.setNull();
    change.newDatum.setBytes(right.value, 0, right.value.length, this.spec.valueSerde, this.topic, true);
    this.output.setWindow(key, startMs);
    this.forward(right.timestampMs, record);
  }

  /** Folds the record into a window that holds `before`, or begins it. */
  #update(
    record: Record<K, V>,
    key: BinaryKey,
    startMs: number,
    before: StoredValue | undefined,
    closeMs: number,
  ): void {
    if (startMs + this.#differenceMs < closeMs) {
      this.context.recordDropped('expired-window');
      return;
    }
    const timestampMs = before === undefined ? record.timestamp : Math.max(record.timestamp, before.timestampMs);
    this.store.put(key, this.foldInto(before, record), startMs, timestampMs);
    this.output.setWindow(key, startMs);
    this.forward(timestampMs, record);
  }
}
