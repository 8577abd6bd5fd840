import { TopologyError } from '../../base/errors.ts';
import type { Serde } from '../../serde/serde.ts';
import type { BranchedKStream } from '../branched-k-stream.ts';
import type { CogroupedKStream } from '../cogrouped-k-stream.ts';
import type { GraphNode } from '../graph/graph-node.ts';
import type { StreamsGraph } from '../graph/streams-graph.ts';
import type { KGroupedStream } from '../k-grouped-stream.ts';
import type { KGroupedTable } from '../k-grouped-table.ts';
import type { KStream } from '../k-stream.ts';
import type { KTable } from '../k-table.ts';
import type { GroupedOptions, WritingSerde } from '../options.ts';
import type { TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import type { SessionWindowedKStream } from '../session-windowed-k-stream.ts';
import type { TimeWindowedKStream } from '../time-windowed-k-stream.ts';
import type { SessionWindows } from '../windows/session-windows.ts';
import type { Grouping } from './repartition.ts';
import type { AnyTimeWindows } from './window-forms.ts';

/** What all objects of one DSL program share: the graph, and how one kind of object makes another without importing it. */
export interface Dsl {
  /** The nodes of the program. */
  readonly graph: StreamsGraph;
  stream<K, V>(definition: StreamDefinition<K, V>): KStream<K, V>;
  branched<K, V>(definition: StreamDefinition<K, V>, name: string | undefined): BranchedKStream<K, V>;
  groupedStream<K, V>(definition: StreamDefinition<K, V>, grouped: GroupedOptions<K, V>): KGroupedStream<K, V>;
  timeWindowed<K, V>(grouping: Grouping<K, V>, windows: AnyTimeWindows): TimeWindowedKStream<K, V>;
  sessionWindowed<K, V>(grouping: Grouping<K, V>, windows: SessionWindows): SessionWindowedKStream<K, V>;
  cogrouped<K, A>(): CogroupedKStream<K, A>;
  table<K, V>(definition: TableDefinition<K, V>): KTable<K, V>;
  groupedTable<K, V>(definition: GroupedTableDefinition<K, V>): KGroupedTable<K, V>;
}

/** A stream as the DSL knows it. */
export interface StreamDefinition<K, V> {
  /** The program that the stream belongs to. */
  readonly dsl: Dsl;
  /** The node whose output the stream is. */
  readonly node: GraphNode;
  /** Known where the key is still what a serde was given for. */
  readonly keySerde: Serde<K> | undefined;
  /** Known where the value is still what a serde was given for. */
  readonly valueSerde: Serde<V> | undefined;
  /** Nodes whose topics give this stream its partitions. */
  readonly sources: readonly GraphNode[];
  /**
   * Whether the key may have changed since the partitions were made: operations by key then go through a topic first.
   */
  readonly repartitionRequired: boolean;
}

/** What a table can do for the operations below it; tables are materialised only where somebody needs it. */
export interface TableLogic<K, V> {
  /** Makes the table forward old values; with `force` it is materialised for that. Answers whether it will. */
  enableSendingOldValues(force: boolean): boolean;
  /** Materialises the table, or the one above that it is computed from. */
  valueGetter(): TableValueGetterSupplier<K, V>;
}

/** A table as the DSL knows it. */
export interface TableDefinition<K, V> {
  /** The program that the table belongs to. */
  readonly dsl: Dsl;
  /** The node whose changes the table is. */
  readonly node: GraphNode;
  /** Undefined where no serde is known: a materialization below then needs one in its options. */
  readonly keySerde: Serde<K> | undefined;
  /** Undefined where no serde is known, as after `mapValues`. */
  readonly valueSerde: Serde<V> | undefined;
  /** Nodes whose topics give the table its partitions. */
  readonly sources: readonly GraphNode[];
  /** How operations below get old values and read the table. */
  readonly logic: TableLogic<K, V>;
  /** Name for interactive queries; undefined where the user gave none. */
  readonly queryableStoreName: string | undefined;
}

/** A regrouped table: changes under their new keys, not yet repartitioned. */
export interface GroupedTableDefinition<K, V> {
  /** The program that the table belongs to. */
  readonly dsl: Dsl;
  /** The node that forwards changes under their new keys. */
  readonly node: GraphNode;
  /** Of the new keys; undefined: the aggregation needs one in its options. */
  readonly keySerde: Serde<K> | undefined;
  /** Of the new values; undefined: the aggregation needs one in its options. */
  readonly valueSerde: Serde<V> | undefined;
  /** Name for the repartition topic; undefined: it is named after the aggregation's store. */
  readonly name: string | undefined;
}

/** Where aggregations get the serdes of what they aggregate. */
export const OF_GROUPING = 'groupBy or groupByKey';

/** A serde that must be known; the error says in which operation's options to give it. */
export function required<T>(
  serde: Serde<T> | WritingSerde<T> | undefined,
  side: 'key' | 'value',
  operation: string,
  givenTo: string = operation,
): Serde<T> {
  if (serde !== undefined) return serde as Serde<T>;
  throw new TopologyError(
    `${operation} needs a ${side} serde, and that of this ${side} is not known: pass { ${side}: … } in the options of ${givenTo}.`,
  );
}
