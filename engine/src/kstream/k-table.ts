import type { Processor } from '../processor/processor.ts';
import type { Serde } from '../serde/serde.ts';
import { type ForeignKeyJoinOptions, joinByForeignKey } from './foreign-key/foreign-key-join.ts';
import { ProcessorGraphNode } from './graph/graph-node.ts';
import type { KGroupedTable } from './k-grouped-table.ts';
import type { KStream } from './k-stream.ts';
import { required, type TableDefinition, type TableLogic } from './operations/definitions.ts';
import { tableStore } from './operations/materialize.ts';
import { suppressed } from './operations/suppress.ts';
import { joinTables } from './operations/table-join.ts';
import {
  type GroupedOptions,
  type NamedOptions,
  readingBack,
  type TableOptions,
  type TransformValuesOptions,
} from './options.ts';
import type { Change } from './processors/table/change.ts';
import {
  TableFilterProcessor,
  TableMapValuesProcessor,
  TableRepartitionMapProcessor,
  type TableSpec,
  type TableStore,
  TableToStreamProcessor,
} from './processors/table/table-processors.ts';
import { TableTransformProcessor, transformGetter } from './processors/table/table-transform-processor.ts';
import {
  filterGetter,
  mapValuesGetter,
  storeGetter,
  type TableValueGetterSupplier,
} from './processors/table/table-value-getter.ts';
import type { ValueTransformerFactory } from './processors/table/value-transformer.ts';
import type { Suppressed } from './windows/suppressed.ts';

/**
 * A table: each record of its stream replaces the value of its key, null deletes it. Kept in a store where the user
 * names one or an operation needs it. Later values win in the order of offsets, whatever their timestamps, unless the
 * table is versioned (`materialized: { historyRetentionMs }`).
 */
export class KTable<K, V> {
  readonly #definition: TableDefinition<K, V>;

  /** @internal Tables come from `StreamsBuilder.table` and from streams. */
  constructor(definition: TableDefinition<K, V>) {
    this.#definition = definition;
  }

  /** @internal */
  get definition(): TableDefinition<K, V> {
    return this.#definition;
  }

  /** Name of the table's store for interactive queries; undefined where the table was given none. */
  get queryableStoreName(): string | undefined {
    return this.#definition.queryableStoreName;
  }

  /**
   * Keeps entries that the predicate is true for; an entry that stops passing is deleted below. The predicate is not
   * asked about deletions.
   */
  filter(predicate: (key: K, value: V) => boolean, options: TableOptions<K, V> = {}): KTable<K, V> {
    return this.#filtered(predicate, true, options);
  }

  /** Keeps entries that the predicate is false for; an entry that it becomes true for is deleted below. */
  filterNot(predicate: (key: K, value: V) => boolean, options: TableOptions<K, V> = {}): KTable<K, V> {
    return this.#filtered(predicate, false, options);
  }

