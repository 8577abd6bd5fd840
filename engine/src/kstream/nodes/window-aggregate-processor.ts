import type { BinaryKey } from '../../base/bytes.ts';
import { type InternalProcessorContext, internalContext } from '../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../processor/processor.ts';
import { Record } from '../../processor/record.ts';
import type { Serde } from '../../serde/serde.ts';
import type { Windowed } from '../../serde/windowed.ts';
import type { WindowBytesStore } from '../../state/state-store.ts';
import type { WindowStore } from '../../state/window-store.ts';
import { changelogTopicName } from '../../topology/internal-topics.ts';
import type { TimeWindows } from '../windows.ts';
import type { AggregateSpec } from './aggregate-processor.ts';
import { Change } from './change.ts';
import { encodeForStore, setStored } from './stored-datum.ts';

const startBytes = 8;
const twoToThe32 = 4_294_967_296;

/**
 * Folds records into the time windows they belong to.
 *
 * Owns: its observed stream time, its output record, change and key bytes; the state is the store's.
 * Called by: the task.
 * Invariants: I1 stream time is the highest timestamp of all keys that reached this node, records without key excepted; I2 a
 * window takes records while its end is above stream time − grace, each window by itself; I3 null values are folded too, as in
 * Kafka Streams; I4 windows of one record are handled by ascending start.
 */
export class WindowAggregateProcessor<K, V, A> implements Processor<K, V, Windowed<K>, Change<A>> {
  readonly #spec: AggregateSpec<K, V, A>;
  readonly #windows: TimeWindows;
  readonly #windowedSerde: Serde<Windowed<K>>;
  readonly #change = new Change<A>();
  readonly #output = new Record<Windowed<K>, Change<A>>(null as unknown as Windowed<K>, this.#change, 0);
  #context!: InternalProcessorContext<Windowed<K>, Change<A>>;
  #store!: WindowBytesStore;
  #topic = '';
  #sendOldValues = false;
  #observedStreamTimeMs = -1;
  /** Bytes of the output key; grows with the longest key. */
  #keyBytes = Buffer.allocUnsafe(64);

  constructor(spec: AggregateSpec<K, V, A>, windows: TimeWindows, windowedSerde: Serde<Windowed<K>>) {
    this.#spec = spec;
    this.#windows = windows;
    this.#windowedSerde = windowedSerde;
  }

  init(context: ProcessorContext<Windowed<K>, Change<A>>): void {
    this.#context = internalContext(context);
    this.#store = context.getStateStore<WindowStore<K, A>>(this.#spec.storeName).bytes;
    this.#topic = changelogTopicName(context.applicationId, this.#spec.storeName);
    this.#sendOldValues = this.#spec.sendOldValues();
  }

  process(record: Record<K, V>): void {
    const { keyDatum, timestamp } = record;
    if (keyDatum.isNull) {
      this.#context.recordDropped('null-key');
      return;
    }
    if (timestamp > this.#observedStreamTimeMs) this.#observedStreamTimeMs = timestamp;
    const { sizeMs, advanceMs, graceMs } = this.#windows;
    const closeTimeMs = this.#observedStreamTimeMs - graceMs;
    const key = keyDatum.binary(this.#spec.keySerde, this.#topic);
    for (let startMs = this.#windows.firstStartMs(timestamp); startMs <= timestamp; startMs += advanceMs) {
      if (startMs + sizeMs > closeTimeMs) this.#update(record, key, startMs);
      else this.#context.recordDropped('expired-window');
    }
  }

  #update(record: Record<K, V>, key: BinaryKey, startMs: number): void {
    const { valueSerde } = this.#spec;
    const { initializer, aggregator, readsRecord } = this.#spec.aggregation;
    const { newDatum, oldDatum } = this.#change;
    const stored = this.#store.get(key, startMs);
    const timestamp = stored === undefined ? record.timestamp : Math.max(record.timestamp, stored.timestampMs);

    setStored(oldDatum, stored, valueSerde, this.#topic);
    if (stored === undefined && initializer === undefined) newDatum.setObject(record.value as unknown as A);
    else {
      if (stored === undefined) oldDatum.setObject((initializer as () => A)());
      const before = oldDatum.get();
      const after = readsRecord
        ? aggregator(record.key, record.value, before)
        : (aggregator as (key: undefined, value: undefined, aggregate: A) => A)(undefined, undefined, before);
      newDatum.setObject(after);
    }
    this.#store.put(key, encodeForStore(newDatum, valueSerde, this.#topic), startMs, timestamp);
    if (!this.#sendOldValues) oldDatum.setNull();

    const output = this.#output;
    this.#setWindowedKey(key, startMs);
    output.timestamp = timestamp;
    output.shareHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }

  /** The output key as bytes, inner key and start: a windowed sink writes them as they are, others decode them when they look. */
  #setWindowedKey(key: BinaryKey, startMs: number): void {
    const length = key.length + startBytes;
    if (this.#keyBytes.length < length) this.#keyBytes = Buffer.allocUnsafe(2 * length);
    const bytes = this.#keyBytes;
    bytes.latin1Write(key, 0, key.length);
    const high = Math.floor(startMs / twoToThe32);
    bytes.writeInt32BE(high, key.length);
    bytes.writeUInt32BE(startMs - high * twoToThe32, key.length + 4);
    this.#output.keyDatum.setBytes(bytes, 0, length, this.#windowedSerde, this.#topic);
  }
}
