import type { RecordBatch, TopicPartition, TopicPartitionKey } from '../base/record-batch.ts';

/**
 * The engine's door to Kafka. It speaks batches and buffers, never single messages. One contract suite holds for all
 * adapters (`test/contract/broker.ts`): memory and wire.
 *
 * Errors: every rejection is a `BrokerError` (or a `StreamsError` with `recovery: 'migrate'` for fenced and unknown members).
 * Retriable errors are retried inside the adapter with backoff and a deadline; what leaves it is final for that call.
 */
export interface Broker {
  admin(): BrokerAdmin;
  /** A consumer with manual assignment: restore, global stores, readers; also the fetching half of a group consumer. */
  consumer(options: ConsumerOptions): BrokerConsumer;
  /** A consumer whose assignment a group decides. It joins when `group.join` is called. */
  groupConsumer(options: GroupConsumerOptions): BrokerGroupConsumer;
  producer(options: ProducerOptions): BrokerProducer;
  close(): Promise<void>;
}

export interface ConsumerOptions {
  readonly clientId: string;
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed';
  /** Upper bound of one fetch answer, bytes. */
  readonly fetchBytesMax?: number;
  readonly partitionFetchBytesMax?: number;
  /** Longest time the broker holds an empty fetch back, ms. */
  readonly fetchWaitMs?: number;
}

/** What one fetch brought for one partition. `batches` may be empty while `nextOffset` advances (control records, aborts). */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly batches: readonly RecordBatch[];
  /** The consumer's position after this fetch. */
  readonly nextOffset: number;
  /** End of the log as of this fetch (last stable offset under read_committed); lag = endOffset - nextOffset. */
  readonly endOffset: number;
  /** Set when the position lies outside the log: the runtime decides (reset policy, or wipe and restore). */
  readonly error?: Error;
}

/**
 * Owns fetch positions. The next fetch of a broker is in flight while the last is being processed; a paused partition is
 * left out of the next fetch and what an already sent fetch brings for it is kept inside, not lost.
 */
export interface BrokerConsumer {
  /** Replaces the assignment. A position of -1 or an absent one must be given by `seek` before `poll`. */
  assign(positions: readonly (TopicPartition & { offset: number })[]): void;
  /** Adds to or removes from the assignment without disturbing the others. */
  add(positions: readonly (TopicPartition & { offset: number })[]): void;
  remove(partitions: readonly TopicPartition[]): void;
  assignment(): readonly TopicPartition[];
  seek(partition: TopicPartition, offset: number): void;
  /** Offset of the next record that `poll` will hand over. */
  position(partition: TopicPartition): number;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** End offset as of the last fetch; undefined until one answered: "lag unknown". */
  knownEndOffset(partition: TopicPartition): number | undefined;
  /** What has arrived; waits up to `timeoutMs` when nothing has. Returns at once after `wakeup`. One poll at a time. */
  poll(timeoutMs: number): Promise<readonly FetchedPartition[]>;
  /** Synchronous form for the hot loop: what has already arrived, or an empty list. */
  take(): readonly FetchedPartition[];
  wakeup(): void;
  close(): Promise<void>;
}

export interface OffsetAndMetadata {
  readonly offset: number;
  readonly metadata: string;
  readonly leaderEpoch?: number;
}

export interface GroupConsumerOptions extends ConsumerOptions {
  readonly groupId: string;
  /** Static membership. */
  readonly groupInstanceId?: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly assignor: GroupAssignor;
  readonly listener: RebalanceListener;
}

export interface GroupMemberSubscription {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly ownedPartitions: readonly TopicPartition[];
  readonly userData: Buffer;
}

export interface GroupMemberAssignment {
  readonly partitions: readonly TopicPartition[];
  readonly userData: Buffer;
}

