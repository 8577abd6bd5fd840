import type { Aggregation } from '../processors/aggregate/aggregate-processor.ts';

/** `count`: adds one for each record, without looking at it. */
export function counting<K, V>(): Aggregation<K, V, number> {
  return { initializer: () => 0, aggregator: (_key, _value, count) => count + 1, readsRecord: false };
}

/** `reduce`: the first value is the first aggregate. */
export function reducing<K, V>(reducer: (aggregate: V, value: V) => V | null): Aggregation<K, V, V> {
  return {
    initializer: undefined,
    aggregator: (_key, value, aggregate) => reducer(aggregate, value),
    readsRecord: true,
  };
}

/** `aggregate`: begins with the initializer's value and gives each record to the aggregator. */
export function aggregating<K, V, A>(
  initializer: () => A,
  aggregator: (key: K, value: V, aggregate: A) => A | null,
): Aggregation<K, V, A> {
  return { initializer, aggregator, readsRecord: true };
}