  /** A new value for each entry; deletions stay deletions without a call of the mapper. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, options: TableOptions<K, V2> = {}): KTable<K, V2> {
    const above = this.#definition.logic;
    return this.#derived<V2>(
      'KTABLE-MAPVALUES-',
      options,
      undefined,
      (spec) => new TableMapValuesProcessor(spec, mapper),
      { above, sendsOldValues: false, getter: () => mapValuesGetter(above.valueGetter(), mapper) },
    );
  }

  /**
   * A new value for each entry, computed with the help of stores and punctuators. Unlike `mapValues` it sees deletions, too: what
   * it returns for them becomes the value.
   */
  transformValues<V2>(
    transformer: ValueTransformerFactory<K, V, V2>,
    options: TransformValuesOptions<K, V2> = {},
  ): KTable<K, V2> {
    const above = this.#definition.logic;
    const make = typeof transformer === 'function' ? transformer : () => transformer.get();
    const connected = options.stores ?? [];
    return this.#derived<V2>(
      'KTABLE-TRANSFORMVALUES-',
      options,
      undefined,
      (spec) => new TableTransformProcessor(spec, make()),
      {
        above,
        sendsOldValues: false,
        getter: () => transformGetter(above.valueGetter(), make, connected),
        connected,
      },
    );
  }

  /**
   * A table of what the joiner makes of the values that both tables hold for a key. The result changes with either
   * table and has the later timestamp. Both topics need equal partition counts, else the start throws `TOPOLOGY`.
   * @example
   * ```ts
   * const addresses = builder.table('addresses', { key: string(), value: string() });
   * customers
   *   .join(addresses, (customer, address) => ({ ...customer, address }), { materialized: { name: 'customers-with-address', value: json() } });
   * ```
   */
  join<VO, VOut>(
    other: KTable<K, VO>,
    joiner: (left: V, right: VO) => VOut,
    options?: TableOptions<K, VOut>,
  ): KTable<K, VOut>;
  /**
   * Joins each entry with the entry of another table that its foreign key points to; null points nowhere. Any number of
   * entries may point to one, and partition counts need not match: questions and answers travel through topics of the
   * join's own.
   * @example
   * ```ts
   * builder
   *   .table('orders', { key: string(), value: json<Order>() })
   *   .join(customers, (order) => order.customerId, (order, customer) => ({ ...order, name: customer.name }), {
   *     name: 'customer-of-order',
   *     materialized: { name: 'orders-with-name', value: json() },
   *   });
   * ```
   */
  join<KO, VO, VOut>(
    other: KTable<KO, VO>,
    foreignKey: (value: V, key: K) => NoInfer<KO> | null | undefined,
    joiner: (left: V, right: VO) => VOut,
    options?: ForeignKeyJoinOptions<K, KO, VOut>,
  ): KTable<K, VOut>;
  join(other: unknown, ...rest: readonly unknown[]): unknown {
    return this.#joined(other as KTable<never, never>, rest, 'inner');
  }

  /**
   * Joins two tables as {@link KTable.join} does, with a result for each entry of this table; where the other has none,
   * the joiner gets null.
   */
  leftJoin<VO, VOut>(
    other: KTable<K, VO>,
    joiner: (left: V, right: VO | null) => VOut,
    options?: TableOptions<K, VOut>,
  ): KTable<K, VOut>;
  /**
   * Joins by a foreign key as {@link KTable.join} does, with a result for each entry of this table; where it points
   * nowhere, or to no entry, the joiner gets null.
   */
  leftJoin<KO, VO, VOut>(
    other: KTable<KO, VO>,
    foreignKey: (value: V, key: K) => NoInfer<KO> | null | undefined,
    joiner: (left: V, right: VO | null) => VOut,
    options?: ForeignKeyJoinOptions<K, KO, VOut>,
  ): KTable<K, VOut>;
  leftJoin(other: unknown, ...rest: readonly unknown[]): unknown {
    return this.#joined(other as KTable<never, never>, rest, 'left');
  }

  /**
   * Joins two tables as {@link KTable.join} does, with a result for each key of either table; the joiner gets null for
   * the one without it.
   */
  outerJoin<VO, VOut>(
    other: KTable<K, VO>,
    joiner: (left: V | null, right: VO | null) => VOut,
    options: TableOptions<K, VOut> = {},
  ): KTable<K, VOut> {
    return joinTables<K, V, VO, VOut>(this.#definition, other.definition, joiner, 'outer', options);
  }

  /**
   * The table's updates as a stream under keys that the function selects; deletions are records with a null value. A
   * stateful operation below repartitions.
   */
  toStream<K2>(selector: (key: K, value: V) => K2, options?: NamedOptions): KStream<K2, V>;
  /** The table's updates as a stream; deletions are records with a null value. */
  toStream(options?: NamedOptions): KStream<K, V>;
  toStream(...[first, second]: readonly unknown[]): unknown {
    const selector = typeof first === 'function' ? (first as (key: K, value: V) => unknown) : undefined;
    const options = ((selector === undefined ? first : second) ?? {}) as NamedOptions;
    const { dsl, keySerde, valueSerde, sources } = this.#definition;
    const name = dsl.graph.names.named(options.name, 'KTABLE-TOSTREAM-');
    const node = dsl.graph.add(
      new ProcessorGraphNode(name, [this.#definition.node], { get: () => new TableToStreamProcessor() as never }),
    );
    node.versioned = false;
    const stream = dsl.stream({ dsl, node, keySerde, valueSerde, sources, repartitionRequired: false });
    return selector === undefined ? stream : stream.selectKey(selector);
  }

  /**
   * Groups entries under new keys, through a repartition topic; aggregations below follow updates and deletions. An
   * entry whose new key or value is null takes no part. `options.key` and `options.value` are required, else it throws
   * `TOPOLOGY`.
   */
  groupBy<K2, V2>(
    mapper: (key: K, value: V) => readonly [K2, V2],
    options: GroupedOptions<K2, V2> = {},
  ): KGroupedTable<K2, V2> {
    const { dsl, node: parent, logic } = this.#definition;
    const name = dsl.graph.names.named(options.name, 'KTABLE-SELECT-');
    const keySerde = required(options.key, 'key', 'groupBy');
    const valueSerde = required(options.value, 'value', 'groupBy');
    logic.enableSendingOldValues(true);
    const takesVersions = () => parent.isVersioned;
    const supplier = {
      get: () => new TableRepartitionMapProcessor(name, mapper, keySerde, takesVersions()) as never,
    };
    const node = dsl.graph.add(new ProcessorGraphNode(name, [parent], supplier));
    return dsl.groupedTable({ dsl, node, keySerde, valueSerde, name: options.name });
  }

  /**
   * Holds updates back, so that fewer of them, or only the final result of a window, are passed on. Needs new records
   * to go on: only they move stream time. Throws `TOPOLOGY` below a versioned table, and where windows are waited for
   * and there are none.
   * @example
   * ```ts
   * orders
   *   .groupByKey()
   *   .windowedBy(TimeWindows.ofSizeAndGrace(minuteMs, 10_000))
   *   .count()
   *   .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
   *   .toStream()
   *   .to('changes-per-minute', { key: windowed(string(), minuteMs), value: long() });
   * ```
   */
  suppress(how: Suppressed<K>): KTable<K, V> {
    return suppressed(this.#definition, how);
  }

  #joined(other: KTable<never, never>, rest: readonly unknown[], kind: 'inner' | 'left'): KTable<K, unknown> {
    if (typeof rest[1] === 'function') {
      const [foreignKey, joiner, options = {}] = rest as [never, never, ForeignKeyJoinOptions<K, never, unknown>?];
      return joinByForeignKey(this.#definition, other.definition, foreignKey, joiner, kind === 'left', options);
    }
    const [joiner, options = {}] = rest as [never, TableOptions<K, unknown>?];
    return joinTables(
      this.#definition,
      other.definition as unknown as TableDefinition<K, never>,
      joiner,
      kind,
      options,
    );
  }

  #filtered(predicate: (key: K, value: V) => boolean, wanted: boolean, options: TableOptions<K, V>): KTable<K, V> {
    const above = this.#definition.logic;
    return this.#derived<V>(
      'KTABLE-FILTER-',
      options,
      this.#definition.valueSerde,
      (spec) => new TableFilterProcessor(spec, predicate, wanted),
      {
        above,
        // Where the table above has old values anyway, tombstones for keys that never passed can be left out.
        sendsOldValues: above.enableSendingOldValues(false),
        getter: () => filterGetter(above.valueGetter(), predicate, wanted),
      },
    );
  }

  #derived<V2>(
    prefix: string,
    options: TableOptions<K, V2>,
    inheritedValueSerde: Serde<V2> | undefined,
    make: (spec: TableSpec<K, V2>) => Processor<K, Change<V>, K, Change<V2>>,
    origin: DerivedOrigin<K, V2>,
  ): KTable<K, V2> {
    const { dsl, node: parent, sources } = this.#definition;
    const { names } = dsl.graph;
    const { materialized } = options;
    // Kafka Streams makes a name for the store of an unnamed materialisation, and then doesn't use it.
    if (materialized !== undefined && materialized.name === undefined && origin.connected === undefined) {
      names.storeName(prefix);
    }
    const name = names.named(options.name, prefix);
    const keySerde = readingBack(materialized?.key) ?? this.#definition.keySerde;
    const valueSerde = materialized?.value ?? inheritedValueSerde;
    const storeName = materialized?.name;
    const store =
      storeName === undefined
        ? undefined
        : {
            name: storeName,
            keySerde: required(keySerde, 'key', `materialized '${storeName}'`),
            valueSerde: required(valueSerde, 'value', `materialized '${storeName}'`),
            historyRetentionMs: materialized?.historyRetentionMs,
          };
    const logic = new DerivedLogic(store, origin);
    const spec: TableSpec<K, V2> = {
      store: () => store,
      sendsOldValues: () => logic.sendsOldValues,
      takesVersions: () => parent.isVersioned,
    };
    const own =
      store === undefined ? () => [] : () => [tableStore(store.name, store.keySerde, store.valueSerde, materialized)];
    const stores = { own, connected: origin.connected ?? [] };
    const node = dsl.graph.add(new ProcessorGraphNode(name, [parent], { get: () => make(spec) as never }, stores));
    if (materialized !== undefined) node.versioned = materialized.historyRetentionMs !== undefined;
    return dsl.table({ dsl, node, keySerde, valueSerde, sources, logic, queryableStoreName: storeName });
  }
}

interface DerivedOrigin<K, V> {
  readonly above: { enableSendingOldValues(force: boolean): boolean };
  readonly sendsOldValues: boolean;
  readonly getter: () => TableValueGetterSupplier<K, V>;
  /** `transformValues`: stores of the user. */
  readonly connected?: readonly string[];
}

/** A table computed from another: its values come from its own store, or from the one above. */
class DerivedLogic<K, V> implements TableLogic<K, V> {
  readonly #store: TableStore<K, V> | undefined;
  readonly #origin: DerivedOrigin<K, V>;
  sendsOldValues: boolean;

  constructor(store: TableStore<K, V> | undefined, origin: DerivedOrigin<K, V>) {
    this.#store = store;
    this.#origin = origin;
    this.sendsOldValues = origin.sendsOldValues;
  }

  enableSendingOldValues(force: boolean): boolean {
    if (this.#store !== undefined || this.#origin.above.enableSendingOldValues(force)) this.sendsOldValues = true;
    return this.sendsOldValues;
  }

  valueGetter(): TableValueGetterSupplier<K, V> {
    return this.#store === undefined ? this.#origin.getter() : storeGetter(this.#store);
  }
}
