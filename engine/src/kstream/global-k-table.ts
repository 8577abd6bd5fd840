import type { TableValueGetterSupplier } from './processors/table/table-value-getter.ts';

/**
 * A table of which every instance holds all partitions. It is filled before processing starts and kept up without regard to
 * stream time; streams join it by any key, without co-partitioning.
 */
export class GlobalKTable<K, V> {
  /** Name of its store for interactive queries; undefined where the user gave none. */
  readonly queryableStoreName: string | undefined;
  /** @internal */
  readonly globalStore: TableValueGetterSupplier<K, V>;

  /** @internal Made by `StreamsBuilder.globalTable`. */
  constructor(globalStore: TableValueGetterSupplier<K, V>, queryableStoreName: string | undefined) {
    this.globalStore = globalStore;
    this.queryableStoreName = queryableStoreName;
  }
}
