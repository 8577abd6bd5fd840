import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import type { Record } from '../../../processor/record.ts';
import type { KeyValueStore } from '../../../state/key-value-store.ts';
import type { KeyValueBytesStore } from '../../../state/state-store.ts';
import type { TableStore } from './table-processors.ts';

/** Writes a topic into the store of a global table. */
export class GlobalTableProcessor<K, V> implements Processor<K, V, never, never> {
  readonly #spec: TableStore<K, V>;
  readonly #topic: string;
  #context!: InternalProcessorContext<never, never>;
  #store!: KeyValueBytesStore;

  constructor(spec: TableStore<K, V>, topic: string) {
    this.#spec = spec;
    this.#topic = topic;
  }

  init(context: ProcessorContext<never, never>): void {
    this.#context = internalContext(context);
    this.#store = context.getStateStore<KeyValueStore<K, V>>(this.#spec.name).bytes;
  }

  process(record: Record<K, V>): void {
    if (record.keyDatum.isNull) {
      this.#context.recordDropped('null-key');
      return;
    }
    const key = record.keyDatum.binary(this.#spec.keySerde, this.#topic);
    const value = record.valueDatum.copyBytes(this.#spec.valueSerde, this.#topic);
    this.#store.put(key, value, record.timestamp);
  }
}
