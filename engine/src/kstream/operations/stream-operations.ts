import type { AsyncOperator } from '../../processor/async-operator.ts';
import type { Processor, ProcessorSupplier } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import { AsyncGraphNode, ProcessorGraphNode } from '../graph/graph-node.ts';
import type { KStream } from '../k-stream.ts';
import type { NamedOptions, ProcessOptions } from '../options.ts';
import { PassThroughProcessor } from '../processors/stream/stateless-processors.ts';
import type { StreamDefinition } from './definitions.ts';

// How the operations of a stream are written into the graph, and what is known of the stream below each.

/** A processor's supplier, or simply a function that makes one. */
export type ProcessorFactory<KIn, VIn, KOut, VOut> =
  | ProcessorSupplier<KIn, VIn, KOut, VOut>
  | (() => Processor<KIn, VIn, KOut, VOut>);

/** Adds an operation that changes neither key nor value. */
export function unchanged<K, V>(
  definition: StreamDefinition<K, V>,
  prefix: string,
  options: NamedOptions,
  make: () => Processor<K, V, K, V>,
): KStream<K, V> {
  const node = added(definition, prefix, options, make as () => Processor);
  return definition.dsl.stream({ ...definition, node });
}

/** Adds an operation that changes values; which serde the new ones need is not known. */
export function revalued<K, V, V2>(
  definition: StreamDefinition<K, V>,
  prefix: string,
  options: NamedOptions,
  make: () => Processor<K, V, K, V2>,
): KStream<K, V2> {
  const node = added(definition, prefix, options, make as () => Processor);
  node.changesValue = true;
  return definition.dsl.stream({ ...definition, node, valueSerde: undefined });
}

/** Adds an operation that changes keys: stateful operations below need a repartition topic. */
export function rekeyed<K, V, K2, V2>(
  definition: StreamDefinition<K, V>,
  prefix: string,
  options: NamedOptions,
  make: (name: string) => Processor<K, V, K2, V2>,
  valueSerde: Serde<V2> | undefined,
): KStream<K2, V2> {
  const node = added(definition, prefix, options, make as (name: string) => Processor);
  node.changesKey = true;
  return definition.dsl.stream({ ...definition, node, keySerde: undefined, valueSerde, repartitionRequired: true });
}

function added<K, V>(
  definition: StreamDefinition<K, V>,
  prefix: string,
  options: NamedOptions,
  make: (name: string) => Processor,
): ProcessorGraphNode {
  const { graph } = definition.dsl;
  const name = graph.names.named(options.name, prefix);
  return graph.add(new ProcessorGraphNode(name, [definition.node], { get: () => make(name) }));
}

/** Adds a processor of the user's. */
export function processed<K, V, K2, V2>(
  definition: StreamDefinition<K, V>,
  prefix: string,
  supplier: ProcessorFactory<K, V, unknown, unknown>,
  options: ProcessOptions,
  result: { readonly keySerde: Serde<K2> | undefined; readonly repartitionRequired: boolean },
): KStream<K2, V2> {
  const { dsl, sources } = definition;
  // The one operation whose given name uses up no number in Kafka Streams.
  const name = options.name ?? dsl.graph.names.processorName(prefix);
  const asSupplier = (typeof supplier === 'function' ? { get: supplier } : supplier) as ProcessorSupplier;
  const node = new ProcessorGraphNode(name, [definition.node], asSupplier, { connected: options.stores ?? [] });
  // Nothing is moved across a processor of the user, which Kafka Streams' optimiser does unless it is told not to.
  node.changesValue = true;
  return dsl.stream({ dsl, node: dsl.graph.add(node), valueSerde: undefined, sources, ...result });
}

/** Adds an operation whose results come later. Only `pipe` may change keys. */
export function asynchronous<K, V, K2, V2>(
  definition: StreamDefinition<K, V>,
  prefix: string,
  userName: string | undefined,
  operator: AsyncOperator,
  keySerde: Serde<K2> | undefined,
): KStream<K2, V2> {
  const { dsl, sources, repartitionRequired } = definition;
  const name = dsl.graph.names.named(userName, prefix);
  const node = dsl.graph.add(new AsyncGraphNode(name, definition.node, operator));
  const rekeys = operator.kind === 'pipe';
  node.changesValue = true;
  return dsl.stream({
    dsl,
    node,
    keySerde,
    valueSerde: undefined,
    sources,
    repartitionRequired: repartitionRequired || rekeys,
  });
}

/** Adds the merger of two streams. A serde is known below where both have one of the same format. */
export function merged<K, V>(
  definition: StreamDefinition<K, V>,
  others: StreamDefinition<K, V>,
  options: NamedOptions,
): KStream<K, V> {
  const { dsl, keySerde, valueSerde } = definition;
  const name = dsl.graph.names.named(options.name, 'KSTREAM-MERGE-');
  const node = dsl.graph.add(
    new ProcessorGraphNode(name, [definition.node, others.node], { get: () => new PassThroughProcessor() }),
  );
  node.isMerge = true;
  return dsl.stream({
    dsl,
    node,
    keySerde: keySerde?.format === others.keySerde?.format ? keySerde : undefined,
    valueSerde: valueSerde?.format === others.valueSerde?.format ? valueSerde : undefined,
    sources: [...new Set([...definition.sources, ...others.sources])],
    repartitionRequired: definition.repartitionRequired || others.repartitionRequired,
  });
}
