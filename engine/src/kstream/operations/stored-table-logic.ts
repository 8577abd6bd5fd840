import type { TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import type { TableLogic } from './definitions.ts';

/** Tables that always keep their values in a store of their own: aggregations. */
export class StoredTableLogic<K, V> implements TableLogic<K, V> {
  readonly #getter: TableValueGetterSupplier<K, V>;
  /** Whether somebody below asked for old values; processors ask when the task is made. */
  sendsOldValues = false;

  constructor(getter: TableValueGetterSupplier<K, V>) {
    this.#getter = getter;
  }

  enableSendingOldValues(): boolean {
    this.sendsOldValues = true;
    return true;
  }

  valueGetter(): TableValueGetterSupplier<K, V> {
    return this.#getter;
  }
}
