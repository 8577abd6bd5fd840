import type { ProcessorSupplier } from '../processor/processor.ts';
import { long } from '../serde/primitives.ts';
import type { Serde } from '../serde/serde.ts';
import { type Windowed, windowed } from '../serde/windowed.ts';
import { aggregating, counting, reducing } from './aggregations.ts';
import { FixedLogic } from './fixed-logic.ts';
import { ProcessorGraphNode } from './graph/graph-node.ts';
import type { KTable } from './k-table.ts';
import { windowedTableStore } from './materialize.ts';
import type { Aggregation } from './nodes/aggregate-processor.ts';
import { windowStoreGetter } from './nodes/table-value-getter.ts';
import { WindowAggregateProcessor } from './nodes/window-aggregate-processor.ts';
import { type AggregateOptions, readingBack, type TableOptions } from './options.ts';
import { required } from './parts.ts';
import type { Grouping } from './repartition.ts';
import type { TimeWindows } from './windows.ts';

/**
 * A grouped stream in time windows: one aggregate for each key and window, on event time. Records that come after their
 * window's end plus grace are dropped and counted. Records with a null value take part, as in Kafka Streams.
 */
export class TimeWindowedKStream<K, V> {
  readonly #grouping: Grouping<K, V>;
  readonly #windows: TimeWindows;

  /** @internal */
  constructor(grouping: Grouping<K, V>, windows: TimeWindows) {
    this.#grouping = grouping;
    this.#windows = windows;
  }

  count(options: TableOptions<K, number> = {}): KTable<Windowed<K>, number> {
    return this.#aggregated('KSTREAM-AGGREGATE-', options, () => long(), counting(), 'count');
  }

  reduce(reducer: (aggregate: V, value: V) => V | null, options: TableOptions<K, V> = {}): KTable<Windowed<K>, V> {
    const valueSerde = () => required(this.#grouping.parts.valueSerde, 'value', 'reduce');
    return this.#aggregated('KSTREAM-REDUCE-', options, valueSerde, reducing(reducer), 'reduce');
  }

  aggregate<A>(
    initializer: () => A,
    aggregator: (key: K, value: V, aggregate: A) => A | null,
    options: AggregateOptions<K, A> = {},
  ): KTable<Windowed<K>, A> {
    const valueSerde = () => required(options.value, 'value', 'aggregate');
    const aggregation = aggregating(initializer, aggregator);
    return this.#aggregated('KSTREAM-AGGREGATE-', options, valueSerde, aggregation, 'aggregate');
  }

  #aggregated<A>(
    prefix: string,
    options: TableOptions<K, A>,
    defaultValueSerde: () => Serde<A>,
    aggregation: Aggregation<K, V, A>,
    operation: string,
  ): KTable<Windowed<K>, A> {
    const { dsl } = this.#grouping.parts;
    const { names } = dsl.graph;
    const { materialized } = options;
    const storeName = names.store(materialized?.name, prefix, materialized?.loggingEnabled);
    const name = names.named(options.name, prefix);
    const keySerde = required(readingBack(materialized?.key) ?? this.#grouping.parts.keySerde, 'key', operation);
    const valueSerde = materialized?.value ?? defaultValueSerde();
    const windowedSerde = windowed(keySerde, this.#windows.sizeMs);
    const above = this.#grouping.partitioned(storeName, operation);
    const logic = new FixedLogic(windowStoreGetter(storeName, keySerde, valueSerde));
    const spec = { storeName, keySerde, valueSerde, aggregation, sendOldValues: () => logic.sendOldValues };
    const supplier = {
      get: () => new WindowAggregateProcessor(spec, this.#windows, windowedSerde),
    } as unknown as ProcessorSupplier;
    // Built now, so that impossible retention fails where the mistake is.
    const store = windowedTableStore(storeName, keySerde, valueSerde, this.#windows, materialized);
    const node = dsl.graph.add(new ProcessorGraphNode(name, [above.node], supplier, { own: () => [store] }));
    node.closesAfterMs = this.#windows.graceMs;
    return dsl.table({
      dsl,
      node,
      keySerde: windowedSerde,
      valueSerde,
      sources: above.sources,
      logic,
      queryableStoreName: materialized?.name,
    });
  }
}
