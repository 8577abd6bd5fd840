import { TopologyError } from '../../base/errors.ts';
import { changeBufferBuilder } from '../../state/buffer/memory-change-buffer.ts';
import { type GraphNode, ProcessorGraphNode } from '../graph/graph-node.ts';
import type { KTable } from '../k-table.ts';
import { SuppressProcessor, type SuppressSpec, suppressGetter } from '../processors/table/suppress-processor.ts';
import type { TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import type { Suppressed } from '../windows/suppressed.ts';
import type { TableDefinition, TableLogic } from './definitions.ts';

/**
 * Adds the node and the buffer of `KTable.suppress`. Throws `TopologyError` below versioned tables, without serdes, and
 * where windows are waited for and none is above.
 */
export function suppressed<K, V>(table: TableDefinition<K, V>, how: Suppressed<K>): KTable<K, V> {
  const { dsl, node: parent, sources } = table;
  const { names } = dsl.graph;
  const { options } = how;
  // Unlike elsewhere, a name that is given uses up no number.
  const name = options.name ?? names.processorName('KTABLE-SUPPRESS-');
  if (parent.isVersioned) {
    throw new TopologyError(
      `Suppression ${name} is below versioned table ${parent.name}, whose changes may be history: keep that table without historyRetentionMs.`,
    );
  }
  const waitMs = how.waitMs ?? closesAfterMs(parent, name);
  const loggingEnabled = options.loggingEnabled ?? true;
  const storeName = options.name === undefined ? names.storeName('KTABLE-SUPPRESS-') : `${options.name}-store`;
  if (options.name === undefined && loggingEnabled) names.implicit.add({ changelog: `${storeName}-changelog` });
  const spec: SuppressSpec<K, V> = {
    storeName,
    keySerde: known(table.keySerde, 'key', name),
    valueSerde: known(table.valueSerde, 'value', name),
    waitMs,
    buffer: how.buffer,
    bufferTimeMs: how.bufferTimeMs,
    dropsDeletions: how.waitMs === undefined,
  };
  // The buffer keeps the value that is visible below while a change is held back.
  table.logic.enableSendingOldValues(true);
  const logic = new SuppressLogic(table.logic, spec);
  const store = changeBufferBuilder({
    name: storeName,
    loggingEnabled,
    loggingConfig: loggingEnabled ? (options.loggingConfig ?? {}) : {},
  });
  const supplier = { get: () => new SuppressProcessor(spec) as never };
  const node = dsl.graph.add(new ProcessorGraphNode(name, [parent], supplier, { own: () => [store] }));
  node.versioned = false;
  const { keySerde, valueSerde } = spec;
  return dsl.table({ dsl, node, keySerde, valueSerde, sources, logic, queryableStoreName: undefined });
}

/** How long after its end a window of this table may still change: the longest of the windowed aggregations above. */
function closesAfterMs(node: GraphNode, name: string): number {
  if (node.closesAfterMs !== undefined) return node.closesAfterMs;
  if (node.parents.length === 0) {
    throw new TopologyError(
      `Suppression ${name} waits until windows close, but ${node.name} above it is not windowed: use it below a windowed aggregation, or Suppressed.untilTimeLimit.`,
    );
  }
  return Math.max(...node.parents.map((parent) => closesAfterMs(parent, name)));
}

function known<T>(serde: T | undefined, side: 'key' | 'value', name: string): T {
  if (serde !== undefined) return serde;
  throw new TopologyError(
    `Suppression ${name} keeps records as bytes and needs their ${side} serde: give the operation above it { materialized: { ${side}: … } }.`,
  );
}

/** A suppressed table has the values of the table above, but for the keys whose changes are held back. */
class SuppressLogic<K, V> implements TableLogic<K, V> {
  readonly #above: TableLogic<K, V>;
  readonly #spec: SuppressSpec<K, V>;

  constructor(above: TableLogic<K, V>, spec: SuppressSpec<K, V>) {
    this.#above = above;
    this.#spec = spec;
  }

  enableSendingOldValues(force: boolean): boolean {
    return this.#above.enableSendingOldValues(force);
  }

  valueGetter(): TableValueGetterSupplier<K, V> {
    return suppressGetter(this.#above.valueGetter(), this.#spec);
  }
}
