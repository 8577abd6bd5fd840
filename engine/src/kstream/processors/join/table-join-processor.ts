import { Datum } from '../../../processor/datum.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import { Record } from '../../../processor/record.ts';
import { Change } from '../table/change.ts';
import type { TableValueGetter, TableValueGetterSupplier } from '../table/table-value-getter.ts';

/** One side of a table–table join: its own changes meet what the other table holds. */
export interface TableJoinSide<K, V, VO, VOut> {
  /** How the other table is read. */
  readonly other: TableValueGetterSupplier<K, VO>;
  /** This side's value first, whichever side it is. */
  readonly joiner: (own: V, other: VO) => VOut;
  /** Entries of this side have a result when the other table has none for their key. */
  readonly keepsOwn: boolean;
  /** Entries of the other table have a result when this side has none. */
  readonly keepsOther: boolean;
  /** This side's table keeps versions: changes of the past don't join, as in Kafka Streams. */
  readonly ownIsVersioned: () => boolean;
  /** Whether somebody below needs old results; asked when the task is made. */
  readonly sendsOldValues: () => boolean;
}

/**
 * Joins the changes of one table with the values of another. The result has the later of both timestamps.
 *
 * Called by: the task. Invariants: I1 where neither the other table nor the change has a value nothing is sent; I2 where the other
 * table has a value a deletion is sent on each time, even if there was no result before (inner joins), as in Kafka Streams.
 */
export class TableJoinProcessor<K, V, VO, VOut> implements Processor<K, Change<V>, K, Change<VOut>> {
  readonly #side: TableJoinSide<K, V, VO, VOut>;
  readonly #otherDatum = new Datum<VO>();
  readonly #change = new Change<VOut>();
  readonly #output = new Record<K, Change<VOut>>(null as K, this.#change, 0);
  #context!: InternalProcessorContext<K, Change<VOut>>;
  #other!: TableValueGetter<K, VO>;
  #dropsHistory = false;
  #sendsOldValues = false;

  constructor(side: TableJoinSide<K, V, VO, VOut>) {
    this.#side = side;
  }

  init(context: ProcessorContext<K, Change<VOut>>): void {
    this.#context = internalContext(context);
    this.#other = this.#side.other.get(context);
    this.#dropsHistory = this.#side.ownIsVersioned();
    this.#sendsOldValues = this.#side.sendsOldValues();
  }

  process(record: Record<K, Change<V>>): void {
    const { keyDatum } = record;
    const above = record.value;
    if (keyDatum.isNull) {
      this.#context.recordDropped('null-key');
      return;
    }
    if (this.#dropsHistory && !above.isLatest) {
      this.#context.recordDropped('out-of-order-version');
      return;
    }
    const other = this.#otherDatum;
    const otherTimestampMs = this.#other.read(keyDatum, other);
    if (other.isNull) {
      if (!this.#side.keepsOwn || (above.newDatum.isNull && above.oldDatum.isNull)) return;
    }
    this.#join(above.newDatum, other, this.#change.newDatum);
    if (this.#sendsOldValues) this.#join(above.oldDatum, other, this.#change.oldDatum);
    else this.#change.oldDatum.setNull();
    this.#change.isLatest = above.isLatest;

    const output = this.#output;
    output.keyDatum = keyDatum;
    output.timestamp = other.isNull ? record.timestamp : Math.max(record.timestamp, otherTimestampMs);
    output.inheritHeaders(record as Record<unknown, unknown>);
    this.#context.forward(output);
  }

  close(): void {
    this.#other.close?.();
  }

  #join(own: Datum<V>, other: Datum<VO>, into: Datum<VOut>): void {
    const hasResult = own.isNull ? this.#side.keepsOther && !other.isNull : true;
    if (hasResult) into.setObject(this.#side.joiner(own.get(), other.get()));
    else into.setNull();
  }
}

/** What a getter of a join that is not kept computes from. */
export interface JoinedTables<K, V, VO, VOut> {
  /** How the left table is read. */
  readonly left: TableValueGetterSupplier<K, V>;
  /** How the right table is read. */
  readonly right: TableValueGetterSupplier<K, VO>;
  /** The user's function; a value is null where an entry has no partner. */
  readonly joiner: (left: V, right: VO) => VOut;
  /** Whether left entries without a partner have a result. */
  readonly keepsLeft: boolean;
  /** Whether right entries without a partner have a result. */
  readonly keepsRight: boolean;
}

/** Reads a join that is not kept: joins what both tables answer. Never versioned, even where both tables are, as in Kafka Streams. */
export function joinGetter<K, V, VO, VOut>(tables: JoinedTables<K, V, VO, VOut>): TableValueGetterSupplier<K, VOut> {
  const { keepsLeft, keepsRight, joiner } = tables;
  return {
    storeNames: [...new Set([...tables.left.storeNames, ...tables.right.storeNames])],
    get(context) {
      const leftGetter = tables.left.get(context);
      const rightGetter = tables.right.get(context);
      const left = new Datum<V>();
      const right = new Datum<VO>();
      return {
        read(key, into) {
          const leftMs = leftGetter.read(key, left);
          if (left.isNull && !keepsRight) {
            into.setNull();
            return -1;
          }
          const leftIsNull = left.isNull;
          // Decoded before the other table is read: a cache may forward during that read and use these objects again.
          const leftValue = left.get();
          const rightMs = rightGetter.read(key, right);
          if (right.isNull && (leftIsNull || !keepsLeft)) {
            into.setNull();
            return -1;
          }
          into.setObject(joiner(leftValue, right.get()));
          return into.isNull ? -1 : Math.max(leftMs, rightMs);
        },
        close() {
          leftGetter.close?.();
          rightGetter.close?.();
        },
      };
    },
  };
}
