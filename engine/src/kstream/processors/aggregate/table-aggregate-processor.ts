import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import { Change } from '../table/change.ts';
import { encodeForStore, setStored } from '../table/stored-datum.ts';
import { type TableBytesStore, tableBytes, wasPut } from '../table/table-bytes-store.ts';
import { TableForwarder } from '../table/table-forwarder.ts';

/** What an aggregation of a grouped table keeps, and how it folds. */
export interface TableAggregateSpec<K, V, A> {
  /** Store of the aggregates. */
  readonly storeName: string;
  /** Of the groups' keys. */
  readonly keySerde: Serde<K>;
  /** Of the aggregates. */
  readonly valueSerde: Serde<A>;
  /** Undefined for `reduce`: the first value is the first aggregate. */
  readonly initializer: (() => A) | undefined;
  /** Puts a new value into the aggregate; null deletes the group. */
  readonly adder: (key: K, value: V, aggregate: A) => A | null;
  /** Takes an old value out of the aggregate; null deletes the group. */
  readonly subtractor: (key: K, value: V, aggregate: A) => A | null;
  /** Whether somebody below needs old values; asked when the task is made. */
  readonly sendsOldValues: () => boolean;
}

/**
 * Folds the changes of a regrouped table: takes the old value out, then puts the new one in.
 *
 * Called by: the task. Invariants: I1 the subtractor is not called for a key without an aggregate; I2 an aggregate that becomes
 * "empty" stays: only null deletes.
 */
export class TableAggregateProcessor<K, V, A> implements Processor<K, Change<V>, K, Change<A>> {
  readonly #spec: TableAggregateSpec<K, V, A>;
  readonly #change = new Change<A>();
  readonly #output = new Record<K, Change<A>>(null as K, this.#change, 0);
  #context!: InternalProcessorContext<K, Change<A>>;
  #forwarder!: TableForwarder<K, A>;
  #store!: TableBytesStore;
  #topic = '';

  constructor(spec: TableAggregateSpec<K, V, A>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<K, Change<A>>): void {
    this.#context = internalContext(context);
    this.#store = tableBytes(context, this.#spec.storeName);
    this.#topic = changelogTopicName(context.applicationId, this.#spec.storeName);
    const { keySerde, valueSerde } = this.#spec;
    const kept = { bytes: this.#store, keySerde, valueSerde, topic: this.#topic };
    this.#forwarder = new TableForwarder(this.#context, kept, this.#spec.sendsOldValues());
  }

  process(record: Record<K, Change<V>>): void {
    const { keyDatum } = record;
    if (keyDatum.isNull) {
      this.#context.recordDropped('null-key');
      return;
    }
    const { initializer, adder, subtractor, keySerde, valueSerde } = this.#spec;
    const { newDatum, oldDatum } = this.#change;
    const above = record.value;
    const key = keyDatum.binary(keySerde, this.#topic);
    const stored = this.#store.get(key);
    setStored(oldDatum, stored, valueSerde, this.#topic);

    let timestamp = record.timestamp;
    let aggregate = oldDatum.get() as A | null;
    if (!above.oldDatum.isNull && stored !== undefined) {
      aggregate = subtractor(keyDatum.get(), above.oldDatum.get(), aggregate as A) ?? null;
      timestamp = Math.max(record.timestamp, stored.timestampMs);
    }
    if (!above.newDatum.isNull) {
      const value = above.newDatum.get();
      if (aggregate !== null) aggregate = adder(keyDatum.get(), value, aggregate);
      else if (initializer === undefined) aggregate = value as unknown as A;
      else aggregate = adder(keyDatum.get(), value, initializer());
      if (stored !== undefined) timestamp = Math.max(record.timestamp, stored.timestampMs);
    }
    newDatum.setObject(aggregate);
    const answer = this.#store.put(key, encodeForStore(newDatum, valueSerde, this.#topic), timestamp);
    if (!wasPut(answer, this.#change)) return;

    const output = this.#output;
    output.keyDatum = keyDatum;
    output.timestamp = timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#forwarder.maybeForward(output);
  }
}
