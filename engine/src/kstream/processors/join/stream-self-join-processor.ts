import type { BinaryKey } from '../../../base/bytes.ts';
import { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { WindowBytesStore } from '../../../state/state-store.ts';
import type { WindowStore } from '../../../state/window-store.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import { readsKey, type StreamJoinSpec } from './stream-join-spec.ts';

/**
 * A stream joined with itself over one store (`single.store.self.join`): each record meets the earlier ones once as the left
 * value and once as the right one, and itself.
 *
 * Owns: its output record and its own stream time. Called by: the task, through the node that keeps the records.
 * Invariants: I1 results come in the order in which the join over two stores gives them; I2 as in Kafka Streams every record
 * that has not expired meets itself, also where the window is wholly before or after it, and left and outer joins make no
 * unmatched results.
 */
export class StreamSelfJoinProcessor<K, V, VOut> implements Processor<K, V, K, VOut> {
  readonly #spec: StreamJoinSpec<K, V, V, VOut>;
  readonly #readsKey: boolean;
  readonly #other = new Datum<V>();
  readonly #value = new Datum<VOut>();
  readonly #output = new Record<K, VOut>(null as K, null as VOut, 0);
  #context!: InternalProcessorContext<K, VOut>;
  #store!: WindowBytesStore;
  #topic = '';
  #streamTimeMs = -1;

  constructor(spec: StreamJoinSpec<K, V, V, VOut>) {
    this.#spec = spec;
    this.#readsKey = readsKey(spec.joiner);
    this.#output.valueDatum = this.#value;
  }

  init(context: ProcessorContext<K, VOut>): void {
    const { name } = this.#spec.left;
    this.#context = internalContext(context);
    this.#store = context.getStateStore<WindowStore<K, V>>(name).bytes;
    this.#topic = changelogTopicName(context.applicationId, name);
  }

  process(record: Record<K, V>): void {
    const { keyDatum, valueDatum, timestamp } = record;
    if (keyDatum.isNull || valueDatum.isNull) {
      this.#context.recordDropped(keyDatum.isNull ? 'null-key' : 'null-value');
      return;
    }
    if (timestamp > this.#streamTimeMs) this.#streamTimeMs = timestamp;
    const { windows, left } = this.#spec;
    const { beforeMs, afterMs, retentionMs } = windows;
    const key = keyDatum.binary(left.keySerde, this.#topic);
    const meetsItself = timestamp > this.#streamTimeMs - retentionMs + 1;
    this.#joinEarlier(record, key, timestamp - beforeMs, timestamp + afterMs, 'left', false);
    const metItself = this.#joinEarlier(record, key, timestamp - afterMs, timestamp + beforeMs, 'right', meetsItself);
    if (meetsItself && !metItself) this.#forward(record, valueDatum, valueDatum, timestamp);
  }

  /**
   * Joins the record, as the left or right value, with those of a time range. With `meetsItself` it meets itself before the
   * first one that is newer; answers whether it did.
   */
  #joinEarlier(
    record: Record<K, V>,
    key: BinaryKey,
    fromMs: number,
    toMs: number,
    as: 'left' | 'right',
    meetsItself: boolean,
  ): boolean {
    const { timestamp, valueDatum } = record;
    const others = this.#store.fetch(key, Math.max(0, fromMs), Math.max(0, toMs), 'forward');
    let metItself = false;
    try {
      for (let step = others.next(); step.done !== true; step = others.next()) {
        const { value } = step.value;
        const { windowStartMs } = step.value.key;
        if (meetsItself && !metItself && windowStartMs > timestamp) {
          metItself = true;
          this.#forward(record, valueDatum, valueDatum, timestamp);
        }
        this.#other.setBytes(value, 0, value.length, this.#spec.left.valueSerde, this.#topic, true);
        const resultMs = Math.max(timestamp, windowStartMs);
        if (as === 'left') this.#forward(record, valueDatum, this.#other, resultMs);
        else this.#forward(record, this.#other, valueDatum, resultMs);
      }
    } finally {
      others.close();
    }
    return metItself;
  }

  #forward(record: Record<K, V>, left: Datum<V>, right: Datum<V>, timestampMs: number): void {
    const { joiner } = this.#spec;
    const value = this.#readsKey
      ? joiner(left.get(), right.get(), record.key)
      : (joiner as (left: V, right: V) => VOut)(left.get(), right.get());
    const output = this.#output;
    this.#value.setObject(value);
    output.keyDatum = record.keyDatum;
    output.timestamp = timestampMs;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }
}
