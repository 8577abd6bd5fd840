import { StreamsError, TopologyError } from '../../base/errors.ts';
import type { Processor, ProcessorSupplier, StreamPartitioner } from '../../processor/processor.ts';
import { bytes } from '../../serde/primitives.ts';
import type { Serde } from '../../serde/serde.ts';
import { Stores } from '../../state/stores.ts';
import { ProcessorGraphNode } from '../graph/graph-node.ts';
import type { NameProvider } from '../graph/name-provider.ts';
import type { KTable } from '../k-table.ts';
import type { TableDefinition } from '../operations/definitions.ts';
import { TableSourceLogic } from '../operations/table-source.ts';
import { readingBack, type TableOptions } from '../options.ts';
import { type ForeignKeyJoinNames, ForeignKeyJoinNode } from './foreign-key-join-node.ts';
import type { ForeignKeyJoinSpec } from './foreign-key-spec.ts';
import { ForeignTableProcessor } from './foreign-table-processor.ts';
import { type Response, ResponseSerde } from './response.ts';
import { ResponseJoinProcessor } from './response-join-processor.ts';
import { SubscriptionSerde } from './subscription.ts';
import { SubscriptionJoinProcessor } from './subscription-join-processor.ts';
import { SubscriptionReceiveProcessor } from './subscription-receive-processor.ts';
import { SubscriptionSendProcessor } from './subscription-send-processor.ts';

/**
 * Options of foreign-key joins (Java's `TableJoined` and `Materialized`). The name is that of the two topics and of the
 * subscription store, `<applicationId>-<name>-subscription-…`; `materialized.store` is the medium of the subscription
 * store, too.
 */
export interface ForeignKeyJoinOptions<K, KO, VOut> extends TableOptions<K, VOut> {
  /**
   * How this table's topics are partitioned, where it is not by their keys' hash; answers find their way by it. Gets no
   * value. Default: murmur2 of the key's bytes.
   */
  readonly partitioner?: StreamPartitioner<K, null> | undefined;
  /**
   * How the other table's topics are partitioned, where it is not by their keys' hash; questions find their way by it.
   * Entries that point nowhere are not put to it. Gets no value. Default: murmur2 of the key's bytes.
   */
  readonly otherPartitioner?: StreamPartitioner<KO, null> | undefined;
}

/**
 * Adds the nodes, topics and store of `KTable.join` and `leftJoin` by a foreign key. Throws `TopologyError` where a
 * serde is not known.
 */
export function joinByForeignKey<K, V, KO, VO, VOut>(
  left: TableDefinition<K, V>,
  right: TableDefinition<KO, VO>,
  foreignKey: (value: V, key: K) => KO | null | undefined,
  joiner: (left: V, right: VO) => VOut,
  keepsLeft: boolean,
  options: ForeignKeyJoinOptions<K, KO, VOut>,
): KTable<K, VOut> {
  const { graph } = left.dsl;
  // The left side must know where an entry pointed before; the right side sends old values as in Kafka Streams, unused.
  right.logic.enableSendingOldValues(true);
  left.logic.enableSendingOldValues(true);
  const names = namesOf(graph.names, options.name);
  const resultNames = resultNamesOf(graph.names, options);
  const spec = specOf(left, right, { names, foreignKey, keepsLeft });
  const join = graph.add(joinNode(left, right, { names, spec, joiner, options }));
  return resultTable(left, join, resultNames, options.materialized, spec.keySerde);
}

/** What all processors of the join know. */
function specOf<K, V, KO, VO>(
  left: TableDefinition<K, V>,
  right: TableDefinition<KO, VO>,
  given: {
    readonly names: ForeignKeyJoinNames;
    readonly foreignKey: (value: V, key: K) => KO | null | undefined;
    readonly keepsLeft: boolean;
  },
): ForeignKeyJoinSpec<K, V, KO, VO> {
  const keySerde = known(left.keySerde, 'key', 'the left table');
  const valueSerde = known(left.valueSerde, 'value', 'the left table');
  const foreignKeySerde = known(right.keySerde, 'key', 'the right table');
  const foreignValueSerde = known(right.valueSerde, 'value', 'the right table');
  return {
    registrationTopic: given.names.registrationTopic,
    storeName: given.names.store,
    foreignKey: given.foreignKey,
    keepsLeft: given.keepsLeft,
    left: left.logic.valueGetter(),
    right: right.logic.valueGetter(),
    leftIsVersioned: () => left.node.isVersioned,
    rightIsVersioned: () => right.node.isVersioned,
    keySerde,
    valueSerde,
    foreignKeySerde,
    foreignValueSerde,
    subscriptionSerde: new SubscriptionSerde(keySerde, {
      foreignKey: foreignKeySerde as Serde<never>,
      leftValue: valueSerde as Serde<never>,
    }),
  };
}

/** The join itself: its processors, the topics of its questions and answers, and the store of its subscriptions. */
function joinNode<K, V, KO, VO, VOut>(
  left: TableDefinition<K, V>,
  right: TableDefinition<KO, VO>,
  given: {
    readonly names: ForeignKeyJoinNames;
    readonly spec: ForeignKeyJoinSpec<K, V, KO, VO>;
    readonly joiner: (left: V, right: VO) => VOut;
    readonly options: ForeignKeyJoinOptions<K, KO, VOut>;
  },
): ForeignKeyJoinNode {
  const { joiner, names, options, spec } = given;
  const store = options.materialized?.store;
  const subscriptions = Stores.timestampedKeyValueStoreBuilder({
    name: names.store,
    key: bytes(),
    value: spec.subscriptionSerde,
    ...(store === undefined ? {} : { store }),
  });
  return new ForeignKeyJoinNode(names, {
    left: { node: left.node, sources: left.sources, storeNames: () => spec.left.storeNames },
    right: { node: right.node, sources: right.sources, storeNames: () => spec.right.storeNames },
    suppliers: {
      send: supplier(() => new SubscriptionSendProcessor(spec)),
      receive: supplier(() => new SubscriptionReceiveProcessor(spec)),
      join: supplier(() => new SubscriptionJoinProcessor(spec)),
      foreignTable: supplier(() => new ForeignTableProcessor(spec)),
      resolver: supplier(() => new ResponseJoinProcessor(spec, joiner)),
    },
    registration: {
      key: spec.foreignKeySerde,
      value: spec.subscriptionSerde,
      partitioner: withoutValue(options.otherPartitioner),
    } as never,
    response: {
      key: spec.keySerde,
      value: new ResponseSerde(spec.foreignValueSerde),
      partitioner: withoutValue(options.partitioner) ?? toAskingPartition,
    } as never,
    subscriptions: () => [subscriptions],
  });
}

