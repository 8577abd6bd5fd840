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
export const ERROR_CODES = [
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

/** What went wrong, for programs; `docs/errors.md` says of each code what it means and what to do. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What every error of the engine carries besides its message. */
export interface StreamsErrorOptions {
  /** What went wrong, from the closed list. */
  readonly code: ErrorCode;
  /** What the supervisor does about it. */
  readonly recovery: Recovery;
  /** The error or thrown value that led to this one, if any. */
  readonly cause?: unknown;
}

/**
 * The base of all the engine's errors. The message says what failed and where; programs look at `code`.
 * @example
 * ```ts
 * try {
 *   await streams.start();
 * } catch (error) {
 *   if (error instanceof StreamsError && error.code === 'MISSING_SOURCE_TOPIC') console.error('Create the topics first');
 *   throw error;
 * }
 * ```
 */
export class StreamsError extends Error {
  override readonly name: string = 'StreamsError';
  /** What went wrong; see `docs/errors.md`. */
  readonly code: ErrorCode;
  /** What the engine does about it by itself: `retry`, `migrate`, `restore`, or nothing (`fail`). */
  readonly recovery: Recovery;

  /** `message` says what failed and where; `options` what follows from it. */
  constructor(message: string, options: StreamsErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.recovery = options.recovery;
  }
}

/**
 * A topology that can't work, or options of a store that can't. Thrown while building, before any I/O; the message
 * names the node and the remedy. Code `TOPOLOGY`, recovery `fail`.
 */
export class TopologyError extends StreamsError {
  override readonly name = 'TopologyError';
  /** `message` names the node and the remedy. */
  constructor(message: string) {
    super(message, { code: 'TOPOLOGY', recovery: 'fail' });
  }
}

/**
 * Bytes that a serde can't decode. The deserialization exception handler decides about the record. Code
 * `DESERIALIZATION`, recovery `fail`.
 */
export class DeserializationError extends StreamsError {
  override readonly name = 'DeserializationError';
  /** `message` names the format and what is wrong with the bytes; `cause` is the error of the decoder. */
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'DESERIALIZATION', recovery: 'fail', cause });
  }
}

/**
 * A value that a serde can't encode. The production exception handler decides about the record. Code `SERIALIZATION`,
 * recovery `fail`.
 */
export class SerializationError extends StreamsError {
  override readonly name = 'SerializationError';
  /** `message` names the format and what is wrong with the value; `cause` is the error of the encoder. */
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'SERIALIZATION', recovery: 'fail', cause });
  }
}

/**
 * The partition has a new owner, or this member was fenced: the task is closed without a commit and the thread rejoins
 * its group. Code `TASK_MIGRATED`, recovery `migrate`.
 */
export class TaskMigratedError extends StreamsError {
  override readonly name = 'TaskMigratedError';
  /** `message` names the task or member; `cause` is what the broker answered. */
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'TASK_MIGRATED', recovery: 'migrate', cause });
  }
}

/**
 * Local state and changelog disagree: the state is wiped and restored from the changelog. Code `TASK_CORRUPTED`,
 * recovery `restore`.
 */
export class TaskCorruptedError extends StreamsError {
  override readonly name = 'TaskCorruptedError';
  /** `message` names the task or store; `cause` is what showed the disagreement. */
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'TASK_CORRUPTED', recovery: 'restore', cause });
  }
}

/** An error that a broker answered (code `BROKER`), or a broker that can't be reached (`BROKER_UNAVAILABLE`). */
export class BrokerError extends StreamsError {
  override readonly name = 'BrokerError';
  /** Kafka's error code; -1 where the connection failed before an answer. */
  readonly kafkaCode: number;
  /**
   * Whether Kafka's protocol says that the same request may succeed later. What leaves the client has been retried
   * already.
   */
  readonly retriable: boolean;

  /** `message` names the request and the broker. */
  constructor(
    message: string,
    options: {
      /** Kafka's error code; -1 where no answer came. */
      kafkaCode: number;
      /** What Kafka's protocol says about the code. */
      retriable: boolean;
      /** Default: `retry` for retriable errors, `fail` for others. */
      recovery?: Recovery;
      /** The error of the socket or of the codec, if any. */
      cause?: unknown;
    },
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
