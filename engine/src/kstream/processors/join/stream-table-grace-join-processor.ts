import type { Header } from '../../../base/record-batch.ts';
import { Datum } from '../../../processor/datum.ts';
import { Headers } from '../../../processor/headers.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { type HeaderSource, Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { BufferedJoinRecord, JoinBuffer } from '../../../state/buffer/join-buffer.ts';
import type { TableValueGetter, TableValueGetterSupplier } from '../table/table-value-getter.ts';

/** A join of a stream with the past of a table. */
export interface StreamTableGraceJoinSpec<K, V, VT, VOut> {
  /** Of a versioned table. */
  readonly table: TableValueGetterSupplier<K, VT>;
  /** Makes the result; `right` is null in a left join where the table held nothing. */
  readonly joiner: (left: V, right: VT, key: K) => VOut;
  /** Whether records without a table value have a result. */
  readonly leftJoin: boolean;
  /** Store of the records that wait. */
  readonly bufferName: string;
  /** What serdes are told as topic: the node's name, as in Kafka Streams. */
  readonly topic: string;
  /** Of the stream's keys, for records that wait. */
  readonly keySerde: Serde<K>;
  /** Of the stream's values, for records that wait. */
  readonly valueSerde: Serde<V>;
}

const noHeaders: readonly Header[] = [];
const NOWHERE = { topic: '', partition: -1, offset: -1 };

/**
 * Joins each record with what a versioned table held at the record's time, once the stream has moved on by the grace: until then the
 * record waits in a buffer, so that the table may catch up. The result has the record's time, headers and origin.
 *
 * Owns: its output record. Called by: the task.
 * Invariants: I1 a record that comes later than the grace joins at once; I2 only records that the buffer takes move its time on; I3 a
 * record without a key meets null at once in a left join (Kafka Streams 4.3.1 fails there), and is dropped otherwise.
 */
export class StreamTableGraceJoinProcessor<K, V, VT, VOut> implements Processor<K, V, K, VOut>, HeaderSource {
  readonly #spec: StreamTableGraceJoinSpec<K, V, VT, VOut>;
  readonly #right = new Datum<VT>();
  readonly #value = new Datum<VOut>();
  readonly #output = new Record<K, VOut>(null as K, null as VOut, 0);
  readonly #keptKey = new Datum<K>();
  readonly #keptValue = new Datum<V>();
  #keptHeaders = noHeaders;
  #context!: InternalProcessorContext<K, VOut>;
  #table!: TableValueGetter<K, VT>;
  #buffer!: JoinBuffer;

  constructor(spec: StreamTableGraceJoinSpec<K, V, VT, VOut>) {
    this.#spec = spec;
    this.#output.valueDatum = this.#value;
  }

  init(context: ProcessorContext<K, VOut>): void {
    this.#context = internalContext(context);
    this.#table = this.#spec.table.get(context);
    this.#buffer = context.getStateStore<JoinBuffer>(this.#spec.bufferName);
  }

  process(record: Record<K, V>): void {
    const { keyDatum, valueDatum, timestamp } = record;
    if (valueDatum.isNull || (keyDatum.isNull && !this.#spec.leftJoin)) {
      this.#context.recordDropped(valueDatum.isNull ? 'null-value' : 'null-join-key');
      return;
    }
    if (keyDatum.isNull || !this.#wait(record)) {
      if (!this.#join(keyDatum, valueDatum, timestamp)) return;
      this.#output.inheritHeaders(record as Record<unknown, unknown>);
      this.#context.forward(this.#output);
      return;
    }
    this.#buffer.evict(this.#emit);
  }

  /** HeaderSource of a result whose record waited. */
  readHeaders(): Headers {
    return new Headers(this.#keptHeaders);
  }

  #wait(record: Record<K, V>): boolean {
    const { topic: serdeTopic, keySerde, valueSerde } = this.#spec;
    const { topic, partition, offset } = this.#context.recordMetadata() ?? NOWHERE;
    const headers = [...(record.headerEntries() ?? noHeaders)];
    const key = record.keyDatum.binary(keySerde, serdeTopic);
    const value = record.valueDatum.copyBytes(valueSerde, serdeTopic) as Buffer;
    return this.#buffer.put(key, value, { timestampMs: record.timestamp, topic, partition, offset, headers });
  }

  readonly #emit = ({ key, value, context }: BufferedJoinRecord): void => {
    const { topic: serdeTopic, keySerde, valueSerde } = this.#spec;
    this.#keptKey.setBytes(key, 0, key.length, keySerde, serdeTopic, true);
    this.#keptValue.setBytes(value, 0, value.length, valueSerde, serdeTopic, true);
    if (!this.#join(this.#keptKey, this.#keptValue, context.timestampMs)) return;
    this.#keptHeaders = context.headers;
    this.#output.resetHeaders(context.headers.length === 0 ? undefined : this);
    this.#context.forwardFrom(context, this.#output);
  };

  /** Makes the output record; false where there is no result. */
  #join(key: Datum<K>, value: Datum<V>, timestampMs: number): boolean {
    const { joiner, leftJoin } = this.#spec;
    const right = this.#right;
    if (key.isNull) right.setNull();
    else this.#table.readAsOf?.(key, timestampMs, right);
    if (right.isNull && !leftJoin) return false;
    this.#value.setObject(joiner(value.get(), right.get(), key.get()));
    this.#output.keyDatum = key;
    this.#output.timestamp = timestampMs;
    return true;
  }
}
