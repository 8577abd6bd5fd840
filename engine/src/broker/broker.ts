import type { RecordBatch, TopicPartition, TopicPartitionKey } from '../base/record-batch.ts';

/**
 * The engine's door to Kafka. It speaks batches and buffers, never single messages. One contract suite holds for all
 * adapters (`test/contract/broker.ts`): memory and wire.
 *
 * Errors: every rejection is a `BrokerError` (or a `StreamsError` with `recovery: 'migrate'` for fenced and unknown members).
 * Retriable errors are retried inside the adapter with backoff and a deadline; what leaves it is final for that call.
 */
export interface Broker {
  /** Topics, offsets and groups of the cluster. Needs no closing. */
  admin(): BrokerAdmin;
  /** A consumer with manual assignment: restore, global stores, readers; also the fetching half of a group consumer. */
  consumer(options: ConsumerOptions): BrokerConsumer;
  /** A member of a consumer group; it joins when told to. */
  groupConsumer(options: GroupConsumerOptions): BrokerGroupConsumer;
  /** A producer of its own; records reach the broker in the order of its calls. */
  producer(options: ProducerOptions): BrokerProducer;
  /** Closes every client that was made here and all connections. */
  close(): Promise<void>;
}

/** How a consumer fetches. */
export interface ConsumerOptions {
  /** Name in the broker's request logs and quotas. */
  readonly clientId: string;
  /**
   * `read_uncommitted` (the default): everything in the log; `read_committed`: of transactions only those that were
   * committed, and nothing behind an open one.
   */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed';
  /** Upper bound of one fetch answer, bytes. Default: 8 388 608 from Kafka, 52 428 800 in memory. */
  readonly fetchBytesMax?: number;
  /** Upper bound of one partition's share in an answer, bytes. Default: 1 048 576. */
  readonly partitionFetchBytesMax?: number;
  /** Longest time the broker holds an empty fetch back, ms. Default: 500. */
  readonly fetchWaitMs?: number;
}

/** What one fetch brought for one partition. `batches` may be empty while `nextOffset` advances (control records, aborts). */
export interface FetchedPartition {
  /** Full name, as it was assigned. */
  readonly topic: string;
  /** Partition of `topic`. */
  readonly partition: number;
  /** What was fetched, in log order. Whoever takes them releases each. */
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
  assign(
    positions: readonly (TopicPartition & {
      /** First offset to fetch. */
      offset: number;
    })[],
  ): void;
  /** Adds to the assignment without disturbing the others. */
  add(
    positions: readonly (TopicPartition & {
      /** First offset to fetch; -1: nothing until a `seek`. */
      offset: number;
    })[],
  ): void;
  /** Takes out of the assignment without disturbing the others; what was fetched and not taken is dropped. */
  remove(partitions: readonly TopicPartition[]): void;
  /** The partitions that are fetched, paused ones included. */
  assignment(): readonly TopicPartition[];
  /** Goes on at an offset; what was fetched and not taken is dropped. */
  seek(partition: TopicPartition, offset: number): void;
  /** Offset of the next record that `poll` will hand over. */
  position(partition: TopicPartition): number;
  /** Hands over nothing of these partitions until `resume`. */
  pause(partitions: readonly TopicPartition[]): void;
  /** Hands over these partitions again, first what was kept. */
  resume(partitions: readonly TopicPartition[]): void;
  /** End offset as of the last fetch; undefined until one answered: "lag unknown". */
  knownEndOffset(partition: TopicPartition): number | undefined;
  /** What has arrived; waits up to `timeoutMs` when nothing has. Returns at once after `wakeup`. One poll at a time. */
  poll(timeoutMs: number): Promise<readonly FetchedPartition[]>;
  /** Synchronous form for the hot loop: what has already arrived, or an empty list. */
  take(): readonly FetchedPartition[];
  /** Makes a waiting `poll` return at once, or the next one if none waits. */
  wakeup(): void;
  /** Gives back what was not taken and ends the connections. A waiting `poll` returns. */
  close(): Promise<void>;
}

