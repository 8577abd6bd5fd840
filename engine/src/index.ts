// The only public door of the engine. Everything else may change without notice.

export type { Clock, Timer } from './base/clock.ts';
export { systemClock } from './base/clock.ts';
export type {
  AutoOffsetReset,
  ExceptionContext,
  ExceptionHandler,
  StreamsConfig,
  StreamsOptions,
  TopologyOptimization,
  TopologyOptimizationRule,
} from './base/config.ts';
export { ConfigError, defaultStreamsConfig } from './base/default-config.ts';
export type { Disk, FileStatus } from './base/disk.ts';
export type { ErrorCode, Recovery } from './base/errors.ts';
export {
  BrokerError,
  DeserializationError,
  ERROR_CODES,
  SerializationError,
  StreamsError,
  TaskCorruptedError,
  TaskMigratedError,
  TopologyError,
} from './base/errors.ts';
export type { Log, Metrics, MetricTags } from './base/metrics.ts';
export { noMetrics, silentLog } from './base/metrics.ts';
export type { Random } from './base/random.ts';
export { systemRandom } from './base/random.ts';
export type { Header, TopicPartition, TopicPartitionKey } from './base/record-batch.ts';
export { topicPartitionKey } from './base/record-batch.ts';
export { systemDisk } from './base/system-disk.ts';
export type { Broker } from './broker/broker.ts';
export type {
  KafkaStreamsOptions,
  KeyQueryMetadata,
  UncaughtExceptionHandler,
  UncaughtExceptionResponse,
} from './kafka-streams.ts';
export { type BrokerConnectionOptions, connectBroker, KafkaStreams } from './kafka-streams.ts';
export type { BranchedKStream, BranchedOptions } from './kstream/branched-k-stream.ts';
export type { CogroupedKStream } from './kstream/cogrouped-k-stream.ts';
export type { ForeignKeyJoinOptions } from './kstream/foreign-key/foreign-key-join.ts';
export type { GlobalKTable } from './kstream/global-k-table.ts';
export type { BuildOptions } from './kstream/graph/streams-graph.ts';
export type { KGroupedStream } from './kstream/k-grouped-stream.ts';
export type { KGroupedTable } from './kstream/k-grouped-table.ts';
export type { KStream } from './kstream/k-stream.ts';
export type { KTable } from './kstream/k-table.ts';
export type { ProcessorFactory } from './kstream/operations/stream-operations.ts';
export type { JoinStoreOptions, StreamJoinedOptions } from './kstream/operations/stream-stream-join.ts';
export type {
  AggregateOptions,
  ConsumedOptions,
  GroupedOptions,
  JoinedOptions,
  MaterializedOptions,
  NamedOptions,
  PrintedOptions,
  ProcessOptions,
  ProducedOptions,
  RepartitionedOptions,
  TableOptions,
  TransformValuesOptions,
  WritingSerde,
} from './kstream/options.ts';
export type {
  ValueTransformer,
  ValueTransformerContext,
  ValueTransformerFactory,
} from './kstream/processors/table/value-transformer.ts';
export type { SessionWindowedCogroupedKStream } from './kstream/session-windowed-cogrouped-k-stream.ts';
export type { SessionWindowedKStream } from './kstream/session-windowed-k-stream.ts';
export type { TableSourceOptions } from './kstream/streams-builder.ts';
export { StreamsBuilder } from './kstream/streams-builder.ts';
export type { TimeWindowedCogroupedKStream } from './kstream/time-windowed-cogrouped-k-stream.ts';
export type { TimeWindowedKStream } from './kstream/time-windowed-k-stream.ts';
export { EmitStrategy } from './kstream/windows/emit-strategy.ts';
export { JoinWindows } from './kstream/windows/join-windows.ts';
export { SessionWindows } from './kstream/windows/session-windows.ts';
export { SlidingWindows } from './kstream/windows/sliding-windows.ts';
export {
  BufferConfig,
  type StrictBufferConfig,
  Suppressed,
  type SuppressedOptions,
  type WhenFull,
} from './kstream/windows/suppressed.ts';
export { TimeWindows } from './kstream/windows/time-windows.ts';
export { UnlimitedWindows } from './kstream/windows/unlimited-windows.ts';
export { clockScheduler } from './pipeline/clock-scheduler.ts';
export type {
  AsyncItem,
  MapAsyncOptions,
  MicroBatchOptions,
  PipeRecord,
  RetryOptions,
  StreamOperator,
} from './processor/async-operator.ts';
export { Headers } from './processor/headers.ts';
export type {
  Cancellable,
  OffsetStoringSink,
  OutputRecordContext,
  Processor,
  ProcessorContext,
  ProcessorSupplier,
  Punctuation,
  PunctuationType,
  RecordMetadata,
  StreamPartitioner,
  TimestampExtractor,
} from './processor/processor.ts';
export { Record } from './processor/record.ts';
export {
  failOnInvalidTimestamp,
  logAndSkipOnInvalidTimestamp,
  usePartitionTimeOnInvalidTimestamp,
  wallclockTimestampExtractor,
} from './processor/timestamp-extractors.ts';
export type { TopicReaderOptions, TopicRecord } from './query/topic-reader.ts';
export { TopicReader } from './query/topic-reader.ts';
export type { MetricValue } from './runtime/client/metrics-registry.ts';
export type { RestoreProgress } from './runtime/restore/changelog-reader.ts';
export type { AvroOptions, AvroSchema } from './serde/avro.ts';
export { avro } from './serde/avro.ts';
export type { JsonOptions } from './serde/json.ts';
export { json } from './serde/json.ts';
export { MemorySchemaRegistry } from './serde/memory-schema-registry.ts';
export {
  bigLong,
  boolean,
  bytes,
  double,
  float,
  integer,
  long,
  short,
  string,
  uuid,
} from './serde/primitives.ts';
export type { RegisteredSchema, SchemaRegistry } from './serde/schema-registry.ts';
export { SchemaRegistryError } from './serde/schema-registry.ts';
export type { SchemaRegistryClientOptions } from './serde/schema-registry-client.ts';
export { SchemaRegistryClient } from './serde/schema-registry-client.ts';
export type { Serde, SerdeType, SerdeUse } from './serde/serde.ts';
export type { Window, Windowed } from './serde/windowed.ts';
export { sessionWindowed, windowed } from './serde/windowed.ts';
export type {
  AsyncKeyValueIterator,
  AsyncReadOnlyKeyValueStore,
  KeyValue,
  KeyValueIterator,
  KeyValueStore,
  ReadOnlyKeyValueStore,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
} from './state/key-value-store.ts';
export type { AsyncReadOnlySessionStore, ReadOnlySessionStore, SessionStore } from './state/session-store.ts';
export type { StateStore, StoreBuilder } from './state/state-store.ts';
export type {
  LruMapOptions,
  SessionStoreOptions,
  StoreMedium,
  StoreOptions,
  TypedStoreBuilder,
  VersionedStoreOptions,
  WindowStoreOptions,
} from './state/stores.ts';
export { Stores } from './state/stores.ts';
export { NOT_PUT, VALID_TO_UNDEFINED } from './state/versioned/versioned-bytes-store.ts';
export type {
  AsyncReadOnlyVersionedKeyValueStore,
  ReadOnlyVersionedKeyValueStore,
  VersionedKeyValueStore,
  VersionedRecord,
} from './state/versioned-store.ts';
export type {
  AsyncReadOnlyWindowStore,
  ReadOnlyWindowStore,
  TimestampedWindowStore,
  WindowStore,
} from './state/window-store.ts';
export type { ResolvedTopology, SubTopology } from './topology/nodes.ts';
export type {
  GlobalStoreOptions,
  ProcessorWrapper,
  SinkOptions,
  SourceOptions,
  TopicNameExtractor,
  TopologyOptions,
} from './topology/topology.ts';
export { Topology } from './topology/topology.ts';
export type { NodeDescription, SubTopologyDescription } from './topology/topology-description.ts';
export { TopologyDescription } from './topology/topology-description.ts';
