import type { BinaryKey } from '../../base/bytes.ts';
import { type InternalProcessorContext, internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../processor/processor.ts';
import type { Record } from '../../processor/record.ts';
import type { Serde } from '../../serde/serde.ts';
import type { Windowed } from '../../serde/windowed.ts';
import type { WindowBytesStore } from '../../state/state-store.ts';
import type { WindowStore } from '../../state/window-store.ts';
import { changelogTopicName } from '../../topology/internal-topics.ts';
import type { EmitStrategy } from '../emit-strategy.ts';
import type { AggregateSpec } from './aggregate-processor.ts';
import type { Change } from './change.ts';
import { fold, startFold } from './fold.ts';
import { encodeForStore, setStored } from './stored-datum.ts';
import { TableForwarder } from './table-forwarder.ts';
import { timeRange, WindowEmitter } from './window-emitter.ts';
import { WindowedOutput } from './windowed-output.ts';

/** Windows on a grid, as `TimeWindows` and `UnlimitedWindows` describe them. */
export interface GridWindows {
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;
  /** Start of the earliest window that contains `timestampMs`, if any does; the others follow every `advanceMs` up to it. */
  firstStartMs(timestampMs: number): number;
}

/**
 * Folds records into the time windows they belong to.
 *
 * Owns: its observed stream time and its output; the state is the store's.
 * Called by: the task.
 * Invariants: I1 stream time is the highest timestamp of all keys that reached this node, records without key excepted; I2 a
 * window takes records while its end is above stream time − grace, each window by itself; I3 null values are folded too, as in
 * Kafka Streams; I4 windows of one record are handled by ascending start.
 */
export class WindowAggregateProcessor<K, V, A> implements Processor<K, V, Windowed<K>, Change<A>> {
  readonly #spec: AggregateSpec<K, V, A>;
  readonly #windows: GridWindows;
  readonly #windowedSerde: Serde<Windowed<K>>;
  readonly #strategy: EmitStrategy | undefined;
  readonly #output: WindowedOutput<K, A>;
  #context!: InternalProcessorContext<Windowed<K>, Change<A>>;
  #store!: WindowBytesStore;
  #forwarder: TableForwarder<Windowed<K>, A> | undefined;
  #emitter: WindowEmitter<K, A> | undefined;
  #topic = '';
  #observedStreamTimeMs = -1;

  /** Without a strategy every update is forwarded. */
  constructor(
    spec: AggregateSpec<K, V, A>,
    windows: GridWindows,
    windowedSerde: Serde<Windowed<K>>,
    strategy?: EmitStrategy,
  ) {
    this.#spec = spec;
    this.#windows = windows;
    this.#windowedSerde = windowedSerde;
    this.#strategy = strategy;
    this.#output = new WindowedOutput(windowedSerde);
  }

  init(context: ProcessorContext<Windowed<K>, Change<A>>): void {
    const { storeName, valueSerde } = this.#spec;
    const internal = internalContext(context);
    const store = context.getStateStore<WindowStore<K, A>>(storeName).bytes;
    const topic = changelogTopicName(context.applicationId, storeName);
    this.#context = internal;
    this.#store = store;
    this.#topic = topic;
    this.#output.open(topic);
    if (this.#strategy?.kind === 'close') {
      const node = { context: internal, store, storeName, valueSerde, topic, output: this.#output };
      this.#emitter = new WindowEmitter(node, timeRange(this.#windows));
    } else {
      const kept = { bytes: store, keySerde: this.#windowedSerde, valueSerde, topic };
      this.#forwarder = new TableForwarder(internal, kept, this.#spec.sendOldValues());
    }
  }

  process(record: Record<K, V>): void {
    const { keyDatum, timestamp } = record;
    if (keyDatum.isNull) {
      this.#context.recordDropped('null-key');
      return;
    }
    if (timestamp > this.#observedStreamTimeMs) this.#observedStreamTimeMs = timestamp;
    const { sizeMs, advanceMs, graceMs } = this.#windows;
    const closeMs = this.#observedStreamTimeMs - graceMs;
    const emitter = this.#emitter;
    if (emitter !== undefined) {
      emitter.beforePut(record as Record<unknown, unknown>, timestamp - (timestamp % advanceMs));
    }
    const key = keyDatum.binary(this.#spec.keySerde, this.#topic);
    for (let startMs = this.#windows.firstStartMs(timestamp); startMs <= timestamp; startMs += advanceMs) {
      if (startMs + sizeMs > closeMs) this.#update(record, key, startMs);
      else this.#context.recordDropped('expired-window');
    }
    if (emitter !== undefined) emitter.afterRecord(record as Record<unknown, unknown>, closeMs);
  }

  #update(record: Record<K, V>, key: BinaryKey, startMs: number): void {
    const { valueSerde, aggregation } = this.#spec;
    const { change, record: output } = this.#output;
    const stored = this.#store.get(key, startMs);
    const timestamp = stored === undefined ? record.timestamp : Math.max(record.timestamp, stored.timestampMs);
    if (stored === undefined) startFold(aggregation, change);
    else setStored(change.oldDatum, stored, valueSerde, this.#topic);
    fold(aggregation, record, change);
    this.#store.put(key, encodeForStore(change.newDatum, valueSerde, this.#topic), startMs, timestamp);

    const forwarder = this.#forwarder;
    if (forwarder === undefined) return;
    this.#output.setWindow(key, startMs);
    output.timestamp = timestamp;
    output.shareHeaders(record as Record<unknown, unknown>);
    forwarder.maybeForward(output);
  }
}