/** A committed position. */
export interface OffsetAndMetadata {
  /** Next offset to read. */
  readonly offset: number;
  /** Text that was committed with it; the runtime keeps the partition's time there, as Kafka Streams does. */
  readonly metadata: string;
  /** Epoch of the leader that the records came from, where it is known. */
  readonly leaderEpoch?: number;
}

/** How a member fetches and takes part in its group. */
export interface GroupConsumerOptions extends ConsumerOptions {
  /** The group; of an application its id. */
  readonly groupId: string;
  /** Makes it a static member: its partitions wait for its return until the session expires. */
  readonly groupInstanceId?: string;
  /** Without a heartbeat for this long the member counts as dead, ms. */
  readonly sessionTimeoutMs: number;
  /** How long a rebalance waits for the member, ms. */
  readonly rebalanceTimeoutMs: number;
  /** Time between two heartbeats, ms. */
  readonly heartbeatIntervalMs: number;
  /** Says what is subscribed and, on the leader, who gets what. */
  readonly assignor: GroupAssignor;
  /** Told what comes and goes. */
  readonly listener: RebalanceListener;
}

/** What one member wants and has, as the leader sees it. */
export interface GroupMemberSubscription {
  /** Id that the coordinator gave the member. */
  readonly memberId: string;
  /** Topics that it reads. */
  readonly topics: readonly string[];
  /** Partitions that it has at present. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** What the member's assignor says to the leader's. */
  readonly userData: Buffer;
}

/** What one member gets. */
export interface GroupMemberAssignment {
  /** All of its partitions, those that it keeps included. */
  readonly partitions: readonly TopicPartition[];
  /** What the leader's assignor says to the member's. */
  readonly userData: Buffer;
}

