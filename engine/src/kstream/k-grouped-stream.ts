import type { ProcessorSupplier } from '../processor/processor.ts';
import { long } from '../serde/primitives.ts';
import type { Serde } from '../serde/serde.ts';
import type { CogroupedKStream } from './cogrouped-k-stream.ts';
import { ProcessorGraphNode } from './graph/graph-node.ts';
import type { KTable } from './k-table.ts';
import { aggregating, counting, reducing } from './operations/aggregations.ts';
import { OF_GROUPING, required } from './operations/definitions.ts';
import { tableStore } from './operations/materialize.ts';
import type { Grouping } from './operations/repartition.ts';
import { StoredTableLogic } from './operations/stored-table-logic.ts';
import type { AnyTimeWindows } from './operations/window-forms.ts';
import { burnCountName } from './operations/windowed-aggregation.ts';
import { type AggregateOptions, readingBack, type TableOptions } from './options.ts';
import { AggregateProcessor, type Aggregation } from './processors/aggregate/aggregate-processor.ts';
import { storeGetter } from './processors/table/table-value-getter.ts';
import type { SessionWindowedKStream } from './session-windowed-k-stream.ts';
import type { TimeWindowedKStream } from './time-windowed-k-stream.ts';
import { SessionWindows } from './windows/session-windows.ts';

/**
 * A stream grouped by key, from which an aggregation or windows follow. Records without a key or value take no part in
 * aggregations.
 */
export class KGroupedStream<K, V> {
  readonly #grouping: Grouping<K, V>;

  /** @internal */
  constructor(grouping: Grouping<K, V>) {
    this.#grouping = grouping;
  }

  /** @internal */
  get grouping(): Grouping<K, V> {
    return this.#grouping;
  }

  /** Begins a cogroup: other grouped streams join in with aggregators of their own, for one aggregate a key. */
  cogroup<A>(aggregator: (key: K, value: V, aggregate: A) => A | null): CogroupedKStream<K, A> {
    return this.#grouping.definition.dsl.cogrouped<K, A>().cogroup(this, aggregator);
  }

  /**
   * How many records each key had, as a table. Every record updates it, with the highest timestamp so far.
   * @example
   * ```ts
   * orders.groupByKey().count({ materialized: { name: 'changes-of-order' } }).toStream().to('changes', { value: long() });
   * ```
   */
  count(options: TableOptions<K, number> = {}): KTable<K, number> {
    burnCountName(this.#grouping, options);
    return this.#aggregated('KSTREAM-AGGREGATE-', options, () => long(), counting(), 'count');
  }

  /**
   * Folds the values of each key into one of the same type; the first value stands as it is. A null from the reducer
   * deletes the key.
   * @example
   * ```ts
   * orders
   *   .groupBy((_id, order) => order.customerId, { key: string() })
   *   .reduce((largest, order) => (order.amount > largest.amount ? order : largest), { materialized: { name: 'largest-order' } });
   * ```
   */
  reduce(reducer: (aggregate: V, value: V) => V | null, options: TableOptions<K, V> = {}): KTable<K, V> {
    const valueSerde = () => required(this.#grouping.definition.valueSerde, 'value', 'reduce', OF_GROUPING);
    return this.#aggregated('KSTREAM-REDUCE-', options, valueSerde, reducing(reducer), 'reduce');
  }

  /**
   * Folds the values of each key into an aggregate of any type, beginning with the initializer's. A null from the
   * aggregator deletes the key. `options.value` or `options.materialized.value` gives the aggregate's serde; without
   * it, throws `TOPOLOGY`.
   * @example
   * ```ts
   * orders
   *   .groupBy((_id, order) => order.customerId, { key: string() })
   *   .aggregate(
   *     () => ({ orders: 0, amount: 0 }),
   *     (_customer, order, sum) => ({ orders: sum.orders + 1, amount: sum.amount + order.amount }),
   *     { value: json(), materialized: { name: 'turnover' } },
   *   );
   * ```
   */
  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A | null,
    options: AggregateOptions<K, A> = {},
  ): KTable<K, A> {
    const valueSerde = () => required(options.value, 'value', 'aggregate');
    const aggregation = aggregating(initializer, aggregator);
    return this.#aggregated('KSTREAM-AGGREGATE-', options, valueSerde, aggregation, 'aggregate');
  }

  /**
   * One aggregate for each key and window of event time.
   * @example
   * ```ts
   * orders
   *   .groupByKey()
   *   .windowedBy(TimeWindows.ofSizeAndGrace(5 * minuteMs, minuteMs))
   *   .count()
   *   .toStream()
   *   .to('changes-per-window', { key: windowed(string(), 5 * minuteMs), value: long() });
   * ```
   */
  windowedBy(windows: AnyTimeWindows): TimeWindowedKStream<K, V>;
  /** One aggregate for each key and session, a stretch of activity. */
  windowedBy(windows: SessionWindows): SessionWindowedKStream<K, V>;
  windowedBy(windows: AnyTimeWindows | SessionWindows): TimeWindowedKStream<K, V> | SessionWindowedKStream<K, V> {
    const { dsl } = this.#grouping.definition;
    return windows instanceof SessionWindows
      ? dsl.sessionWindowed(this.#grouping, windows)
      : dsl.timeWindowed(this.#grouping, windows);
  }

  #aggregated<A>(
    prefix: string,
    options: TableOptions<K, A>,
    defaultValueSerde: () => Serde<A>,
    aggregation: Aggregation<K, V, A>,
    operation: string,
  ): KTable<K, A> {
    const { dsl } = this.#grouping.definition;
    const { names } = dsl.graph;
    const { materialized } = options;
    const storeName = names.store(materialized?.name, prefix, materialized?.loggingEnabled);
    const name = names.named(options.name, prefix);
    const keySerde = required(
      readingBack(materialized?.key) ?? this.#grouping.definition.keySerde,
      'key',
      operation,
      OF_GROUPING,
    );
    const valueSerde = materialized?.value ?? defaultValueSerde();
    const above = this.#grouping.partitioned(storeName, operation);
    const historyRetentionMs = materialized?.historyRetentionMs;
    const logic = new StoredTableLogic(storeGetter({ name: storeName, keySerde, valueSerde, historyRetentionMs }));
    const spec = { storeName, keySerde, valueSerde, aggregation, sendsOldValues: () => logic.sendsOldValues };
    const supplier = { get: () => new AggregateProcessor(spec) } as unknown as ProcessorSupplier;
    const own = () => [tableStore(storeName, keySerde, valueSerde, materialized)];
    const node = dsl.graph.add(new ProcessorGraphNode(name, [above.node], supplier, { own }));
    node.versioned = historyRetentionMs !== undefined;
    const queryableStoreName = materialized?.name;
    return dsl.table({ dsl, node, keySerde, valueSerde, sources: above.sources, logic, queryableStoreName });
  }
}
