import { long } from '../serde/primitives.ts';
import type { Windowed } from '../serde/windowed.ts';
import type { KTable } from './k-table.ts';
import { aggregating, counting, reducing } from './operations/aggregations.ts';
import { OF_GROUPING, required } from './operations/definitions.ts';
import type { Grouping } from './operations/repartition.ts';
import { sessionForm } from './operations/window-forms.ts';
import { AGGREGATE_PREFIX, burnCountName, REDUCE_PREFIX, windowedTable } from './operations/windowed-aggregation.ts';
import type { AggregateOptions, TableOptions } from './options.ts';
import { EmitStrategy } from './windows/emit-strategy.ts';
import type { SessionWindows } from './windows/session-windows.ts';

/**
 * A grouped stream in sessions: one aggregate for each key and stretch of activity. A record that connects sessions
 * makes them one: their results are deleted and the new session's follows. Records with a null value take part, as in
 * Kafka Streams.
 * @example
 * ```ts
 * builder
 *   .stream('pageviews', { key: string(), value: string() })
 *   .groupByKey()
 *   .windowedBy(SessionWindows.ofInactivityGapAndGrace(30 * minuteMs, minuteMs))
 *   .aggregate(
 *     () => 0,
 *     (_user, _page, pages) => pages + 1,
 *     (_user, pages, others) => pages + others,
 *     { value: long(), materialized: { name: 'visits' } },
 *   )
 *   .toStream()
 *   .to('visits', { key: sessionWindowed(string()), value: long() });
 * ```
 */
export class SessionWindowedKStream<K, V> {
  readonly #grouping: Grouping<K, V>;
  readonly #windows: SessionWindows;
  #strategy = EmitStrategy.onWindowUpdate();

  /** @internal */
  constructor(grouping: Grouping<K, V>, windows: SessionWindows) {
    this.#grouping = grouping;
    this.#windows = windows;
  }

  /**
   * Whether each update is forwarded (the default) or each session once, when it has closed. Holds for the aggregations
   * that follow.
   */
  emitStrategy(strategy: EmitStrategy): this {
    this.#strategy = strategy;
    return this;
  }

  /** How many records each session has, as a table by key and session. */
  count(options: TableOptions<K, number> = {}): KTable<Windowed<K>, number> {
    burnCountName(this.#grouping, options);
    const add = (_key: K, count: number, other: number) => count + other;
    return windowedTable(this.#grouping, {
      prefix: AGGREGATE_PREFIX,
      operation: 'count',
      options,
      defaultValueSerde: () => long(),
      aggregation: counting<K, V>(),
      form: sessionForm(this.#windows, add, options.materialized, this.#strategy),
    });
  }

  /**
   * Folds the values of each session into one of the same type; the reducer also makes one of two sessions' aggregates.
   * A null from it deletes the session.
   */
  reduce(reducer: (aggregate: V, value: V) => V | null, options: TableOptions<K, V> = {}): KTable<Windowed<K>, V> {
    const merge = (_key: K, aggregate: V, other: V) => (aggregate === null ? other : reducer(aggregate, other));
    return windowedTable(this.#grouping, {
      prefix: REDUCE_PREFIX,
      operation: 'reduce',
      options,
      defaultValueSerde: () => required(this.#grouping.definition.valueSerde, 'value', 'reduce', OF_GROUPING),
      aggregation: reducing<K, V>(reducer),
      form: sessionForm(this.#windows, merge, options.materialized, this.#strategy),
    });
  }

  /**
   * Folds the values of each session into an aggregate of any type. `merger` makes one aggregate of two: of what was
   * gathered so far, the initializer's at first, and that of the next session, by ascending end. The record comes last.
   * `options.value` or `options.materialized.value` gives the aggregate's serde; without it, throws `TOPOLOGY`.
   */
  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A | null,
    merger: (key: K, aggregate: A, other: A) => A | null,
    options: AggregateOptions<K, A> = {},
  ): KTable<Windowed<K>, A> {
    return windowedTable(this.#grouping, {
      prefix: AGGREGATE_PREFIX,
      operation: 'aggregate',
      options,
      defaultValueSerde: () => required(options.value, 'value', 'aggregate'),
      aggregation: aggregating(initializer, aggregator),
      form: sessionForm(this.#windows, merger, options.materialized, this.#strategy),
    });
  }
}