/** The runtime's half of the group protocol: what is subscribed, and who gets what (run on the leader only). */
export interface GroupAssignor {
  /** Name of the protocol; all members of a group must offer the same. */
  readonly name: string;
  /** `cooperative` keeps partitions that stay; `eager` revokes all before each join. */
  readonly protocol: 'eager' | 'cooperative';
  /** What this member reads, asked before each join. */
  topics(): readonly string[];
  /** What this member says to the leader's assignor, asked before each join. */
  userData(): Buffer;
  /** Who gets what, by member id. `partitionCounts` has the subscribed topics that exist. */
  assign(
    members: readonly GroupMemberSubscription[],
    partitionCounts: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, GroupMemberAssignment> | Promise<ReadonlyMap<string, GroupMemberAssignment>>;
}

/** Awaited: the group goes on only when the runtime has finished. Heartbeats continue meanwhile. */
export interface RebalanceListener {
  /** These go to somebody else: finish and commit what is in flight. */
  onPartitionsRevoked(partitions: readonly TopicPartition[]): Promise<void>;
  /** These are new: find their positions. `userData` is the leader's word to this member. */
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
  /** The membership, by which offsets are committed. */
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
  /** The application id, for groups of Kafka Streams. */
  readonly groupId: string;
  /** Empty before the first join. */
  readonly memberId: string;
  /** -1 before the first join. */
  readonly generationId: number;
}

/** How the records of a batch are compressed: `none`, `gzip`, `snappy`, `lz4` or `zstd`. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** How a producer sends. */
export interface ProducerOptions {
  /** Name in the broker's request logs and quotas. */
  readonly clientId: string;
  /** Set for exactly-once; the transactional calls below need it. */
  readonly transactionalId?: string;
  /** Upper bound of unacknowledged Produce requests per broker. Default: 5, which keeps order with idempotence. */
  readonly inFlightMax?: number;
  /** Deadline of one request, ms (Kafka's `request.timeout.ms`). Default: 30 000. */
  readonly requestTimeoutMs?: number;
  /** How long a produce is retried before it fails, ms (Kafka's `delivery.timeout.ms`). Default: 120 000. */
  readonly deliveryTimeoutMs?: number;
}

/**
 * A finished RecordBatch v2 of one partition, as `RecordBatchWriter.finish()` makes it: everything but producer id,
 * epoch, base sequence and CRC, which the producer stamps when it sends.
 */
export interface EncodedBatch {
  /** Where the batch is to go. */
  readonly topic: string;
  /** Partition of `topic`. */
  readonly partition: number;
  /** The batch as it goes over the wire. */
  readonly bytes: Buffer;
  /** How many records are in it. */
  readonly recordCount: number;
  /** Gives the buffer back to its pool; the producer calls it when the batch is settled. */
  release(): void;
}

/** What became of one batch. */
export interface ProduceResult {
  /** Topic of the batch. */
  readonly topic: string;
  /** Partition of `topic`. */
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
  /** Transactional calls; undefined without a `transactionalId`. */
  readonly transactions: ProducerTransactions | undefined;
  /** Waits for acknowledgements for a while, then gives up what is left. */
  close(): Promise<void>;
}

/** Transactional calls. Present where `transactionalId` was given and the adapter can. */
export interface ProducerTransactions {
  /** Fences other producers of this id and ends what they left open. Before the first transaction. */
  init(): Promise<void>;
  /** Everything that is produced from now on belongs to one transaction. */
  begin(): void;
  /** Makes committed positions of a group part of the transaction (KIP-447). */
  sendOffsets(
    offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>,
    group: GroupMetadata,
  ): Promise<void>;
  /** Makes the transaction's records and offsets visible. */
  commit(): Promise<void>;
  /** Ends the transaction so that readers of committed records see nothing of it. */
  abort(): Promise<void>;
}

/** A topic to create. */
export interface TopicSpec {
  /** Full name: up to 249 letters, digits, `.`, `_` and `-`. */
  readonly topic: string;
  /** How many partitions it has. */
  readonly partitions: number;
  /** How many brokers hold each partition; -1: the broker's default. */
  readonly replicationFactor: number;
  /** Configuration by Kafka's keys, such as `cleanup.policy`; the rest as the broker has it. */
  readonly configs: Readonly<Record<string, string>>;
}

/** Topics, offsets and groups of a cluster. */
export interface BrokerAdmin {
  /** Partition counts of the topics that exist; others are absent. */
  partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Names of all topics that this client may see. */
  topics(): Promise<readonly string[]>;
  /** Creates topics and resolves when they can be written. A topic that exists already is no error. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Deletes topics with all of their records. */
  deleteTopics(topics: readonly string[]): Promise<void>;
  /**
   * First offset behind the log of each partition; under `read_committed` behind the last stable record. Default:
   * `read_uncommitted`.
   */
  endOffsets(
    partitions: readonly TopicPartition[],
    isolationLevel?: 'read_uncommitted' | 'read_committed',
  ): Promise<ReadonlyMap<TopicPartitionKey, number>>;
  /** First offset that each partition still has. */
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, number>>;
  /** First offset whose timestamp is at or after `timestampMs`; absent where there is none. */
  offsetsForTimes(
    partitions: readonly (TopicPartition & {
      /** Epoch ms. */
      readonly timestampMs: number;
    })[],
  ): Promise<ReadonlyMap<TopicPartitionKey, number>>;
  /** Everything before the offset is deleted (repartition purge). */
  deleteRecords(
    offsets: readonly (TopicPartition & {
      /** First offset that is kept. */
      readonly offset: number;
    })[],
  ): Promise<void>;
  /** What a group has committed for these partitions; those without a commit are absent. */
  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>>;
  /** Forgets groups and their offsets. Rejects for a group that has members; one that doesn't exist is no error. */
  deleteGroups(groupIds: readonly string[]): Promise<void>;
}
