import type { ProcessorSupplier } from '../processor/processor.ts';
import { long } from '../serde/primitives.ts';
import type { Serde } from '../serde/serde.ts';
import { ProcessorGraphNode, RepartitionNode } from './graph/graph-node.ts';
import type { KTable } from './k-table.ts';
import { type GroupedTableDefinition, required } from './operations/definitions.ts';
import { tableStore } from './operations/materialize.ts';
import { StoredTableLogic } from './operations/stored-table-logic.ts';
import { type AggregateOptions, readingBack, type TableOptions } from './options.ts';
import { TableAggregateProcessor, type TableAggregateSpec } from './processors/aggregate/table-aggregate-processor.ts';
import { KeyFilterProcessor } from './processors/stream/stateless-processors.ts';
import { ChangeSerde } from './processors/table/change-serde.ts';
import { storeGetter } from './processors/table/table-value-getter.ts';

/** How a changed table is folded: what comes in and what goes out. */
type TableFold<K, V, A> = Pick<TableAggregateSpec<K, V, A>, 'initializer' | 'adder' | 'subtractor'>;

/**
 * A table grouped under new keys. Aggregations follow its updates: the subtractor takes the old value of an entry out,
 * the adder puts the new one in. An entry that moves to another group is sent to its old group first.
 */
export class KGroupedTable<K, V> {
  readonly #definition: GroupedTableDefinition<K, V>;

  /** @internal */
  constructor(definition: GroupedTableDefinition<K, V>) {
    this.#definition = definition;
  }

  /**
   * How many entries each group has, as a table. A group that loses its last entry stays, with 0.
   * @example
   * ```ts
   * customers
   *   .groupBy((id, customer) => [customer.region, id], { key: string(), value: string(), name: 'by-region' })
   *   .count({ materialized: { name: 'customers-of-region' } });
   * ```
   */
  count(options: TableOptions<K, number> = {}): KTable<K, number> {
    const fold: TableFold<K, V, number> = {
      initializer: () => 0,
      adder: (_key, _value, count) => count + 1,
      subtractor: (_key, _value, count) => count - 1,
    };
    return this.#aggregated('KTABLE-AGGREGATE-', options, () => long(), fold, 'count');
  }

  /**
   * Folds the entries of each group into one value of their type; the first entry stands as it is. Null from either
   * function deletes the group.
   */
  reduce(
    adder: (aggregate: V, value: V) => V | null,
    subtractor: (aggregate: V, value: V) => V | null,
    options: TableOptions<K, V> = {},
  ): KTable<K, V> {
    const valueSerde = () => required(this.#definition.valueSerde, 'value', 'reduce');
    const fold: TableFold<K, V, V> = {
      initializer: undefined,
      adder: (_key, value, aggregate) => adder(aggregate, value),
      subtractor: (_key, value, aggregate) => subtractor(aggregate, value),
    };
    return this.#aggregated('KTABLE-REDUCE-', options, valueSerde, fold, 'reduce');
  }

  /**
   * Folds the entries of each group into an aggregate of any type, beginning with the initializer's. Null from either
   * function deletes the group. `options.value` or `options.materialized.value` gives the aggregate's serde; without
   * it, throws `TOPOLOGY`.
   * @example
   * ```ts
   * builder
   *   .table('orders', { key: string(), value: json<Order>() })
   *   .groupBy((_id, order) => [order.customerId, order.amount], { key: string(), value: double(), name: 'by-customer' })
   *   .aggregate(
   *     () => 0,
   *     (_customer, amount, total) => total + amount,
   *     (_customer, amount, total) => total - amount,
   *     { value: double(), materialized: { name: 'open-amount' } },
   *   );
   * ```
   */
  aggregate<A>(
    initializer: () => A,
    adder: (key: K, value: V, aggregate: A) => A | null,
    subtractor: (key: K, value: V, aggregate: A) => A | null,
    options: AggregateOptions<K, A> = {},
  ): KTable<K, A> {
    const valueSerde = () => required(options.value, 'value', 'aggregate');
    return this.#aggregated('KTABLE-AGGREGATE-', options, valueSerde, { initializer, adder, subtractor }, 'aggregate');
  }

  #aggregated<A>(
    prefix: string,
    options: TableOptions<K, A>,
    defaultValueSerde: () => Serde<A>,
    fold: TableFold<K, V, A>,
    operation: string,
  ): KTable<K, A> {
    const { dsl, node: parent } = this.#definition;
    const { names } = dsl.graph;
    const { materialized } = options;
    // Kafka Streams names the store of a reduce like that of an aggregate.
    const storeName = names.store(materialized?.name, 'KTABLE-AGGREGATE-', materialized?.loggingEnabled);
    const sink = names.suffixed(options.name, '-sink', 'KSTREAM-SINK-');
    const source = names.suffixed(options.name, '-source', 'KSTREAM-SOURCE-');
    const name = names.named(options.name, prefix);
    const groupKeySerde = required(this.#definition.keySerde, 'key', operation);
    const changeSerde = new ChangeSerde(required(this.#definition.valueSerde, 'value', operation));
    const keySerde = readingBack(materialized?.key) ?? groupKeySerde;
    const valueSerde = materialized?.value ?? defaultValueSerde();

    const topic = `${this.#definition.name ?? storeName}-repartition`;
    const repartition = dsl.graph.add(
      new RepartitionNode(
        { topic, sink, source, filter: undefined },
        parent,
        { key: groupKeySerde, value: changeSerde } as never,
        () => new KeyFilterProcessor(),
        undefined,
      ),
    );
    const historyRetentionMs = materialized?.historyRetentionMs;
    const logic = new StoredTableLogic(storeGetter({ name: storeName, keySerde, valueSerde, historyRetentionMs }));
    const spec = { storeName, keySerde, valueSerde, ...fold, sendsOldValues: () => logic.sendsOldValues };
    const supplier = { get: () => new TableAggregateProcessor(spec) } as unknown as ProcessorSupplier;
    const own = () => [tableStore(storeName, keySerde, valueSerde, materialized)];
    const node = dsl.graph.add(new ProcessorGraphNode(name, [repartition], supplier, { own }));
    node.versioned = historyRetentionMs !== undefined;
    const queryableStoreName = materialized?.name;
    return dsl.table({ dsl, node, keySerde, valueSerde, sources: [repartition], logic, queryableStoreName });
  }
}