/** Names of the node and of the store that hold the results. */
interface ResultNames {
  readonly node: string;
  readonly store: string;
}

function resultNamesOf<K, VOut>(names: NameProvider, { name, materialized }: TableOptions<K, VOut>): ResultNames {
  const prefix = 'KTABLE-FK-JOIN-OUTPUT-';
  const node = names.suffixed(name, '-result', prefix);
  return { node, store: names.store(materialized?.name, prefix, materialized?.loggingEnabled ?? true) };
}

/** The table of the join's results, materialised where the options say so. */
function resultTable<K, V, VOut>(
  left: TableDefinition<K, V>,
  join: ForeignKeyJoinNode,
  names: ResultNames,
  materialized: TableOptions<K, VOut>['materialized'],
  leftKeySerde: Serde<K>,
): KTable<K, VOut> {
  const { dsl } = left;
  const keySerde = readingBack(materialized?.key) ?? leftKeySerde;
  const valueSerde = materialized?.value;
  const queryableStoreName = materialized?.name;
  const logic = new TableSourceLogic(names.store, keySerde, valueSerde, materialized, queryableStoreName !== undefined);
  const node = dsl.graph.add(new ProcessorGraphNode(names.node, [join], logic.supplier, { own: logic.stores }));
  node.versioned = logic.isVersioned;
  return dsl.table({ dsl, node, keySerde, valueSerde, sources: [...left.sources, join], logic, queryableStoreName });
}

/** In Kafka Streams' order, since each generated name uses up a number. */
function namesOf(names: NameProvider, name: string | undefined): ForeignKeyJoinNames {
  const prefix = 'KTABLE-FK-JOIN-SUBSCRIPTION-';
  const registrationTopic = `${names.suffixed(name, '-subscription-registration', `${prefix}REGISTRATION-`)}-topic`;
  const send = names.suffixed(name, '-subscription-registration-processor', `${prefix}REGISTRATION-`);
  const registrationSink = names.suffixed(name, '-subscription-registration-sink', 'KTABLE-SINK-');
  const registrationSource = names.suffixed(name, '-subscription-registration-source', 'KTABLE-SOURCE-');
  const store = names.suffixed(name, '-subscription-store', `${prefix}STATE-STORE-`);
  const receive = names.suffixed(name, '-subscription-receive', `${prefix}PROCESSOR-`);
  const join = names.suffixed(name, '-subscription-join-foreign', `${prefix}PROCESSOR-`);
  const foreignTable = names.suffixed(name, '-foreign-join-subscription', `${prefix}PROCESSOR-`);
  const responseTopic = `${names.suffixed(name, '-subscription-response', `${prefix}RESPONSE-`)}-topic`;
  const responseSink = names.suffixed(name, '-subscription-response-sink', 'KTABLE-SINK-');
  const responseSource = names.suffixed(name, '-subscription-response-source', 'KTABLE-SOURCE-');
  const resolver = names.suffixed(name, '-subscription-response-resolver', `${prefix}RESPONSE-RESOLVER-PROCESSOR-`);
  return {
    registrationTopic,
    send,
    registrationSink,
    registrationSource,
    store,
    receive,
    join,
    foreignTable,
    responseTopic,
    responseSink,
    responseSource,
    resolver,
  };
}

function supplier<KIn, VIn, KOut, VOut>(get: () => Processor<KIn, VIn, KOut, VOut>): ProcessorSupplier {
  return { get } as unknown as ProcessorSupplier;
}

/** Answers go to the partition that asked: the left table need not be partitioned by its keys' hash. */
const toAskingPartition: StreamPartitioner<unknown, Response<unknown>> = (_topic, _key, response) =>
  response.primaryPartition;

/** Messages of the join have one destination each, so a partitioner that answers several is at fault. */
function withoutValue<K>(
  partitioner: StreamPartitioner<K, null> | undefined,
): StreamPartitioner<K, unknown> | undefined {
  if (partitioner === undefined) return undefined;
  return (topic, key, _message, partitionCount) => {
    // A left entry that points nowhere is sent as well, to any partition: its answer needs no look-up.
    if (key === null) return undefined;
    const partitions = partitioner(topic, key, null, partitionCount);
    if (!Array.isArray(partitions) || partitions.length === 1) return partitions;
    throw new StreamsError(
      `The partitioner of a foreign-key join answered ${partitions.length} partitions of topic ${topic}: it must answer one.`,
      { code: 'PROCESSING', recovery: 'fail' },
    );
  };
}

function known<T>(serde: Serde<T> | undefined, side: 'key' | 'value', table: string): Serde<T> {
  if (serde !== undefined) return serde;
  throw new TopologyError(
    `A foreign-key join needs the ${side} serde of ${table}, and the ${side} has changed since it was read: pass materialized: { ${side}: … } to the operation that made that table.`,
  );
}
