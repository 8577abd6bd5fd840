import { internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import { Change } from '../table/change.ts';
import { TableForwarder } from '../table/table-forwarder.ts';
import { OpenTableStore, type TableSpec } from '../table/table-processors.ts';

/**
 * Where the two sides of a table–table join meet: keeps their results where the join is materialised and sends them on.
 *
 * Called by: the task. Invariants: I1 the old value is what the join had before by its inputs, not what the store holds.
 */
export class TableMergeProcessor<K, V> implements Processor<K, Change<V>, K, Change<V>> {
  readonly #spec: TableSpec<K, V>;
  readonly #change = new Change<V>();
  readonly #output = new Record<K, Change<V>>(null as K, this.#change, 0);
  #store: OpenTableStore<K, V> | undefined;
  #forwarder!: TableForwarder<K, V>;

  constructor(spec: TableSpec<K, V>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<K, Change<V>>): void {
    const store = this.#spec.store();
    this.#store = store === undefined ? undefined : new OpenTableStore(context, store);
    this.#forwarder = new TableForwarder(internalContext(context), this.#store, this.#spec.sendsOldValues());
  }

  process(record: Record<K, Change<V>>): void {
    const above = record.value;
    const change = this.#change;
    change.newDatum = above.newDatum;
    change.oldDatum = above.oldDatum;
    change.isLatest = above.isLatest;
    if (this.#store !== undefined && !this.#store.write(record.keyDatum, change, record.timestamp)) return;
    const output = this.#output;
    output.keyDatum = record.keyDatum;
    output.timestamp = record.timestamp;
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#forwarder.maybeForward(output);
  }
}
