/** What the supervisor does with an error; it looks at nothing else. */
export type Recovery =
  /** Try the same thing again after a backoff. */
  | 'retry'
  /** The task belongs to somebody else now: close it dirty and rejoin. */
  | 'migrate'
  /** The local state can't be trusted: wipe it and restore from the changelog. */
  | 'restore'
  /** Nothing helps: hand it to the uncaught exception handler. */
  | 'fail';

/** Every code the engine can throw, with the class that carries it in `docs/errors.md`. */
export const errorCodes = [
  'TOPOLOGY',
  'CONFIG',
  'SERIALIZATION',
  'DESERIALIZATION',
  'PROCESSING',
  'PRODUCTION',
  'INVALID_TIMESTAMP',
  'INVALID_STATE',
  'INVALID_STATE_STORE',
  'UNKNOWN_STATE_STORE',
  'TASK_MIGRATED',
  'TASK_CORRUPTED',
  'TASK_TIMEOUT',
  'BROKER',
  'BROKER_UNAVAILABLE',
  'CORRUPT_RECORD',
  'OFFSET_OUT_OF_RANGE',
  'MISSING_SOURCE_TOPIC',
  'FENCED',
  'AUTHORIZATION',
  'SCHEMA_REGISTRY',
  'CANCELLED',
  'TIMEOUT',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface StreamsErrorOptions {
  readonly code: ErrorCode;
  readonly recovery: Recovery;
  readonly cause?: unknown;
}

/** The base of all the engine's errors. The message names what and where. */
export class StreamsError extends Error {
  override readonly name: string = 'StreamsError';
  readonly code: ErrorCode;
  readonly recovery: Recovery;

  constructor(message: string, options: StreamsErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.recovery = options.recovery;
  }
}

/** An invalid topology: names the node and the remedy. Thrown while building, before any I/O. */
export class TopologyError extends StreamsError {
  override readonly name = 'TopologyError';
  constructor(message: string) {
    super(message, { code: 'TOPOLOGY', recovery: 'fail' });
  }
}

/** Bytes that a serde can't decode. Goes to the deserialization exception handler. */
export class DeserializationError extends StreamsError {
  override readonly name = 'DeserializationError';
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'DESERIALIZATION', recovery: 'fail', cause });
  }
}

/** A value that a serde can't encode. Goes to the production exception handler. */
export class SerializationError extends StreamsError {
  override readonly name = 'SerializationError';
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'SERIALIZATION', recovery: 'fail', cause });
  }
}

/** The partition has a new owner, or this member was fenced. */
export class TaskMigratedError extends StreamsError {
  override readonly name = 'TaskMigratedError';
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'TASK_MIGRATED', recovery: 'migrate', cause });
  }
}

/** Local state and changelog disagree. */
export class TaskCorruptedError extends StreamsError {
  override readonly name = 'TaskCorruptedError';
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'TASK_CORRUPTED', recovery: 'restore', cause });
  }
}

/** An answer of a broker that is an error, or a broker that can't be reached. `retriable` as Kafka's protocol says. */
export class BrokerError extends StreamsError {
  override readonly name = 'BrokerError';
  /** Kafka's error code; -1 where the connection failed before an answer. */
  readonly kafkaCode: number;
  readonly retriable: boolean;

  constructor(
    message: string,
    options: { kafkaCode: number; retriable: boolean; recovery?: Recovery; cause?: unknown },
  ) {
    super(message, {
      code: options.kafkaCode === -1 ? 'BROKER_UNAVAILABLE' : 'BROKER',
      recovery: options.recovery ?? (options.retriable ? 'retry' : 'fail'),
      cause: options.cause,
    });
    this.kafkaCode = options.kafkaCode;
    this.retriable = options.retriable;
  }
}
