import { BrokerError } from '../base/errors.ts';

/** Kafka's error codes that the adapters look at; the names are the protocol's. */
export const kafkaCodes = {
  /** No error. */
  NONE: 0,
  /** The log has no record of this offset: retention has passed it, or the log was cut off before it. */
  OFFSET_OUT_OF_RANGE: 1,
  /** A batch whose checksum is wrong. */
  CORRUPT_MESSAGE: 2,
  /** There is none, or this broker has not heard of it yet. */
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  /** A leader is being elected. */
  LEADER_NOT_AVAILABLE: 5,
  /** Another broker leads the partition now. */
  NOT_LEADER_OR_FOLLOWER: 6,
  /** The broker did not get it done in the time that the request gave it. */
  REQUEST_TIMED_OUT: 7,
  /** The broker that the request needs is away. */
  BROKER_NOT_AVAILABLE: 8,
  /** The broker has no copy of the partition at present. */
  REPLICA_NOT_AVAILABLE: 9,
  /** A batch above the topic's `max.message.bytes`. */
  MESSAGE_TOO_LARGE: 10,
  /** The broker was cut off before it could answer. */
  NETWORK_EXCEPTION: 13,
  /** The coordinator still reads the group's state. */
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  /** There is no coordinator for the group at present. */
  COORDINATOR_NOT_AVAILABLE: 15,
  /** Another broker coordinates the group now. */
  NOT_COORDINATOR: 16,
  /** A topic's name that Kafka does not allow. */
  INVALID_TOPIC_EXCEPTION: 17,
  /** A request with more records than the broker's segment holds. */
  RECORD_LIST_TOO_LARGE: 18,
  /** Fewer replicas are in sync than the topic demands; nothing was written. */
  NOT_ENOUGH_REPLICAS: 19,
  /** Fewer replicas are in sync than the topic demands, and the batch was written nevertheless. */
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  /** The group has another generation by now. */
  ILLEGAL_GENERATION: 22,
  /** The group's members have no assignor in common. */
  INCONSISTENT_GROUP_PROTOCOL: 23,
  /** The group has thrown the member out. */
  UNKNOWN_MEMBER_ID: 25,
  /** The group distributes its partitions anew: the member is to join again. */
  REBALANCE_IN_PROGRESS: 27,
  /** The client may not use the topic. */
  TOPIC_AUTHORIZATION_FAILED: 29,
  /** The client may not use the group. */
  GROUP_AUTHORIZATION_FAILED: 30,
  /** The client may not do this in the cluster. */
  CLUSTER_AUTHORIZATION_FAILED: 31,
  /** Client and broker have no version of the request in common. */
  UNSUPPORTED_VERSION: 35,
  /** A topic of this name was made before. */
  TOPIC_ALREADY_EXISTS: 36,
  /** Another broker controls the cluster now. */
  NOT_CONTROLLER: 41,
  /** A batch is missing between the last one of the producer and this. */
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  /** The batch was written before, too long ago for the broker to know its offset. */
  DUPLICATE_SEQUENCE_NUMBER: 46,
  /** The producer id has a newer epoch by now. */
  INVALID_PRODUCER_EPOCH: 47,
  /** The transaction before is not finished yet. */
  CONCURRENT_TRANSACTIONS: 51,
  /** The broker's disk failed; another replica takes over. */
  KAFKA_STORAGE_ERROR: 56,
  /** The broker has forgotten the producer, whose records retention has removed. */
  UNKNOWN_PRODUCER_ID: 59,
  /** There is no such group. */
  GROUP_ID_NOT_FOUND: 69,
  /** The client asked by an older leader epoch than the broker's. */
  FENCED_LEADER_EPOCH: 74,
  /** The client knows a newer leader epoch than the broker. */
  UNKNOWN_LEADER_EPOCH: 75,
  /** A new leader does not know yet where the log ends. */
  OFFSET_NOT_AVAILABLE: 78,
  /** The member is to join again with the id that the answer names. */
  MEMBER_ID_REQUIRED: 79,
  /** Another process is the group's static member of this name now. */
  FENCED_INSTANCE_ID: 82,
  /** Offsets were committed in a transaction that is not finished yet. */
  UNSTABLE_OFFSET_COMMIT: 88,
  /** The client changes topics faster than its quota allows. */
  THROTTLING_QUOTA_EXCEEDED: 89,
  /** A newer producer has this transactional id. */
  PRODUCER_FENCED: 90,
  /** No topic has this id: it was deleted, or made again. */
  UNKNOWN_TOPIC_ID: 100,
  /** The topic has another id than the request says: it was made again. */
  INCONSISTENT_TOPIC_ID: 103,
} as const;

