import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import type { Windowed } from '../../serde/windowed.ts';
import { ProcessorGraphNode } from '../graph/graph-node.ts';
import type { KTable } from '../k-table.ts';
import { readingBack, type TableOptions } from '../options.ts';
import type { Aggregation } from '../processors/aggregate/aggregate-processor.ts';
import { OF_GROUPING, required } from './definitions.ts';
import type { Grouping } from './repartition.ts';
import { StoredTableLogic } from './stored-table-logic.ts';
import type { WindowForm } from './window-forms.ts';

/** Beginning of the generated names of `count` and `aggregate`, as in Kafka Streams. */
export const AGGREGATE_PREFIX = 'KSTREAM-AGGREGATE-';
/** Beginning of the generated names of `reduce`, as in Kafka Streams. */
export const REDUCE_PREFIX = 'KSTREAM-REDUCE-';

/** One windowed aggregation of a grouped stream. */
export interface WindowedAggregation<K, V, A> {
  /** For generated names. */
  readonly prefix: string;
  /** For error messages: `count`. */
  readonly operation: string;
  /** What the user said about name, store and serdes. */
  readonly options: TableOptions<K, A>;
  /** Asked where the options have no serde for the aggregate; throws `TopologyError` where there is no default. */
  readonly defaultValueSerde: () => Serde<A>;
  /** How an aggregate begins and takes a record. */
  readonly aggregation: Aggregation<K, V, A>;
  /** What is different for each kind of windows. */
  readonly form: WindowForm<K, A>;
}

/** Adds the node of a windowed aggregation and answers its table. */
export function windowedTable<K, V, A>(
  grouping: Grouping<K, V>,
  plan: WindowedAggregation<K, V, A>,
): KTable<Windowed<K>, A> {
  const { prefix, operation, options, aggregation, form } = plan;
  const { dsl } = grouping.definition;
  const { names } = dsl.graph;
  const { materialized } = options;
  const storeName = names.store(materialized?.name, prefix, materialized?.loggingEnabled ?? true);
  const name = names.named(options.name, prefix);
  const keySerde = required(
    readingBack(materialized?.key) ?? grouping.definition.keySerde,
    'key',
    operation,
    OF_GROUPING,
  );
  const valueSerde = materialized?.value ?? plan.defaultValueSerde();
  const windowedSerde = form.keySerde(keySerde);
  const above = grouping.partitioned(storeName, operation);
  const logic = new StoredTableLogic(form.getter(storeName, keySerde, valueSerde));
  const spec = { storeName, keySerde, valueSerde, aggregation, sendsOldValues: () => logic.sendsOldValues };
  const supplier = { get: () => form.processor(spec as never, windowedSerde) } as unknown as ProcessorSupplier;
  // Built now, so that impossible retention fails where the mistake is.
  const store = form.store(storeName, keySerde, valueSerde);
  const node = dsl.graph.add(new ProcessorGraphNode(name, [above.node], supplier, { own: () => [store] }));
  node.closesAfterMs = form.closesAfterMs;
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

/** Kafka Streams uses up a number for a name that it then doesn't use, where `count` has options but its store no name. */
export function burnCountName<K, V>(grouping: Grouping<K, V>, options: TableOptions<K, number>): void {
  const { materialized } = options;
  if (materialized !== undefined && materialized.name === undefined) {
    grouping.definition.dsl.graph.names.storeName(AGGREGATE_PREFIX);
  }
}
