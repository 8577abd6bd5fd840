import { RepartitionNode } from './graph/graph-node.ts';
import { KeyFilterProcessor } from './nodes/stateless-processors.ts';
import { type GroupedOptions, type ProducedOptions, readingBack } from './options.ts';
import { ofGrouping, required, type StreamParts } from './parts.ts';

const repartitionSuffix = '-repartition';
/** Topics whose name is made of a generated one have nodes with generated names; others are named after the topic. */
const generatedName = /^KSTREAM.*-[0-9]{10}$/;
const generatedStoreName = /-STATE-STORE-[0-9]{10}$/;

export interface RepartitionPlan<K, V> extends ProducedOptions<K, V> {
  /** Name of the topic without `-repartition` and application id. */
  readonly topicPrefix: string;
  /** The user chose the name, here or as that of a store. */
  readonly named: boolean;
  /** The user asked for the topic itself, so the optimiser leaves it alone. */
  readonly isExplicit?: boolean;
  /** For error messages: the operation that needs it, and the one whose options have the serdes, where that is another. */
  readonly operation: string;
  readonly givenTo?: string;
  readonly partitions?: number | undefined;
}

/**
 * Sends a stream through a topic of its own, so that records of one key are in one partition again; through an `existing` one
 * where an operation before made it.
 */
export function repartition<K, V>(
  parts: StreamParts<K, V>,
  plan: RepartitionPlan<K, V>,
  existing?: RepartitionNode,
): StreamParts<K, V> {
  const { names } = parts.dsl.graph;
  const topic = plan.topicPrefix.endsWith(repartitionSuffix) ? plan.topicPrefix : plan.topicPrefix + repartitionSuffix;
  if (!plan.named) names.implicit.add({ repartition: topic });
  // Generated even where they are not used: later numbers depend on it.
  const sink = names.processorName('KSTREAM-SINK-');
  const filter = names.processorName('KSTREAM-FILTER-');
  const source = names.processorName('KSTREAM-SOURCE-');
  const keySerde = required(plan.key ?? parts.keySerde, 'key', plan.operation, plan.givenTo);
  const valueSerde = required(plan.value ?? parts.valueSerde, 'value', plan.operation, plan.givenTo);
  const node =
    existing ??
    parts.dsl.graph.add(
      new RepartitionNode(
        generatedName.test(plan.topicPrefix)
          ? { topic, sink, filter, source }
          : { topic, sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` },
        parts.node,
        { key: keySerde, value: valueSerde, partitioner: plan.partitioner } as never,
        () => new KeyFilterProcessor(),
        plan.partitions,
        plan.isExplicit !== true,
      ),
    );
  return { dsl: parts.dsl, node, keySerde, valueSerde, sources: [node], repartitionRequired: false };
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
  readonly parts: StreamParts<K, V>;
  readonly #name: string | undefined;
  #shared: RepartitionNode | undefined;

  constructor(parts: StreamParts<K, V>, options: GroupedOptions<K, V>) {
    this.parts = {
      ...parts,
      keySerde: readingBack(options.key) ?? parts.keySerde,
      valueSerde: readingBack(options.value) ?? parts.valueSerde,
    };
    this.#name = options.name;
  }

  /** The stream with records of one key in one partition, for the aggregation that keeps `storeName`. */
  partitioned(storeName: string, operation: string): StreamParts<K, V> {
    if (!this.parts.repartitionRequired) return this.parts;
    const topicPrefix = this.#name ?? storeName;
    const named = this.#name !== undefined || !generatedStoreName.test(storeName);
    const shared = this.#shared;
    const partitioned = repartition(this.parts, { topicPrefix, named, operation, givenTo: ofGrouping }, shared);
    if (shared !== undefined) this.parts.dsl.graph.touch(shared);
    else if (this.#name !== undefined) this.#shared = partitioned.node as RepartitionNode;
    return partitioned;
  }

  /** The same for a cogroup, which has a repartition topic of its own; it gives what it got `before`. */
  partitionedForCogroup(storeName: string, before: StreamParts<K, V> | undefined): StreamParts<K, V> {
    if (!this.parts.repartitionRequired) return this.parts;
    const plan = {
      topicPrefix: this.#name ?? storeName,
      named: this.#name !== undefined || !generatedStoreName.test(storeName),
      operation: 'cogroup',
      givenTo: ofGrouping,
    };
    return repartition(this.parts, plan, before?.node as RepartitionNode | undefined);
  }
}
