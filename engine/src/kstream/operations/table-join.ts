import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import { TableJoinNode } from '../graph/table-join-node.ts';
import type { KTable } from '../k-table.ts';
import { readingBack, type TableOptions } from '../options.ts';
import {
  type JoinedTables,
  joinGetter,
  TableJoinProcessor,
  type TableJoinSide,
} from '../processors/join/table-join-processor.ts';
import { TableMergeProcessor } from '../processors/join/table-merge-processor.ts';
import type { TableSpec, TableStore } from '../processors/table/table-processors.ts';
import { storeGetter, type TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import { required, type TableDefinition, type TableLogic } from './definitions.ts';
import { tableStore } from './materialize.ts';

/** Which entries a join of two tables has: those of both, of the left one, or of either. */
export type TableJoinKind = 'inner' | 'left' | 'outer';

/** A join as a table: kept where the user said so, else computed from its inputs when somebody asks. */
class JoinLogic<K, V, VO, VOut> implements TableLogic<K, VOut> {
  readonly #inputs: readonly TableLogic<K, never>[];
  readonly #tables: JoinedTables<K, V, VO, VOut>;
  readonly #store: TableStore<K, VOut> | undefined;
  sendsOldValues = false;

  constructor(
    inputs: readonly TableLogic<K, never>[],
    tables: JoinedTables<K, V, VO, VOut>,
    store: TableStore<K, VOut> | undefined,
  ) {
    this.#inputs = inputs;
    this.#tables = tables;
    this.#store = store;
  }

  /** Old results come from old inputs, even where the join is kept. */
  enableSendingOldValues(): boolean {
    for (const input of this.#inputs) input.enableSendingOldValues(true);
    this.sendsOldValues = true;
    return true;
  }

  valueGetter(): TableValueGetterSupplier<K, VOut> {
    return this.#store === undefined ? joinGetter(this.#tables) : storeGetter(this.#store);
  }
}

/** Adds the nodes of `KTable.join`, `leftJoin` and `outerJoin` of tables with equal keys. */
export function joinTables<K, V, VO, VOut>(
  left: TableDefinition<K, V>,
  right: TableDefinition<K, VO>,
  joiner: (left: V, right: VO) => VOut,
  kind: TableJoinKind,
  options: TableOptions<K, VOut>,
): KTable<K, VOut> {
  const { dsl } = left;
  const { names } = dsl.graph;
  const { materialized } = options;
  const storeName = materialized === undefined ? undefined : names.store(materialized.name, 'KTABLE-MERGE-');
  const name = names.named(options.name, 'KTABLE-MERGE-');
  const keepsLeft = kind !== 'inner';
  const keepsRight = kind === 'outer';
  // Without the old value nobody knows whether a deletion has a result to delete.
  if (keepsLeft) left.logic.enableSendingOldValues(true);
  if (keepsRight) right.logic.enableSendingOldValues(true);
  const leftName = names.suffixed(options.name, '-join-this', 'KTABLE-JOINTHIS-');
  const rightName = names.suffixed(options.name, '-join-other', 'KTABLE-JOINOTHER-');

  const keySerde = readingBack(materialized?.key) ?? left.keySerde;
  const valueSerde = materialized?.value;
  const historyRetentionMs = materialized?.historyRetentionMs;
  const store =
    storeName === undefined ? undefined : { ...keptJoin(storeName, keySerde, valueSerde), historyRetentionMs };
  const tables = {
    left: left.logic.valueGetter(),
    right: right.logic.valueGetter(),
    joiner,
    keepsLeft,
    keepsRight,
  };
  const logic = new JoinLogic([left.logic as TableLogic<K, never>, right.logic as TableLogic<K, never>], tables, store);
  const sendsOldValues = () => logic.sendsOldValues;
  const leftSide: TableJoinSide<K, V, VO, VOut> = {
    other: tables.right,
    joiner,
    keepsOwn: keepsLeft,
    keepsOther: keepsRight,
    ownIsVersioned: () => left.node.isVersioned,
    sendsOldValues: sendsOldValues,
  };
  const rightSide: TableJoinSide<K, VO, V, VOut> = {
    other: tables.left,
    joiner: (own, other) => joiner(other, own),
    keepsOwn: keepsRight,
    keepsOther: keepsLeft,
    ownIsVersioned: () => right.node.isVersioned,
    sendsOldValues: sendsOldValues,
  };
  const spec: TableSpec<K, VOut> = { store: () => store, sendsOldValues };
  const sources = [...new Set([...left.sources, ...right.sources])];
  const own =
    store === undefined ? () => [] : () => [tableStore(store.name, store.keySerde, store.valueSerde, materialized)];
  const node = dsl.graph.add(
    new TableJoinNode(
      name,
      {
        name: leftName,
        parent: left.node,
        supplier: { get: () => new TableJoinProcessor(leftSide) } as unknown as ProcessorSupplier,
        storeNames: () => tables.right.storeNames,
      },
      {
        name: rightName,
        parent: right.node,
        supplier: { get: () => new TableJoinProcessor(rightSide) } as unknown as ProcessorSupplier,
        storeNames: () => tables.left.storeNames,
      },
      { get: () => new TableMergeProcessor(spec) } as unknown as ProcessorSupplier,
      own,
      sources,
    ),
  );
  // A join that isn't kept by versions loses them, even where both tables have some.
  node.versioned = historyRetentionMs !== undefined;
  return dsl.table({ dsl, node, keySerde, valueSerde, sources, logic, queryableStoreName: storeName });
}

function keptJoin<K, V>(
  name: string,
  keySerde: Serde<K> | undefined,
  valueSerde: Serde<V> | undefined,
): TableStore<K, V> {
  const operation = `the materialized join '${name}'`;
  return { name, keySerde: required(keySerde, 'key', operation), valueSerde: required(valueSerde, 'value', operation) };
}
