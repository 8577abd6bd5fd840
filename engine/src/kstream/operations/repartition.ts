import { RepartitionNode } from '../graph/graph-node.ts';
import { type GroupedOptions, type ProducedOptions, readingBack } from '../options.ts';
import { KeyFilterProcessor } from '../processors/stream/stateless-processors.ts';
import { OF_GROUPING, required, type StreamDefinition } from './definitions.ts';

const REPARTITION_SUFFIX = '-repartition';
/** Topics whose name is made of a generated one have nodes with generated names; others are named after the topic. */
const GENERATED_NAME = /^KSTREAM.*-[0-9]{10}$/;
const GENERATED_STORE_NAME = /-STATE-STORE-[0-9]{10}$/;

/** What a repartition topic is for, and how it is written. */
export interface RepartitionPlan<K, V> extends ProducedOptions<K, V> {
  /** Name of the topic without `-repartition` and application id. */
  readonly topicPrefix: string;
  /** The user chose the name, here or as that of a store. */
  readonly named: boolean;
  /** The user asked for the topic itself, so the optimiser leaves it alone. */
  readonly isExplicit?: boolean;
  /** The operation that needs the topic, for error messages. */
  readonly operation: string;
  /** The operation whose options have the serdes, where that is another; for error messages. */
  readonly givenTo?: string;
  /** Undefined: the number follows from what the topic is copartitioned with and read from. */
  readonly partitions?: number | undefined;
}

/**
 * Sends a stream through a topic of its own, so that records of one key are in one partition again; through an `existing` one
 * where an operation before made it.
 */
export function repartition<K, V>(
  definition: StreamDefinition<K, V>,
  plan: RepartitionPlan<K, V>,
  existing?: RepartitionNode,
): StreamDefinition<K, V> {
  const { names } = definition.dsl.graph;
  const topic = plan.topicPrefix.endsWith(REPARTITION_SUFFIX)
    ? plan.topicPrefix
    : plan.topicPrefix + REPARTITION_SUFFIX;
  if (!plan.named) names.implicit.add({ repartition: topic });
  // Generated even where they are not used: later numbers depend on it.
  const sink = names.processorName('KSTREAM-SINK-');
  const filter = names.processorName('KSTREAM-FILTER-');
  const source = names.processorName('KSTREAM-SOURCE-');
  const keySerde = required(plan.key ?? definition.keySerde, 'key', plan.operation, plan.givenTo);
  const valueSerde = required(plan.value ?? definition.valueSerde, 'value', plan.operation, plan.givenTo);
  const node =
    existing ??
    definition.dsl.graph.add(
      new RepartitionNode(
        GENERATED_NAME.test(plan.topicPrefix)
          ? { topic, sink, filter, source }
          : { topic, sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` },
        definition.node,
        { key: keySerde, value: valueSerde, partitioner: plan.partitioner } as never,
        () => new KeyFilterProcessor(),
        plan.partitions,
        plan.isExplicit !== true,
      ),
    );
  return { dsl: definition.dsl, node, keySerde, valueSerde, sources: [node], repartitionRequired: false };
}

/**
 * A grouped stream: where its aggregations read from.
 *
 * Owns: the repartition topic, once an aggregation needed it.
 * Called by: `KGroupedStream`, `TimeWindowedKStream`.
 * Invariants: I1 aggregations of one group with a name share its repartition topic; unnamed ones have a topic each, named after
 * their stores, as in Kafka Streams.
 */
export class Grouping<K, V> {
  /** The grouped stream, before a repartition topic. */
  readonly definition: StreamDefinition<K, V>;
  readonly #name: string | undefined;
  #shared: RepartitionNode | undefined;

  constructor(definition: StreamDefinition<K, V>, options: GroupedOptions<K, V>) {
    this.definition = {
      ...definition,
      keySerde: readingBack(options.key) ?? definition.keySerde,
      valueSerde: readingBack(options.value) ?? definition.valueSerde,
    };
    this.#name = options.name;
  }

  /** The stream with records of one key in one partition, for the aggregation that keeps `storeName`. */
  partitioned(storeName: string, operation: string): StreamDefinition<K, V> {
    if (!this.definition.repartitionRequired) return this.definition;
    const topicPrefix = this.#name ?? storeName;
    const named = this.#name !== undefined || !GENERATED_STORE_NAME.test(storeName);
    const shared = this.#shared;
    const partitioned = repartition(this.definition, { topicPrefix, named, operation, givenTo: OF_GROUPING }, shared);
    if (shared !== undefined) this.definition.dsl.graph.touch(shared);
    else if (this.#name !== undefined) this.#shared = partitioned.node as RepartitionNode;
    return partitioned;
  }

  /**
   * The stream with records of one key in one partition, for a cogroup, which has a repartition topic of its own.
   * `before`: what this answered for an earlier aggregation of the cogroup; its topic is used again.
   */
  partitionedForCogroup(storeName: string, before: StreamDefinition<K, V> | undefined): StreamDefinition<K, V> {
    if (!this.definition.repartitionRequired) return this.definition;
    const plan = {
      topicPrefix: this.#name ?? storeName,
      named: this.#name !== undefined || !GENERATED_STORE_NAME.test(storeName),
      operation: 'cogroup',
      givenTo: OF_GROUPING,
    };
    return repartition(this.definition, plan, before?.node as RepartitionNode | undefined);
  }
}
