import { TopologyError } from '../../base/errors.ts';
import type { ProcessorSupplier } from '../../processor/processor.ts';
import { joinBufferBuilder } from '../../state/buffer/join-buffer.ts';
import type { StateStore, StoreBuilder } from '../../state/state-store.ts';
import { type GraphNode, StreamTableJoinNode } from '../graph/graph-node.ts';
import type { KStream } from '../k-stream.ts';
import { type JoinedOptions, readingBack } from '../options.ts';
import { StreamTableGraceJoinProcessor } from '../processors/join/stream-table-grace-join-processor.ts';
import { StreamTableJoinProcessor } from '../processors/join/stream-table-join-processor.ts';
import type { TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import { required, type StreamDefinition, type TableDefinition } from './definitions.ts';

/** What kind of join of a stream with a table it is. */
export interface StreamTableJoinPlan<K, V, VT, VOut> {
  /** Makes the result; `right` is null in a left join without a table value. */
  readonly joiner: (left: V, right: VT, key: K) => VOut;
  /** Whether records without a table value have a result. */
  readonly leftJoin: boolean;
  /** Beginning of the node's generated name. */
  readonly prefix: string;
  /** What the user gave: name, serdes, grace. */
  readonly options: JoinedOptions<K, V>;
}

/** `KStream.join` and `leftJoin` with a table, whose keys are in the partitions of the stream's already. */
export function joinStreamTable<K, V, VT, VOut>(
  stream: StreamDefinition<K, V>,
  table: TableDefinition<K, VT>,
  { joiner, leftJoin, prefix, options }: StreamTableJoinPlan<K, V, VT, VOut>,
): KStream<K, VOut> {
  const { dsl } = stream;
  const name = dsl.graph.names.named(options.name, prefix);
  if (table.dsl !== dsl) {
    throw new TopologyError(
      `The stream and the table of join ${name} belong to two StreamsBuilders: make both with one builder.`,
    );
  }
  const getter = table.logic.valueGetter();
  const sources = [...new Set([...stream.sources, ...table.sources])];
  const { graceMs } = options;
  let own: readonly StoreBuilder<StateStore>[] = [];
  let supplier: { get(): unknown };
  if (graceMs === undefined) {
    supplier = { get: () => new StreamTableJoinProcessor({ table: getter, keySelector: undefined, joiner, leftJoin }) };
  } else {
    checkGrace(name, graceMs, table.node, getter);
    const bufferName = `${name}-Buffer`;
    if (options.name === undefined) {
      dsl.graph.names.implicit.add({ store: bufferName, changelog: `${bufferName}-changelog` });
    }
    const keySerde = required(readingBack(options.key) ?? stream.keySerde, 'key', `join '${name}'`);
    const valueSerde = required(readingBack(options.value) ?? stream.valueSerde, 'value', `join '${name}'`);
    own = [joinBufferBuilder({ name: bufferName, graceMs, store: options.store ?? 'persistent' })];
    const spec = { table: getter, joiner, leftJoin, bufferName, topic: name, keySerde, valueSerde };
    supplier = { get: () => new StreamTableGraceJoinProcessor(spec) };
  }
  const storeNames = () => getter.storeNames;
  const node = dsl.graph.add(
    new StreamTableJoinNode(name, [stream.node], supplier as ProcessorSupplier, storeNames, sources, own),
  );
  node.toleratesNullKey = leftJoin;
  return dsl.stream({
    dsl,
    node,
    keySerde: stream.keySerde ?? table.keySerde,
    valueSerde: undefined,
    sources,
    repartitionRequired: false,
  });
}

function checkGrace(
  name: string,
  graceMs: number,
  tableNode: GraphNode,
  getter: TableValueGetterSupplier<never, never>,
): void {
  if (!(graceMs >= 0)) throw new TopologyError(`Join ${name}: graceMs is ${graceMs}; it must be 0 or more.`);
  const { isVersioned = false, historyRetentionMs = 0 } = getter;
  if (!isVersioned || !tableNode.isVersioned) {
    throw new TopologyError(
      `Join ${name} has a grace of ${graceMs} ms, but its table ${tableNode.name} keeps no versions: make the table with materialized: { historyRetentionMs: … } of at least ${graceMs}, or leave graceMs out.`,
    );
  }
  if (historyRetentionMs < graceMs) {
    throw new TopologyError(
      `Join ${name} has a grace of ${graceMs} ms, but its table ${tableNode.name} forgets after ${historyRetentionMs} ms: make its historyRetentionMs ${graceMs} or more.`,
    );
  }
}
