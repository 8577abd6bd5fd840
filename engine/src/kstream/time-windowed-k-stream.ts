import { TopologyError } from '../base/errors.ts';
import { long } from '../serde/primitives.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { KTable } from './k-table.ts';
import { aggregating, counting, reducing } from './operations/aggregations.ts';
import { OF_GROUPING, required } from './operations/definitions.ts';
import type { Grouping } from './operations/repartition.ts';
import { type AnyTimeWindows, timeForm } from './operations/window-forms.ts';
import { AGGREGATE_PREFIX, burnCountName, REDUCE_PREFIX, windowedTable } from './operations/windowed-aggregation.ts';
import type { AggregateOptions, TableOptions } from './options.ts';
import { EmitStrategy } from './windows/emit-strategy.ts';
import { SlidingWindows } from './windows/sliding-windows.ts';
import { UnlimitedWindows } from './windows/unlimited-windows.ts';

/**
 * A grouped stream in tumbling, hopping, sliding or unlimited windows: one aggregate for each key and window, on event time.
 * Records that come after their window's end plus grace are dropped and counted. Records with a null value take part, except in
 * sliding windows, as in Kafka Streams.
 */
export class TimeWindowedKStream<K, V> {
  readonly #grouping: Grouping<K, V>;
  readonly #windows: AnyTimeWindows;
  #strategy = EmitStrategy.onWindowUpdate();

  /** @internal */
  constructor(grouping: Grouping<K, V>, windows: AnyTimeWindows) {
    this.#grouping = grouping;
    this.#windows = windows;
  }

  /**
   * Whether each update is forwarded (the default) or each window once, when it has closed. Holds for the aggregations
   * that follow. Throws `TOPOLOGY` for unlimited windows, which never close.
   * @example
   * ```ts
   * orders
   *   .groupByKey()
   *   .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(minuteMs, 10_000))
   *   .emitStrategy(EmitStrategy.onWindowClose())
   *   .count()
   *   .toStream()
   *   .to('changes-within-a-minute', { key: windowed(string(), minuteMs), value: long() });
   * ```
   */
  emitStrategy(strategy: EmitStrategy): this {
    if (strategy.kind === 'close' && this.#windows instanceof UnlimitedWindows) {
      throw new TopologyError(
        'emitStrategy(EmitStrategy.onWindowClose()) of unlimited windows would never emit: use TimeWindows or SlidingWindows.',
      );
    }
    this.#strategy = strategy;
    return this;
  }

  /** How many records each key had in each window, as a table by key and window. */
  count(options: TableOptions<K, number> = {}): KTable<Windowed<K>, number> {
    if (!(this.#windows instanceof SlidingWindows)) burnCountName(this.#grouping, options);
    return windowedTable(this.#grouping, {
      prefix: AGGREGATE_PREFIX,
      operation: 'count',
      options,
      defaultValueSerde: () => long(),
      aggregation: counting<K, V>(),
      form: timeForm(this.#windows, options.materialized, this.#strategy),
    });
  }

  /**
   * Folds the values of each key and window into one of the same type; the first stands as it is. A null from the
   * reducer deletes the window.
   */
  reduce(reducer: (aggregate: V, value: V) => V | null, options: TableOptions<K, V> = {}): KTable<Windowed<K>, V> {
    return windowedTable(this.#grouping, {
      prefix: REDUCE_PREFIX,
      operation: 'reduce',
      options,
      defaultValueSerde: () => required(this.#grouping.definition.valueSerde, 'value', 'reduce', OF_GROUPING),
      aggregation: reducing<K, V>(reducer),
      form: timeForm(this.#windows, options.materialized, this.#strategy),
    });
  }

  /**
   * Folds the values of each key and window into an aggregate of any type, beginning with the initializer's. A null
   * from the aggregator deletes the window. `options.value` or `options.materialized.value` gives the aggregate's
   * serde; without it, throws `TOPOLOGY`.
   */
  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A | null,
    options: AggregateOptions<K, A> = {},
  ): KTable<Windowed<K>, A> {
    return windowedTable(this.#grouping, {
      prefix: AGGREGATE_PREFIX,
      operation: 'aggregate',
      options,
      defaultValueSerde: () => required(options.value, 'value', 'aggregate'),
      aggregation: aggregating(initializer, aggregator),
      form: timeForm(this.#windows, options.materialized, this.#strategy),
    });
  }
}