/** What a `BrokerError` carries when the connection failed before an answer came. */
export const NO_ANSWER = -1;

/** Kafka's UNKNOWN_SERVER_ERROR is -1 on the wire; here -1 already means that no answer came. */
export const UNKNOWN_SERVER_ERROR = -2;

const namesByCode = new Map<number, string>(
  Object.entries({ ...kafkaCodes, UNKNOWN_SERVER_ERROR }).map(([name, code]) => [code, name]),
);

const RETRIABLE_CODES: ReadonlySet<number> = new Set([
  NO_ANSWER,
  kafkaCodes.CORRUPT_MESSAGE,
  kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaCodes.LEADER_NOT_AVAILABLE,
  kafkaCodes.NOT_LEADER_OR_FOLLOWER,
  kafkaCodes.REQUEST_TIMED_OUT,
  kafkaCodes.BROKER_NOT_AVAILABLE,
  kafkaCodes.REPLICA_NOT_AVAILABLE,
  kafkaCodes.NETWORK_EXCEPTION,
  kafkaCodes.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaCodes.COORDINATOR_NOT_AVAILABLE,
  kafkaCodes.NOT_COORDINATOR,
  kafkaCodes.NOT_ENOUGH_REPLICAS,
  kafkaCodes.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  kafkaCodes.NOT_CONTROLLER,
  kafkaCodes.CONCURRENT_TRANSACTIONS,
  kafkaCodes.KAFKA_STORAGE_ERROR,
  kafkaCodes.FENCED_LEADER_EPOCH,
  kafkaCodes.UNKNOWN_LEADER_EPOCH,
  kafkaCodes.OFFSET_NOT_AVAILABLE,
  kafkaCodes.UNSTABLE_OFFSET_COMMIT,
  kafkaCodes.THROTTLING_QUOTA_EXCEEDED,
  kafkaCodes.UNKNOWN_TOPIC_ID,
  kafkaCodes.INCONSISTENT_TOPIC_ID,
]);

const FENCED_CODES: ReadonlySet<number> = new Set([
  kafkaCodes.ILLEGAL_GENERATION,
  kafkaCodes.UNKNOWN_MEMBER_ID,
  kafkaCodes.FENCED_INSTANCE_ID,
]);

/** An error code as it came over the wire, in the numbering of this module. */
export function answeredCode(wireCode: number): number {
  return wireCode === -1 ? UNKNOWN_SERVER_ERROR : wireCode;
}

/** Whether Kafka's protocol allows the same request again. */
export function isRetriableCode(kafkaCode: number): boolean {
  return RETRIABLE_CODES.has(kafkaCode);
}

/** Whether the group goes on without this member. */
export function isFencedCode(kafkaCode: number): boolean {
  return FENCED_CODES.has(kafkaCode);
}

/** An error answer as a `BrokerError`; `what` is the request in words, e.g. `Fetch of t-0`. */
export function brokerErrorOf(wireCode: number, what: string, detail?: string | null): BrokerError {
  const kafkaCode = answeredCode(wireCode);
  const name = namesByCode.get(kafkaCode) ?? `error ${wireCode}`;
  return new BrokerError(`${what}: ${name}${detail ? ` (${detail})` : ''}`, {
    kafkaCode,
    retriable: isRetriableCode(kafkaCode),
    ...(isFencedCode(kafkaCode) ? { recovery: 'migrate' as const } : {}),
  });
}

/** A request whose answer never came. */
export function noAnswerError(what: string): BrokerError {
  return new BrokerError(`${what}: no answer`, { kafkaCode: NO_ANSWER, retriable: true });
}

/** The Kafka code of an error, undefined for errors of other kinds. */
export function kafkaCodeOf(error: unknown): number | undefined {
  return error instanceof BrokerError ? error.kafkaCode : undefined;
}
