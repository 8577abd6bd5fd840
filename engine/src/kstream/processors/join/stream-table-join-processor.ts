import { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import type { TableValueGetter, TableValueGetterSupplier } from '../table/table-value-getter.ts';

/** A join of a stream with a table, or a global table. */
export interface StreamTableJoinSpec<K, V, KT, VT, VOut> {
  /** Reads the table's values. */
  readonly table: TableValueGetterSupplier<KT, VT>;
  /** Undefined: the stream's own key. */
  readonly keySelector: ((key: K, value: V) => KT | null | undefined) | undefined;
  /** Makes the result; `right` is null in a left join without a table value. */
  readonly joiner: (left: V, right: VT, key: K) => VOut;
  /** Whether records without a table value have a result. */
  readonly leftJoin: boolean;
}

/**
 * Joins each record with what a table holds at that moment, a versioned one with what it held at the record's time; later updates of
 * the table don't come back to it. The result has the stream record's timestamp.
 *
 * Called by: the task. Invariants: I1 a record without a value is dropped; I2 without a join key it is dropped by `join` and
 * meets null in `leftJoin`.
 */
export class StreamTableJoinProcessor<K, V, KT, VT, VOut> implements Processor<K, V, K, VOut> {
  readonly #spec: StreamTableJoinSpec<K, V, KT, VT, VOut>;
  readonly #selected = new Datum<KT>();
  readonly #right = new Datum<VT>();
  readonly #value = new Datum<VOut>();
  readonly #output = new Record<K, VOut>(null as K, null as VOut, 0);
  readonly #readsKey: boolean;
  #context!: InternalProcessorContext<K, VOut>;
  #table!: TableValueGetter<KT, VT>;

  constructor(spec: StreamTableJoinSpec<K, V, KT, VT, VOut>) {
    this.#spec = spec;
    this.#readsKey = spec.joiner.length !== 2;
    this.#output.valueDatum = this.#value;
  }

  init(context: ProcessorContext<K, VOut>): void {
    this.#context = internalContext(context);
    this.#table = this.#spec.table.get(context);
  }

  process(record: Record<K, V>): void {
    const { leftJoin, joiner } = this.#spec;
    if (record.valueDatum.isNull) {
      this.#context.recordDropped('null-value');
      return;
    }
    const joinKey = this.#joinKey(record);
    const right = this.#right;
    if (joinKey.isNull) {
      if (!leftJoin) {
        this.#context.recordDropped('null-join-key');
        return;
      }
      right.setNull();
    } else if (this.#table.readAsOf !== undefined) this.#table.readAsOf(joinKey, record.timestamp, right);
    else this.#table.read(joinKey, right);
    if (right.isNull && !leftJoin) return;

    const value = this.#readsKey
      ? joiner(record.value, right.get(), record.key)
      : (joiner as (left: V, right: VT) => VOut)(record.value, right.get());
    const output = this.#output;
    this.#value.setObject(value);
    output.keyDatum = record.keyDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }

  close(): void {
    this.#table.close?.();
  }

  #joinKey(record: Record<K, V>): Datum<KT> {
    const { keySelector } = this.#spec;
    if (keySelector === undefined) return record.keyDatum as unknown as Datum<KT>;
    // A left join asks the selector even for a record without a key, as Kafka Streams does from 3.7 on.
    this.#selected.setObject(keySelector(record.key, record.value));
    return this.#selected;
  }
}
