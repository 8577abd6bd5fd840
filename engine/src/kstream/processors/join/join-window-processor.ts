import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import type { Record } from '../../../processor/record.ts';
import type { WindowBytesStore } from '../../../state/state-store.ts';
import type { WindowStore } from '../../../state/window-store.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import type { JoinWindowStore } from './stream-join-spec.ts';

/**
 * Keeps one side of a stream–stream join for the records of the other side that come later.
 *
 * Owns: nothing; the state is the store's.
 * Called by: the task.
 * Invariants: I1 a record goes to the join before it is kept, so a stream joined with itself doesn't meet the record at hand on
 * that side; I2 every record with a key is put, those without a value too: they use up a number and a line of the changelog, as
 * in Kafka Streams.
 */
export class JoinWindowProcessor<K, V> implements Processor<K, V, K, V> {
  readonly #kept: JoinWindowStore<K, V>;
  #context!: InternalProcessorContext<K, V>;
  #store!: WindowBytesStore;
  #topic = '';

  constructor(kept: JoinWindowStore<K, V>) {
    this.#kept = kept;
  }

  init(context: ProcessorContext<K, V>): void {
    this.#context = internalContext(context);
    this.#store = context.getStateStore<WindowStore<K, V>>(this.#kept.name).bytes;
    this.#topic = changelogTopicName(context.applicationId, this.#kept.name);
  }

  process(record: Record<K, V>): void {
    this.#context.forward(record);
    const { keyDatum, valueDatum, timestamp } = record;
    if (keyDatum.isNull) return;
    const { keySerde, valueSerde } = this.#kept;
    const value = valueDatum.copyBytes(valueSerde, this.#topic);
    this.#store.put(keyDatum.binary(keySerde, this.#topic), value, timestamp, timestamp);
  }
}
