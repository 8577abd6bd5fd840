import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { GlobalKTable } from '../global-k-table.ts';
import { ProcessorGraphNode, type RepartitionNode } from '../graph/graph-node.ts';
import type { KStream } from '../k-stream.ts';
import type { KTable } from '../k-table.ts';
import type { JoinedOptions, NamedOptions } from '../options.ts';
import type { StreamJoiner } from '../processors/join/stream-join-spec.ts';
import { StreamTableJoinProcessor } from '../processors/join/stream-table-join-processor.ts';
import type { JoinWindows } from '../windows/join-windows.ts';
import type { StreamDefinition } from './definitions.ts';
import { repartition } from './repartition.ts';
import { joinStreams, type StreamJoinedOptions, type StreamJoinKind } from './stream-stream-join.ts';
import { joinStreamTable } from './stream-table-join.ts';

/** A table that a stream can be joined with: one in partitions, or one of which every instance holds all. */
export type JoinableTable<K> = KTable<K, unknown> | GlobalKTable<unknown, unknown>;
type Joiner<K, V> = (left: V, right: unknown, key: K) => never;

/**
 * The joins of one stream: tells the forms of `KStream.join` apart and brings the stream to the partitions that a join needs.
 *
 * Owns: the repartition topic that unnamed joins of the stream share. Called by: KStream.
 * Invariants: I1 a stream whose key is what its partitions were made by is not repartitioned.
 */
export class StreamJoins<K, V> {
  readonly #definition: StreamDefinition<K, V>;
  /** Made by the last join of a stream with a changed key that needed a new one. */
  #joinRepartition: RepartitionNode | undefined;

  constructor(definition: StreamDefinition<K, V>) {
    this.#definition = definition;
  }

  /** Joins with another stream. `rest`: joiner, windows and options, as `KStream.join` has them. */
  withStream<VOut>(other: StreamJoins<K, unknown>, rest: readonly unknown[], kind: StreamJoinKind): KStream<K, VOut> {
    type Rest = [StreamJoiner<K, V, unknown, VOut>, JoinWindows, StreamJoinedOptions<K, V, unknown>?];
    const [joiner, windows, options = {}] = rest as Rest;
    const { key, value, otherValue, name } = options;
    const left = this.#copartitioned({ key, value, name: name && `${name}-left` });
    const right = other.#copartitioned({ key, value: otherValue, name: name && `${name}-right` });
    return joinStreams(left, right, joiner, windows, options, kind);
  }

  #copartitioned(options: JoinedOptions<K, V>): StreamDefinition<K, V> {
    return this.#definition.repartitionRequired ? this.#repartitionForJoin(options) : this.#definition;
  }

  /** Joins with a table, or a global one. `rest`: what follows the table in `KStream.join`. */
  withTable(table: JoinableTable<K>, rest: readonly unknown[], leftJoin: boolean): KStream<K, never> {
    const prefix = leftJoin ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-';
    const { dsl } = this.#definition;
    if ('globalStore' in table) {
      const [keySelector, joiner, options] = rest as [(key: K, value: V) => unknown, Joiner<K, V>, NamedOptions?];
      const getter = table.globalStore;
      // Kafka Streams names both kinds of global join alike.
      const name = dsl.graph.names.named(options?.name, 'KSTREAM-LEFTJOIN-');
      const supplier = {
        get: () => new StreamTableJoinProcessor({ table: getter, keySelector, joiner, leftJoin }),
      };
      const node = dsl.graph.add(new ProcessorGraphNode(name, [this.#definition.node], supplier as ProcessorSupplier));
      node.toleratesNullKey = leftJoin;
      return dsl.stream({ ...this.#definition, node, valueSerde: undefined });
    }
    const [joiner, options = {}] = rest as [Joiner<K, V>, JoinedOptions<K, V>?];
    return joinStreamTable(this.#copartitioned(options), table.definition, { joiner, leftJoin, prefix, options });
  }

  #repartitionForJoin(options: JoinedOptions<K, V>): StreamDefinition<K, V> {
    const named = options.name !== undefined;
    const topicPrefix = options.name ?? this.#definition.node.name;
    const { key, value } = options;
    const plan = { key, value, topicPrefix, named, operation: 'join' };
    const repartitioned = repartition(this.#definition, plan, named ? undefined : this.#joinRepartition);
    this.#joinRepartition = repartitioned.node as RepartitionNode;
    return repartitioned;
  }
}
