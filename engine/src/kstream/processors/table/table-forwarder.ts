import type { Headers } from '../../../processor/headers.ts';
import type { InternalProcessorContext } from '../../../processor/internal-processor-context.ts';
import { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import { asCachedStore, type CacheListener, type CacheOrigin } from '../../../state/cache/cache-origin.ts';
import type { StateStore } from '../../../state/state-store.ts';
import { Change } from './change.ts';

/** A table's store and how its entries are read: what a cache needs to forward what it lets go of. */
export interface ForwardedStore<K, V> {
  /** The bytes store. */
  readonly bytes: StateStore;
  /** Serde of the whole forwarded key: of `Windowed<K>` where the store is a window or session store. */
  readonly keySerde: Serde<K>;
  /** Of the values, for whoever below decodes them. */
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
  readonly #sendsOldValues: boolean;
  /** Whether the cache forwards: then nodes read their store where Kafka Streams does, since a read counts as a use. */
  readonly isCached: boolean;

  /** `store` undefined: the table is not kept. */
  constructor(
    context: InternalProcessorContext<K, Change<V>>,
    store: ForwardedStore<K, V> | undefined,
    sendsOldValues: boolean,
  ) {
    this.#context = context;
    this.#sendsOldValues = sendsOldValues;
    const cached = store === undefined ? undefined : asCachedStore(store.bytes);
    this.isCached = cached !== undefined;
    cached?.setCacheListener(new FlushForwarder(context, store as ForwardedStore<K, V>), sendsOldValues);
  }

  /** Without old values wanted, the change's old value is made null. */
  maybeForward(output: Record<K, Change<V>>): void {
    if (this.isCached) return;
    if (!this.#sendsOldValues) output.value.oldDatum.setNull();
    this.#context.forward(output);
  }
}

/**
 * Forwards what leaves a table's cache, undecoded.
 *
 * Owns: its output record, which {@link ThreadCache.keepRead} saves where one eviction of the store interrupts another.
 */
class FlushForwarder<K, V> implements CacheListener {
  readonly #context: InternalProcessorContext<K, Change<V>>;
  readonly #store: ForwardedStore<K, V>;
  readonly #change = new Change<V>();
  readonly #output = new Record<K, Change<V>>(null as K, this.#change, 0);

  constructor(context: InternalProcessorContext<K, Change<V>>, store: ForwardedStore<K, V>) {
    this.#context = context;
    this.#store = store;
  }

  flushed(
    key: Buffer,
    newValue: Buffer | null,
    oldValue: Buffer | null,
    timestampMs: number,
    origin: CacheOrigin,
  ): void {
    const { keySerde, valueSerde, topic } = this.#store;
    const { newDatum, oldDatum } = this.#change;
    const output = this.#output;
    output.keyDatum.setBytes(key, 0, key.length, keySerde, topic, true);
    if (newValue === null) newDatum.setNull();
    else newDatum.setBytes(newValue, 0, newValue.length, valueSerde, topic, true);
    if (oldValue === null) oldDatum.setNull();
    else oldDatum.setBytes(oldValue, 0, oldValue.length, valueSerde, topic, true);
    output.timestamp = timestampMs;
    output.useHeaders(origin.headers as Headers | undefined);
    this.#context.forward(output);
  }
}
