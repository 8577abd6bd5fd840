import type { ProcessorSupplier } from '../processor/processor.ts';
import type { GlobalKTable } from './global-k-table.ts';
import { ProcessorGraphNode, type RepartitionNode } from './graph/graph-node.ts';
import type { JoinWindows } from './join-windows.ts';
import type { KStream } from './k-stream.ts';
import type { KTable } from './k-table.ts';
import type { StreamJoiner } from './nodes/stream-join-spec.ts';
import { StreamTableJoinProcessor } from './nodes/stream-table-join-processor.ts';
import type { JoinedOptions, NamedOptions } from './options.ts';
import type { StreamParts } from './parts.ts';
import { repartition } from './repartition.ts';
import { joinStreams, type StreamJoinedOptions, type StreamJoinKind } from './stream-stream-join.ts';
import { joinStreamTable } from './stream-table-join.ts';

export type JoinableTable<K> = KTable<K, unknown> | GlobalKTable<unknown, unknown>;
type Joiner<K, V> = (left: V, right: unknown, key: K) => never;

/**
 * The joins of one stream: tells the forms of `KStream.join` apart and brings the stream to the partitions that a join needs.
 *
 * Owns: the repartition topic that unnamed joins of the stream share. Called by: KStream.
 * Invariants: I1 a stream whose key is what its partitions were made by is not repartitioned.
 */
export class StreamJoins<K, V> {
  readonly #parts: StreamParts<K, V>;
  /** Made by the last join of a stream with a changed key that needed a new one. */
  #joinRepartition: RepartitionNode | undefined;

  constructor(parts: StreamParts<K, V>) {
    this.#parts = parts;
  }

  /** With another stream. `rest`: joiner, windows and options, as `KStream.join` has them. */
  withStream<VOut>(other: StreamJoins<K, unknown>, rest: readonly unknown[], kind: StreamJoinKind): KStream<K, VOut> {
    type Rest = [StreamJoiner<K, V, unknown, VOut>, JoinWindows, StreamJoinedOptions<K, V, unknown>?];
    const [joiner, windows, options = {}] = rest as Rest;
    const { key, value, otherValue, name } = options;
    const left = this.#copartitioned({ key, value, name: name && `${name}-left` });
    const right = other.#copartitioned({ key, value: otherValue, name: name && `${name}-right` });
    return joinStreams(left, right, joiner, windows, options, kind);
  }

  #copartitioned(options: JoinedOptions<K, V>): StreamParts<K, V> {
    return this.#parts.repartitionRequired ? this.#repartitionForJoin(options) : this.#parts;
  }

  /** With a table, or a global one. `rest`: what follows the table in `KStream.join`. */
  withTable(table: JoinableTable<K>, rest: readonly unknown[], leftJoin: boolean): KStream<K, never> {
    const prefix = leftJoin ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-';
    const { dsl } = this.#parts;
    if ('globalStore' in table) {
      const [keySelector, joiner, options] = rest as [(key: K, value: V) => unknown, Joiner<K, V>, NamedOptions?];
      const getter = table.globalStore;
      // Kafka Streams names both kinds of global join alike.
      const name = dsl.graph.names.named(options?.name, 'KSTREAM-LEFTJOIN-');
      const supplier = {
        get: () => new StreamTableJoinProcessor({ table: getter, keySelector, joiner, leftJoin }),
      };
      const node = dsl.graph.add(new ProcessorGraphNode(name, [this.#parts.node], supplier as ProcessorSupplier));
      node.toleratesNullKey = leftJoin;
      return dsl.stream({ ...this.#parts, node, valueSerde: undefined });
    }
    const [joiner, options = {}] = rest as [Joiner<K, V>, JoinedOptions<K, V>?];
    return joinStreamTable(this.#copartitioned(options), table.parts, { joiner, leftJoin, prefix, options });
  }

  #repartitionForJoin(options: JoinedOptions<K, V>): StreamParts<K, V> {
    const named = options.name !== undefined;
    const topicPrefix = options.name ?? this.#parts.node.name;
    const { key, value } = options;
    const plan = { key, value, topicPrefix, named, operation: 'join' };
    const repartitioned = repartition(this.#parts, plan, named ? undefined : this.#joinRepartition);
    this.#joinRepartition = repartitioned.node as RepartitionNode;
    return repartitioned;
  }
}
