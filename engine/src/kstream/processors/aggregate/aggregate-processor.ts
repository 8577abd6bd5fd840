import type { BinaryKey } from '../../../base/bytes.ts';
import type { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import { Change } from '../table/change.ts';
import { encodeForStore, setStored } from '../table/stored-datum.ts';
import { type TableBytesStore, tableBytes, wasPut } from '../table/table-bytes-store.ts';
import { TableForwarder } from '../table/table-forwarder.ts';

/** How `count`, `reduce` and `aggregate` of a grouped stream fold records, un-windowed and windowed. */
export interface Aggregation<K, V, A> {
  /** Undefined for `reduce`: the first value is the first aggregate, its bytes untouched. */
  readonly initializer: (() => A) | undefined;
  /** Makes the next aggregate of the one so far and a record; null deletes the key. */
  readonly aggregator: (key: K, value: V, aggregate: A) => A | null;
  /** False for `count`, which doesn't look at the records. */
  readonly readsRecord: boolean;
}

/** What an aggregation of a grouped stream keeps, and where. */
export interface AggregateSpec<K, V, A> {
  /** Store of the aggregates. */
  readonly storeName: string;
  /** Serde of the keys in the store. */
  readonly keySerde: Serde<K>;
  /** Serde of the aggregates in the store. */
  readonly valueSerde: Serde<A>;
  /** How records are folded. */
  readonly aggregation: Aggregation<K, V, A>;
  /** Whether somebody below needs old values; asked when the task is made. */
  readonly sendsOldValues: () => boolean;
}

/**
 * Folds the records of each key into a timestamped key-value store and forwards the changes.
 *
 * Owns: its output record and change; the state is the store's.
 * Called by: the task. Invariants: I1 a record without key or value changes nothing; I2 the result's timestamp is the maximum
 * of the records' that made it; I3 an aggregator that returns null deletes the key and forwards a tombstone.
 */
export class AggregateProcessor<K, V, A> implements Processor<K, V, K, Change<A>> {
  readonly #spec: AggregateSpec<K, V, A>;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<A>;
  readonly #initializer: (() => A) | undefined;
  readonly #aggregator: (key: K, value: V, aggregate: A) => A | null;
  readonly #readsRecord: boolean;
  readonly #change = new Change<A>();
  readonly #output = new Record<K, Change<A>>(null as K, this.#change, 0);
  #context!: InternalProcessorContext<K, Change<A>>;
  #forwarder!: TableForwarder<K, A>;
  #store!: TableBytesStore;
  #topic = '';
  #sendsOldValues = false;

  constructor(spec: AggregateSpec<K, V, A>) {
    this.#spec = spec;
    this.#keySerde = spec.keySerde;
    this.#valueSerde = spec.valueSerde;
    this.#initializer = spec.aggregation.initializer;
    this.#aggregator = spec.aggregation.aggregator;
    this.#readsRecord = spec.aggregation.readsRecord;
  }

  init(context: ProcessorContext<K, Change<A>>): void {
    this.#context = internalContext(context);
    this.#store = tableBytes(context, this.#spec.storeName);
    this.#topic = changelogTopicName(context.applicationId, this.#spec.storeName);
    this.#sendsOldValues = this.#spec.sendsOldValues();
    const kept = { bytes: this.#store, keySerde: this.#keySerde, valueSerde: this.#valueSerde, topic: this.#topic };
    this.#forwarder = new TableForwarder(this.#context, kept, this.#sendsOldValues);
  }

  process(record: Record<K, V>): void {
    const { keyDatum, valueDatum } = record;
    if (keyDatum.isNull || valueDatum.isNull) {
      this.#context.recordDropped(keyDatum.isNull ? 'null-key' : 'null-value');
      return;
    }
    const { newDatum, oldDatum } = this.#change;
    const key = keyDatum.binary(this.#keySerde, this.#topic);
    const storedMs = this.#readStored(key, oldDatum);
    const timestamp = Math.max(record.timestamp, storedMs);
    let answer: unknown;
    if (oldDatum.isNull && this.#initializer === undefined) {
      const bytes = valueDatum.copyBytes(this.#valueSerde as unknown as Serde<V>, this.#topic);
      if (bytes === null) {
        this.#context.recordDropped('null-value');
        return;
      }
      newDatum.setBytes(bytes, 0, bytes.length, this.#valueSerde, this.#topic, true);
      answer = this.#store.put(key, bytes, timestamp);
    } else {
      if (oldDatum.isNull) oldDatum.setObject((this.#initializer as () => A)());
      const before = oldDatum.get();
      const after = this.#readsRecord
        ? this.#aggregator(record.key, record.value, before)
        : (this.#aggregator as (key: undefined, value: undefined, aggregate: A) => A)(undefined, undefined, before);
      newDatum.setObject(after);
      answer = this.#store.put(key, encodeForStore(newDatum, this.#valueSerde, this.#topic), timestamp);
    }
    if (!wasPut(answer, this.#change)) return;

    const output = this.#output;
    output.keyDatum = keyDatum;
    output.timestamp = timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#forwarder.maybeForward(output);
  }

  /** Points `into` at the aggregate so far and answers its timestamp; null and -1 where there is none. */
  #readStored(key: BinaryKey, into: Datum<A>): number {
    const store = this.#store;
    if (this.#sendsOldValues || store.peek === undefined) {
      const stored = store.get(key);
      setStored(into, stored, this.#valueSerde, this.#topic);
      return stored?.timestampMs ?? -1;
    }
    // Decoded before the new aggregate is put, and forgotten after: no copy is needed.
    const view = store.peek(key);
    if (view === undefined) {
      into.setNull();
      return -1;
    }
    into.setBytes(view.buffer, view.start, view.end, this.#valueSerde, this.#topic, true);
    return view.timestampMs;
  }
}
