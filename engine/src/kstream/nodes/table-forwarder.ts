import type { InternalProcessorContext } from '../../processor/internal-processor-context.ts';
import type { Record } from '../../processor/record.ts';
import type { Serde } from '../../serde/serde.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { Change } from './change.ts';

/** A table's store and how its entries are read: what a cache needs to forward what it lets go of. */
export interface ForwardedStore<K, V> {
  /** The bytes store. */
  readonly bytes: StateStore;
  /** Serde of the whole forwarded key: of `Windowed<K>` where the store is a window or session store. */
  readonly keySerde: Serde<K>;
  readonly valueSerde: Serde<V>;
  /** Changelog topic, for serdes. */
  readonly topic: string;
}

/**
 * Forwards the changes of a table that a store keeps: at once, or, where the store is cached, when the cache lets go of them
 * (then what is given here is not forwarded). Every node that puts into a table's store forwards through one of these.
 */
export class TableForwarder<K, V> {
  readonly #context: InternalProcessorContext<K, Change<V>>;
  readonly #sendOldValues: boolean;

  /** `store` undefined: the table is not kept. */
  constructor(
    context: InternalProcessorContext<K, Change<V>>,
    _store: ForwardedStore<K, V> | undefined,
    sendOldValues: boolean,
  ) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
  }

  /** Without old values wanted, the change's old value is made null. */
  maybeForward(output: Record<K, Change<V>>): void {
    if (!this.#sendOldValues) output.value.oldDatum.setNull();
    this.#context.forward(output);
  }
}
