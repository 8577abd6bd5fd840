import { TopologyError } from '../../base/errors.ts';
import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import { ProcessorGraphNode } from '../graph/graph-node.ts';
import type { KTable } from '../k-table.ts';
import { type MaterializedOptions, readingBack, type TableOptions } from '../options.ts';
import { TableSourceProcessor } from '../processors/table/table-processors.ts';
import { storeGetter, type TableValueGetterSupplier } from '../processors/table/table-value-getter.ts';
import { required, type StreamDefinition, type TableLogic } from './definitions.ts';
import { tableStore } from './materialize.ts';
import { repartition } from './repartition.ts';

/**
 * The head of a table: kept in a store from the start where the user named one, else from the moment that somebody below needs
 * its values.
 */
export class TableSourceLogic<K, V> implements TableLogic<K, V> {
  readonly #storeName: string;
  readonly #keySerde: Serde<K>;
  readonly #valueSerde: Serde<V> | undefined;
  readonly #materialized: MaterializedOptions<K, V> | undefined;
  #isMaterialized: boolean;
  #sendsOldValues = false;

  constructor(
    storeName: string,
    keySerde: Serde<K>,
    valueSerde: Serde<V> | undefined,
    materialized: MaterializedOptions<K, V> | undefined,
    isMaterialized: boolean,
  ) {
    this.#storeName = storeName;
    this.#keySerde = keySerde;
    this.#valueSerde = valueSerde;
    this.#materialized = materialized;
    this.#isMaterialized = isMaterialized;
  }

  readonly supplier: ProcessorSupplier = {
    get: () =>
      new TableSourceProcessor<K, V>({
        store: () => (this.#isMaterialized ? this.#store : undefined),
        sendsOldValues: () => this.#sendsOldValues,
      }) as never,
  };

  readonly stores = () =>
    this.#isMaterialized ? [tableStore(this.#storeName, this.#keySerde, this.#keptValueSerde, this.#materialized)] : [];

  get isVersioned(): boolean {
    return this.#materialized?.historyRetentionMs !== undefined;
  }

  enableSendingOldValues(force: boolean): boolean {
    if (!force && !this.#isMaterialized) return false;
    this.#isMaterialized = true;
    this.#sendsOldValues = true;
    return true;
  }

  valueGetter(): TableValueGetterSupplier<K, V> {
    this.#isMaterialized = true;
    return storeGetter(this.#store);
  }

  get #store() {
    return {
      name: this.#storeName,
      keySerde: this.#keySerde,
      valueSerde: this.#keptValueSerde,
      historyRetentionMs: this.#materialized?.historyRetentionMs,
    };
  }

  get #keptValueSerde(): Serde<V> {
    if (this.#valueSerde !== undefined) return this.#valueSerde;
    throw new TopologyError(
      `Table store ${this.#storeName} needs a value serde, since an operation keeps the table or looks into it: pass materialized: { value: … } to the operation that made the table.`,
    );
  }
}

/** Adds the node of `KStream.toTable`, and a repartition topic above it where the key may have changed. */
export function streamToTable<K, V>(stream: StreamDefinition<K, V>, options: TableOptions<K, V>): KTable<K, V> {
  const { dsl } = stream;
  const { names } = dsl.graph;
  const { materialized } = options;
  const name = names.named(options.name, 'KSTREAM-TOTABLE-');
  const storeName = names.store(materialized?.name, 'KSTREAM-TOTABLE-', materialized?.loggingEnabled);
  const keySerde = required(readingBack(materialized?.key) ?? stream.keySerde, 'key', 'toTable');
  const valueSerde = required(materialized?.value ?? stream.valueSerde, 'value', 'toTable');
  const above = stream.repartitionRequired
    ? repartition(stream, {
        key: keySerde,
        value: valueSerde,
        topicPrefix: name,
        named: options.name !== undefined,
        operation: 'toTable',
      })
    : stream;
  const logic = new TableSourceLogic(storeName, keySerde, valueSerde, materialized, materialized?.name !== undefined);
  const node = dsl.graph.add(new ProcessorGraphNode(name, [above.node], logic.supplier, { own: logic.stores }));
  node.versioned = logic.isVersioned;
  const queryableStoreName = materialized?.name;
  return dsl.table({ dsl, node, keySerde, valueSerde, sources: above.sources, logic, queryableStoreName });
}
