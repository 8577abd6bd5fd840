import type { Processor, ProcessorSupplier } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import type { StateStore, StoreBuilder } from '../../state/state-store.ts';
import { CogroupMergeNode } from '../graph/cogroup-merge-node.ts';
import { type GraphNode, ProcessorGraphNode } from '../graph/graph-node.ts';
import type { KTable } from '../k-table.ts';
import { type AggregateOptions, readingBack } from '../options.ts';
import type { AggregateSpec } from '../processors/aggregate/aggregate-processor.ts';
import { PassThroughProcessor } from '../processors/stream/stateless-processors.ts';
import type { TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import { aggregating } from './aggregations.ts';
import { type Dsl, OF_GROUPING, required, type StreamDefinition } from './definitions.ts';
import type { Grouping } from './repartition.ts';
import { StoredTableLogic } from './stored-table-logic.ts';

const AGGREGATE_PREFIX = 'COGROUPKSTREAM-AGGREGATE-';

/** How one input of a cogroup changes the common aggregate. */
type CogroupAggregator<K, A> = (key: K, value: never, aggregate: A) => A | null;

/** What un-windowed and windowed cogroups do differently. `KOut` is the table's key. */
export interface CogroupForm<K, KOut, A> {
  /** How long after its end a window may change, ms; undefined without windows. */
  readonly closesAfterMs: number | undefined;
  /** Serde of the table's keys: that of the group, or of its windows. */
  keySerde(key: Serde<K>): Serde<KOut>;
  /** Builder of the store that all inputs share. Throws `TopologyError` where the retention is too short. */
  store(name: string, key: Serde<K>, value: Serde<A>): StoreBuilder<StateStore>;
  /** How operations below the table read it. */
  getter(name: string, key: Serde<K>, value: Serde<A>): TableValueGetterSupplier<KOut, A>;
  /** A processor that folds one input's records into the store. */
  processor(spec: AggregateSpec<K, never, A>, keySerde: Serde<KOut>): Processor<never, never, never, never>;
}

/**
 * Grouped streams whose records change one aggregate a key.
 *
 * Owns: the inputs, and the repartition topics that its aggregations share.
 * Called by: `CogroupedKStream` and its windowed forms.
 * Invariants: I1 inputs are in the order in which they were first given; I2 each input has one repartition topic at most,
 * however many aggregations there are, as in Kafka Streams.
 */
export class Cogroup<K, A> {
  /** The program that the inputs belong to. */
  readonly dsl: Dsl;
  readonly #inputs = new Map<Grouping<K, never>, CogroupAggregator<K, A>>();
  readonly #partitioned = new Map<Grouping<K, never>, StreamDefinition<K, never>>();

  constructor(dsl: Dsl) {
    this.dsl = dsl;
  }

  /** Adds an input; a grouped stream that is one already gets the new aggregator. */
  add(grouping: Grouping<K, never>, aggregator: CogroupAggregator<K, A>): void {
    this.#inputs.set(grouping, aggregator);
  }

  /**
   * Adds a node for each input, which share a store, and one that puts their changes into one table, and answers that.
   */
  aggregate<KOut>(
    initializer: () => A,
    options: AggregateOptions<K, A>,
    form: CogroupForm<K, KOut, A>,
  ): KTable<KOut, A> {
    const { dsl } = this;
    const { names } = dsl.graph;
    const { materialized } = options;
    const storeName = names.store(materialized?.name, AGGREGATE_PREFIX, materialized?.loggingEnabled);
    const streams = this.#partitionedInputs(storeName);
    const key = required(
      readingBack(materialized?.key) ?? this.#anyKeySerde(),
      'key',
      'aggregate of a cogroup',
      OF_GROUPING,
    );
    const value = required(materialized?.value ?? options.value, 'value', 'aggregate of a cogroup');
    const keySerde = form.keySerde(key);
    const logic = new StoredTableLogic(form.getter(storeName, key, value));
    // One builder for all: that is how the inputs share the store.
    const store = form.store(storeName, key, value);
    const sources = [...new Set(streams.flatMap((stream) => stream.sources))];
    const nodes: GraphNode[] = [];
    for (const [index, aggregator] of [...this.#inputs.values()].entries()) {
      const spec: AggregateSpec<K, never, A> = {
        storeName,
        keySerde: key,
        valueSerde: value,
        aggregation: aggregating(initializer, aggregator),
        sendsOldValues: () => logic.sendsOldValues,
      };
      const supplier = { get: () => form.processor(spec, keySerde) } as unknown as ProcessorSupplier;
      const name = names.suffixed(options.name, `-cogroup-agg-${index}`, AGGREGATE_PREFIX);
      const above = streams[index] as StreamDefinition<K, never>;
      const node = dsl.graph.add(new ProcessorGraphNode(name, [above.node], supplier, { own: () => [store] }));
      node.closesAfterMs = form.closesAfterMs;
      nodes.push(node);
    }
    const mergeName = names.suffixed(options.name, '-cogroup-merge', 'COGROUPKSTREAM-MERGE-');
    const merge = new CogroupMergeNode(mergeName, nodes, { get: () => new PassThroughProcessor() }, sources);
    const queryableStoreName = materialized?.name;
    return dsl.table({
      dsl,
      node: dsl.graph.add(merge),
      keySerde,
      valueSerde: value,
      sources,
      logic,
      queryableStoreName,
    });
  }

  /** The inputs with records of one key in one partition. Numbers are used up at every aggregation. */
  #partitionedInputs(storeName: string): StreamDefinition<K, never>[] {
    return [...this.#inputs.keys()].map((grouping) => {
      const known = this.#partitioned.get(grouping);
      const definition = grouping.partitionedForCogroup(storeName, known);
      this.#partitioned.set(grouping, definition);
      return definition;
    });
  }

  #anyKeySerde(): Serde<K> | undefined {
    for (const grouping of this.#inputs.keys()) {
      if (grouping.definition.keySerde !== undefined) return grouping.definition.keySerde;
    }
    return undefined;
  }
}
