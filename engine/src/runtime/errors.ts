import { BrokerError, StreamsError } from '../base/errors.ts';

/** A record that user code failed on and that no handler let pass: names the node and the record. */
export class ProcessingError extends StreamsError {
  override readonly name = 'ProcessingError';
  /** The node whose function or processor failed. */
  readonly nodeName: string;
  /** `cause` is what the user's code threw. */
  constructor(message: string, nodeName: string, cause: unknown) {
    super(message, { code: 'PROCESSING', recovery: 'fail', cause });
    this.nodeName = nodeName;
  }
}

/** Control flow inside a task: the source record can't be decoded; unwinds to the task, which asks the deserialization handler. */
export class UndecodableRecord extends Error {
  override readonly name = 'UndecodableRecord';
  /** What the serde threw. */
  readonly failure: Error;
  /** `failure` goes to the deserialization exception handler. */
  constructor(failure: Error) {
    super(failure.message, { cause: failure });
    this.failure = failure;
  }
}

/** Kafka's OFFSET_OUT_OF_RANGE. */
const OUT_OF_RANGE_CODE = 1;

/** Whether a fetch failed because its position lies outside the log: no other failure is healed by another position. */
export function isOutOfRange(error: unknown): boolean {
  if (error instanceof BrokerError) return error.kafkaCode === OUT_OF_RANGE_CODE;
  return error instanceof StreamsError && error.code === 'OFFSET_OUT_OF_RANGE';
}

/** Anything thrown as an Error; user code may throw what it likes. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
