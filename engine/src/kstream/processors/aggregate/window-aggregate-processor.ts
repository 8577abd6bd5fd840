import type { BinaryKey } from '../../../base/bytes.ts';
import type { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { Windowed } from '../../../serde/windowed.ts';
import type { WindowBytesStore } from '../../../state/state-store.ts';
import type { EmitStrategy } from '../../windows/emit-strategy.ts';
import type { AggregateSpec } from './aggregate-processor.ts';
import type { EmittingNode } from './close-schedule.ts';
import { timeRange, WindowEmitter } from './window-emitter.ts';
import { WindowedAggregateProcessor } from './windowed-aggregate-processor.ts';

/** Windows on a grid, as `TimeWindows` and `UnlimitedWindows` describe them. */
export interface GridWindows {
  /** Length of a window, ms. */
  readonly sizeMs: number;
  /** From one start to the next, ms; as long as the window where windows don't overlap. */
  readonly advanceMs: number;
  /** How long after its end a window still takes late records, ms of stream time. */
  readonly graceMs: number;
  /** Start of the earliest window that contains `timestampMs`, if any does; the others follow every `advanceMs` up to it. */
  firstStartMs(timestampMs: number): number;
}

/**
 * Folds records into the time windows they belong to.
 *
 * Owns, called by: see {@link WindowedAggregateProcessor}.
 * Invariants: I3 only records without key don't move stream time; I4 a window takes records while its end is above stream time − grace,
 * each window by itself; I5 null values are folded too, as in Kafka Streams; I6 windows of one record are handled by ascending start.
 */
export class WindowAggregateProcessor<K, V, A> extends WindowedAggregateProcessor<
  K,
  V,
  A,
  WindowBytesStore,
  WindowEmitter<K, A>
> {
  readonly #windows: GridWindows;

  constructor(
    spec: AggregateSpec<K, V, A>,
    windows: GridWindows,
    windowedSerde: Serde<Windowed<K>>,
    strategy?: EmitStrategy,
  ) {
    super(spec, windowedSerde, strategy);
    this.#windows = windows;
  }

  process(record: Record<K, V>): void {
    const { keyDatum, timestamp } = record;
    if (keyDatum.isNull) {
      this.context.recordDropped('null-key');
      return;
    }
    const { sizeMs, advanceMs, graceMs } = this.#windows;
    const closeMs = this.observe(timestamp) - graceMs;
    const { emitter } = this;
    if (emitter !== undefined) {
      emitter.beforePut(record as Record<unknown, unknown>, timestamp - (timestamp % advanceMs));
    }
    const key = keyDatum.binary(this.spec.keySerde, this.topic);
    for (let startMs = this.#windows.firstStartMs(timestamp); startMs <= timestamp; startMs += advanceMs) {
      if (startMs + sizeMs > closeMs) this.#update(record, key, startMs);
      else this.context.recordDropped('expired-window');
    }
    if (emitter !== undefined) emitter.afterRecord(record as Record<unknown, unknown>, closeMs);
  }

  protected newEmitter(node: EmittingNode<K, A, WindowBytesStore>): WindowEmitter<K, A> {
    return new WindowEmitter(node, timeRange(this.#windows));
  }

  #update(record: Record<K, V>, key: BinaryKey, startMs: number): void {
    const stored = this.store.get(key, startMs);
    const timestampMs = stored === undefined ? record.timestamp : Math.max(record.timestamp, stored.timestampMs);
    this.store.put(key, this.foldInto(stored, record), startMs, timestampMs);
    this.output.setWindow(key, startMs);
    this.forward(timestampMs, record);
  }
}