/** The runtime's half of the group protocol: what is subscribed, and who gets what (run on the leader only). */
export interface GroupAssignor {
  readonly name: string;
  /** `cooperative` keeps partitions that stay; `eager` revokes all before each join. */
  readonly protocol: 'eager' | 'cooperative';
  topics(): readonly string[];
  userData(): Buffer;
  assign(
    members: readonly GroupMemberSubscription[],
    partitionCounts: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, GroupMemberAssignment> | Promise<ReadonlyMap<string, GroupMemberAssignment>>;
}

/** Awaited: the group goes on only when the runtime has finished. Heartbeats continue meanwhile. */
export interface RebalanceListener {
  onPartitionsRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  onPartitionsAssigned(partitions: readonly TopicPartition[], userData: Buffer): Promise<void>;
  /** The member was fenced or timed out: somebody else may own them already, nothing may be committed. */
  onPartitionsLost(partitions: readonly TopicPartition[]): Promise<void>;
  /** An error that ends membership (e.g. authorization). */
  onError(error: Error): void;
}

/**
 * What a member of a group fetches, and its membership. The group adds partitions to `records` without a position, before
 * `onPartitionsAssigned` runs: the listener reads committed offsets and seeks; until then they are not fetched. It removes
 * them when the listener has finished with their revocation.
 */
export interface BrokerGroupConsumer {
  /** Fetches what is assigned. Only the group adds, removes and closes. */
  readonly records: BrokerConsumer;
  readonly group: GroupMembership;
  /** Revokes what is owned, while it can still be fetched and committed; leaves the group, then ends fetching. */
  close(): Promise<void>;
}

/** Membership in a group. Heartbeats and rejoining run by themselves between `join` and the consumer's `close`. */
export interface GroupMembership {
  /** Resolves with the first assignment (after `onPartitionsAssigned` has finished). */
  join(): Promise<void>;
  /** Asks for a new rebalance, e.g. when subscription or user data changed. */
  rejoin(): void;
  /** Rejects with `recovery: 'migrate'` when the generation is over. */
  commit(offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>): Promise<void>;
  /** What the group has committed for these partitions; those without a commit are absent. */
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>>;
  /** For transactional offset commits (KIP-447) and for status pages. */
  metadata(): GroupMetadata;
}

/** Which member of which group, in which generation, as Kafka's `ConsumerGroupMetadata`. */
export interface GroupMetadata {
  readonly groupId: string;
  /** Empty before the first join. */
  readonly memberId: string;
  /** -1 before the first join. */
  readonly generationId: number;
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface ProducerOptions {
  readonly clientId: string;
  /** Set for exactly-once; the transactional calls below need it. */
  readonly transactionalId?: string;
  /** Upper bound of unacknowledged Produce requests per broker; 5 keeps order with idempotence. */
  readonly inFlightMax?: number;
  readonly requestTimeoutMs?: number;
  /** How long a produce is retried before it fails, ms (Kafka's `delivery.timeout.ms`). */
  readonly deliveryTimeoutMs?: number;
}

/**
 * A finished RecordBatch v2 of one partition, as `RecordBatchWriter.finish()` makes it: everything but producer id, epoch,
 * base sequence and CRC, which the producer stamps when it sends. `release` gives the buffer back to its pool after the ack.
 */
export interface EncodedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly recordCount: number;
  release(): void;
}

export interface ProduceResult {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the batch's first record, -1 where it is not known. */
  readonly baseOffset: number;
  /** First offset after its last record, -1 where it is not known. Others' records may lie between those of a batch that was split. */
  readonly nextOffset: number;
  /** Log start offset as the broker tells it, -1 if it doesn't. */
  readonly logStartOffset: number;
  /** Set when this batch failed for good; the others of the call may have succeeded. */
  readonly error?: Error;
  /** With an error: how many of the batch's records were not written; fewer than all where it was split. */
  readonly lostRecords?: number;
}

/**
 * Idempotent (acks=all, producer id and sequences) unless transactional. Order per partition is the order of the calls. A batch
 * that its topic finds too large is split, down to single records.
 */
export interface BrokerProducer {
  /** Batches of one call leave in one Produce request a broker. At most one batch a partition in a call. */
  produce(batches: readonly EncodedBatch[]): Promise<readonly ProduceResult[]>;
  /** Requests sent and not yet acknowledged. */
  readonly inFlight: number;
  readonly transactions: ProducerTransactions | undefined;
  close(): Promise<void>;
}

/** Present where `transactionalId` was given and the adapter can. */
export interface ProducerTransactions {
  init(): Promise<void>;
  begin(): void;
  sendOffsets(
    offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>,
    group: GroupMetadata,
  ): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface BrokerAdmin {
  /** Partition counts of the topics that exist; others are absent. */
  partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  topics(): Promise<readonly string[]>;
  /** A topic that exists already is no error. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  deleteTopics(topics: readonly string[]): Promise<void>;
  endOffsets(
    partitions: readonly TopicPartition[],
    isolationLevel?: 'read_uncommitted' | 'read_committed',
  ): Promise<ReadonlyMap<TopicPartitionKey, number>>;
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, number>>;
  /** First offset whose timestamp is at or after `timestampMs`; absent where there is none. */
  offsetsForTimes(
    partitions: readonly (TopicPartition & { readonly timestampMs: number })[],
  ): Promise<ReadonlyMap<TopicPartitionKey, number>>;
  /** Everything before the offset is deleted (repartition purge). */
  deleteRecords(offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>;
  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>>;
  deleteGroups(groupIds: readonly string[]): Promise<void>;
}
