/** A public class of Kafka Streams whose methods are not all here. Classes that are not listed are complete. */
export interface JavaApiGap {
  readonly where: string;
  readonly missing: string;
  /** What does the same here, or why nothing does. */
  readonly instead: string;
}

/**
 * What Kafka Streams' Javadoc has and this engine does not. Compared class by class with 4.3.1; equals, hashCode,
 * toString and deprecated methods aside. Names that only differ are in the table of `engine/README.md`.
 */
export const javaApiGaps: readonly JavaApiGap[] = [
  {
    where: 'Materialized, StreamJoined',
    missing: 'store suppliers of your own, DslStoreSuppliers, dsl.store.suppliers.class',
    instead:
      '`store: "memory"` or `"persistent"` at each operation; stores of your own make work in processors, by `StoreBuilder`',
  },
  {
    where: 'Stores, TopologyTestDriver',
    missing: '…WithHeaders (KIP-1271)',
    instead: 'not done',
  },
  {
    where: 'KeyValueIterator',
    missing: 'peekNextKey',
    instead: 'they are JavaScript iterators: `for … of`, `next()`',
  },
  {
    where: 'SessionStore',
    missing: 'findSessions(earliestEnd, latestEnd) of all keys',
    instead: '`findSessions(undefined, undefined, earliestEndMs, latestStartMs)`, in the order of keys',
  },
  {
    where: 'TimeWindows, UnlimitedWindows, Window',
    missing: 'windowsFor, overlap',
    instead: '`firstStartMs` answers the first window of a time',
  },
  {
    where: 'ProcessingContext',
    missing: 'keySerde, valueSerde, appConfigsWithPrefix, metrics().addSensor',
    instead: 'there are no default serdes; `config.metrics` counts, gauges and observes under any name',
  },
  {
    where: 'StateStore',
    missing: 'query, getPosition, managesOffsets',
    instead: 'not done (IQ v2)',
  },
  {
    where: 'StreamsBuilder, Topology',
    missing: 'TopologyConfig',
    instead: 'options of `build` and of `Topology`; settings of one topology are those of its instance',
  },
  {
    where: 'KafkaStreams',
    missing:
      'addStreamThread, removeStreamThread, pause, resume, query, metadataForAllStreamsClients, streamsMetadataForStore, allLocalStorePartitionLags, restore and standby listeners, close with leaveGroup',
    instead: '`tasks` and `lag` show this instance; more instances do what more threads would',
  },
  {
    where: 'Serdes',
    missing: 'ByteBuffer, Bytes, Void, List',
    instead: '`bytes()`; a `Serde` is an object with `format`, `serialize` and `deserialize`',
  },
  {
    where: 'MockProcessorContext',
    missing: 'all of it',
    instead: '`TopologyTestDriver` over a topology of one processor',
  },
];
