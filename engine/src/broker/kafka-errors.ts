import { BrokerError } from '../base/errors.ts';

/** Kafka's error codes that the adapters look at; the names are the protocol's. */
export const kafkaCodes = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  BROKER_NOT_AVAILABLE: 8,
  REPLICA_NOT_AVAILABLE: 9,
  MESSAGE_TOO_LARGE: 10,
  NETWORK_EXCEPTION: 13,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  RECORD_LIST_TOO_LARGE: 18,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  UNKNOWN_MEMBER_ID: 25,
  REBALANCE_IN_PROGRESS: 27,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  NOT_CONTROLLER: 41,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  CONCURRENT_TRANSACTIONS: 51,
  KAFKA_STORAGE_ERROR: 56,
  UNKNOWN_PRODUCER_ID: 59,
  GROUP_ID_NOT_FOUND: 69,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  OFFSET_NOT_AVAILABLE: 78,
  MEMBER_ID_REQUIRED: 79,
  FENCED_INSTANCE_ID: 82,
  UNSTABLE_OFFSET_COMMIT: 88,
  THROTTLING_QUOTA_EXCEEDED: 89,
  PRODUCER_FENCED: 90,
  UNKNOWN_TOPIC_ID: 100,
  INCONSISTENT_TOPIC_ID: 103,
} as const;

/** What a `BrokerError` carries when the connection failed before an answer came. */
export const NO_ANSWER = -1;

/** Kafka's UNKNOWN_SERVER_ERROR is -1 on the wire; here -1 already means that no answer came. */
export const UNKNOWN_SERVER_ERROR = -2;

const namesByCode = new Map<number, string>(
  Object.entries({ ...kafkaCodes, UNKNOWN_SERVER_ERROR }).map(([name, code]) => [code, name]),
);

const retriableCodes: ReadonlySet<number> = new Set([
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

const fencedCodes: ReadonlySet<number> = new Set([
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
  return retriableCodes.has(kafkaCode);
}

/** Whether the group goes on without this member. */
export function isFencedCode(kafkaCode: number): boolean {
  return fencedCodes.has(kafkaCode);
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
