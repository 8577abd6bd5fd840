import type { Record } from '../../../processor/record.ts';
import type { StoreEntry, StoreIterator, WindowBytesStore, WindowedBytesKey } from '../../../state/state-store.ts';
import { CloseSchedule, type EmittingNode, NEVER_EMITTED } from './close-schedule.ts';

/** Which window starts an emission covers; times in epoch ms, both ends inclusive. */
export interface EmitRange {
  /** First start after an emission at `lastCloseMs`, which may be {@link NEVER_EMITTED}. */
  fromMs(lastCloseMs: number): number;
  /** Last start of a window that has closed at `closeMs`. */
  toMs(closeMs: number): number;
  /** False where no window can lie between. */
  mayHoldWindows(lastCloseMs: number, fromMs: number, toMs: number): boolean;
}

/**
 * Emits time and sliding windows once they have closed, by start, then key.
 *
 * Kafka Streams looks into the store after it has put the record, and by then the store may have forgotten windows that closed
 * just now: with the default retention it loses them. So windows that a put is about to make the store forget are emitted before it,
 * whatever the interval says.
 *
 * Owns: how far it has emitted.
 * Called by: the windowed aggregate processors. Invariants: I1 no window is emitted twice; I2 none is forgotten unemitted.
 */
export class WindowEmitter<K, A> {
  readonly #node: EmittingNode<K, A, WindowBytesStore>;
  readonly #range: EmitRange;
  readonly #schedule: CloseSchedule;
  /** Starts up to here were emitted ahead of the schedule. */
  #rescuedToMs = -1;

  constructor(node: EmittingNode<K, A, WindowBytesStore>, range: EmitRange) {
    this.#node = node;
    this.#range = range;
    this.#schedule = new CloseSchedule(node.context, node.storeName);
  }

  /** Before puts of windows that start at `newestStartMs` at the latest. */
  beforePut(record: Record<unknown, unknown>, newestStartMs: number): void {
    const { store } = this.#node;
    const toMs = newestStartMs - store.retentionMs;
    if (toMs < 0 || newestStartMs <= store.observedStreamTimeMs) return;
    const fromMs = this.#fromMs();
    if (fromMs > toMs) return;
    this.#emit(record, store.fetchAllByTime(fromMs, toMs));
    this.#rescuedToMs = toMs;
  }

  /** After a record was folded. `closeMs`: windows that end there or earlier take no more records. */
  afterRecord(record: Record<unknown, unknown>, closeMs: number): void {
    const schedule = this.#schedule;
    if (!schedule.isDue(closeMs)) return;
    const toMs = this.#range.toMs(closeMs);
    if (toMs < 0) return;
    const { lastCloseMs } = schedule;
    if (!this.#range.mayHoldWindows(lastCloseMs, this.#range.fromMs(lastCloseMs), toMs)) return;
    const fromMs = this.#fromMs();
    if (fromMs <= toMs) this.#emit(record, this.#node.store.fetchAllByTime(fromMs, toMs));
    schedule.emitted(closeMs);
  }

  #fromMs(): number {
    return Math.max(this.#range.fromMs(this.#schedule.lastCloseMs), this.#rescuedToMs + 1);
  }

  #emit(record: Record<unknown, unknown>, windows: StoreIterator<WindowedBytesKey>): void {
    let count = 0;
    for (const window of windows) {
      this.#forward(record, window);
      count += 1;
    }
    this.#schedule.count(count);
  }

  #forward(record: Record<unknown, unknown>, { key, value, timestampMs }: StoreEntry<WindowedBytesKey>): void {
    const { output, valueSerde, topic, context } = this.#node;
    output.setWindow(key.key, key.windowStartMs);
    output.change.newDatum.setBytes(value, 0, value.length, valueSerde, topic, true);
    output.change.oldDatum.setNull();
    output.record.timestamp = timestampMs;
    output.record.inheritHeaders(record);
    context.forward(output.record);
  }
}

/** Windows of one size, end exclusive, on a grid. */
export function timeRange(windows: {
  /** Length of a window, ms. */
  readonly sizeMs: number;
  /** From one start to the next, ms. */
  readonly advanceMs: number;
  /** Start of the earliest window that contains the time, epoch ms. */
  firstStartMs(timestampMs: number): number;
}): EmitRange {
  const { sizeMs, advanceMs } = windows;
  const lastStartMs = (timestampMs: number) => timestampMs - (timestampMs % advanceMs);
  return {
    fromMs: (lastCloseMs) => (lastCloseMs === NEVER_EMITTED ? 0 : Math.max(0, lastCloseMs - sizeMs) + 1),
    toMs: (closeMs) => closeMs - sizeMs,
    // The same windows cover both bounds: none starts in between. Kafka Streams then doesn't count it as an emission.
    mayHoldWindows: (lastCloseMs, fromMs, toMs) =>
      lastCloseMs === NEVER_EMITTED ||
      windows.firstStartMs(toMs) !== windows.firstStartMs(fromMs - 1) ||
      lastStartMs(toMs) !== lastStartMs(fromMs - 1),
  };
}

/** Sliding windows, end inclusive. */
export function slidingRange(timeDifferenceMs: number): EmitRange {
  return {
    fromMs: (lastCloseMs) => (lastCloseMs === NEVER_EMITTED ? 0 : Math.max(0, lastCloseMs - timeDifferenceMs)),
    toMs: (closeMs) => closeMs - timeDifferenceMs - 1,
    mayHoldWindows: () => true,
  };
}
