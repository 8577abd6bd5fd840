import type { Record } from '../../../processor/record.ts';
import type { Change } from '../table/change.ts';
import type { Aggregation } from './aggregate-processor.ts';

/** Puts the initializer's aggregate in the place of the old one; nothing for `reduce`, which has none. */
export function startFold<K, V, A>(aggregation: Aggregation<K, V, A>, change: Change<A>): void {
  const { initializer } = aggregation;
  if (initializer === undefined) change.oldDatum.setNull();
  else change.oldDatum.setObject(initializer());
}

/** The new aggregate from the old one and a record; for `reduce` without an old one, the record's value as it is. */
export function fold<K, V, A>(aggregation: Aggregation<K, V, A>, record: Record<K, V>, change: Change<A>): void {
  const { newDatum, oldDatum } = change;
  const { initializer, aggregator, readsRecord } = aggregation;
  if (initializer === undefined && oldDatum.isNull) {
    newDatum.setObject(record.value as unknown as A);
    return;
  }
  const before = oldDatum.get();
  newDatum.setObject(
    readsRecord
      ? aggregator(record.key, record.value, before)
      : (aggregator as (key: undefined, value: undefined, aggregate: A) => A | null)(undefined, undefined, before),
  );
}
