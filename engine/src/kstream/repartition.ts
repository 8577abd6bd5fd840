import { RepartitionNode } from './graph/graph-node.ts';
import { KeyFilterProcessor } from './nodes/stateless-processors.ts';
import type { GroupedOptions, ProducedOptions } from './options.ts';
import { required, type StreamParts } from './parts.ts';

const repartitionSuffix = '-repartition';

export interface RepartitionPlan<K, V> extends ProducedOptions<K, V> {
  /** Name of the topic without `-repartition` and application id. */
  readonly topicPrefix: string;
  /** The user chose the name: nodes are named after the topic. */
  readonly named: boolean;
  /** For error messages: the operation that needs it. */
  readonly operation: string;
  readonly partitions?: number | undefined;
}

/** Sends a stream through a topic of its own, so that records of one key are in one partition again. */
export function repartition<K, V>(parts: StreamParts<K, V>, plan: RepartitionPlan<K, V>): StreamParts<K, V> {
  const { names } = parts.dsl.graph;
  const topic = plan.topicPrefix.endsWith(repartitionSuffix) ? plan.topicPrefix : plan.topicPrefix + repartitionSuffix;
  // Generated even where they are not used: later numbers depend on it.
  const sink = names.processorName('KSTREAM-SINK-');
  const filter = names.processorName('KSTREAM-FILTER-');
  const source = names.processorName('KSTREAM-SOURCE-');
  const keySerde = required(plan.key ?? parts.keySerde, 'key', plan.operation);
  const valueSerde = required(plan.value ?? parts.valueSerde, 'value', plan.operation);
  const node = parts.dsl.graph.add(
    new RepartitionNode(
      plan.named
        ? { topic, sink: `${topic}-sink`, filter: `${topic}-filter`, source: `${topic}-source` }
        : { topic, sink, filter, source },
      parts.node,
      { key: keySerde, value: valueSerde, partitioner: plan.partitioner } as never,
      () => new KeyFilterProcessor(),
      plan.partitions,
    ),
  );
  return { dsl: parts.dsl, node, keySerde, valueSerde, sources: [node], repartitionRequired: false };
}

/** For an aggregation: repartitions where the key has changed, under the group's name or that of the store. */
export function repartitionForGrouping<K, V>(
  parts: StreamParts<K, V>,
  grouped: GroupedOptions<K, V>,
  storeName: string,
  operation: string,
): StreamParts<K, V> {
  if (!parts.repartitionRequired) return parts;
  const topicPrefix = grouped.name ?? storeName;
  return repartition(parts, { topicPrefix, named: grouped.name !== undefined, operation });
}
