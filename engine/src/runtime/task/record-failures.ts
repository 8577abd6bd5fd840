import type { ExceptionContext, ExceptionHandler, StreamsConfig } from '../../base/config.ts';
import { DeserializationError, StreamsError } from '../../base/errors.ts';
import { asError, ProcessingError, UndecodableRecord } from '../errors.ts';
import { sendDeadLetter } from '../output/dead-letters.ts';
import type { RecordCollector } from '../output/record-collector.ts';
import type { RecordContext } from './record-context.ts';

/** Where failures are told, and what is asked about them. */
export interface RecordFailuresOptions {
  /** Named in errors and logs. */
  readonly taskId: string;
  /** The handlers and the dead letter queue. */
  readonly config: StreamsConfig;
  /** Takes dead letters. */
  readonly collector: RecordCollector;
  /** Counts a record that is left out. */
  readonly countDropped: (nodeName: string, reason: string) => void;
  /** Throws the DeserializationError of the record that a source is processing, if it has one. */
  readonly checkDecodable: (sourceIndex: number) => void;
}

/**
 * What happens to a record that fails: the handler for its kind of error decides, the dead letter queue gets it in any case, and
 * the caller goes on (the method returns) or fails (it throws).
 *
 * Called by: StreamTask. Invariants: I1 errors that ask for another recovery than `fail` pass unchanged: they are not about the
 * record; I2 an error is decided once, at the innermost node.
 */
export class RecordFailures {
  readonly #options: RecordFailuresOptions;

  /** Decides nothing by itself: the handlers of the configuration do. */
  constructor(options: RecordFailuresOptions) {
    this.#options = options;
  }

  /** A processor, an asynchronous call or a punctuator threw. `context` is undefined in punctuators. */
  nodeFailed(nodeName: string, thrown: unknown, context: RecordContext | undefined, timestampMs: number): void {
    if (thrown instanceof ProcessingError || thrown instanceof UndecodableRecord) throw thrown;
    this.#passOrBlameSource(thrown, context);
    const handler = this.#options.config.processingExceptionHandler;
    this.#decide('processing', handler, nodeName, asError(thrown), context, timestampMs);
  }

  /** A sink could not write the record. */
  sendFailed(
    nodeName: string,
    topic: string,
    thrown: unknown,
    context: RecordContext | undefined,
    timestampMs: number,
  ): void {
    this.#passOrBlameSource(thrown, context);
    const { config, taskId } = this.#options;
    const error = asError(thrown);
    config.log.warn({ err: error, taskId, nodeName, topic }, 'A record could not be written');
    this.#decide('production', config.productionExceptionHandler, nodeName, error, context, timestampMs);
  }

  /** A source record can't be decoded, or has no usable timestamp. */
  undecodable(nodeName: string, context: RecordContext, timestampMs: number, error: Error): void {
    const { config, countDropped, taskId } = this.#options;
    const where = this.#where(nodeName, context);
    const answer = config.deserializationExceptionHandler(where, error);
    this.#deadLetter(context, timestampMs, error);
    countDropped(nodeName, 'undecodable');
    if (answer === 'continue') {
      config.log.warn({ err: error, ...where }, 'Skipped a record that could not be decoded');
      return;
    }
    const at = `${context.topic}-${context.partition}@${context.offset}`;
    throw new ProcessingError(`Task ${taskId} can't decode the record at ${at}: ${error.message}`, nodeName, error);
  }

  /** Source records are decoded when a node first looks: then the record is to blame, not the node. */
  #passOrBlameSource(thrown: unknown, context: RecordContext | undefined): void {
    if (thrown instanceof StreamsError && thrown.recovery !== 'fail') throw thrown;
    if (!(thrown instanceof DeserializationError) || context?.batch === undefined) return;
    try {
      this.#options.checkDecodable(context.sourceIndex);
    } catch (error) {
      throw new UndecodableRecord(asError(error));
    }
  }

  #decide(
    what: 'processing' | 'production',
    handler: ExceptionHandler,
    nodeName: string,
    error: Error,
    context: RecordContext | undefined,
    timestampMs: number,
  ): void {
    const { config, countDropped, taskId } = this.#options;
    const where = this.#where(nodeName, context);
    const answer = handler(where, error);
    if (context !== undefined) this.#deadLetter(context, timestampMs, error);
    if (answer === 'continue') {
      config.log.warn({ err: error, ...where }, `Skipped a record after a ${what} error`);
      countDropped(nodeName, `${what}-error`);
      return;
    }
    const at = context === undefined ? 'in a punctuator' : `at ${context.topic}-${context.partition}@${context.offset}`;
    throw new ProcessingError(`Node ${nodeName} of task ${taskId} failed ${at}: ${error.message}`, nodeName, error);
  }

  #where(nodeName: string, context: RecordContext | undefined): ExceptionContext {
    return {
      topic: context?.topic ?? '',
      partition: context?.partition ?? -1,
      offset: context?.offset ?? -1,
      taskId: this.#options.taskId,
      processorNodeId: nodeName,
    };
  }

  #deadLetter(context: RecordContext, timestampMs: number, error: Error): void {
    const { collector, config } = this.#options;
    if (config.deadLetterQueueTopicName === undefined) return;
    const { topic, partition, offset } = context;
    const headers = context.headerList();
    const key = context.rawKeyBytes();
    const value = context.rawValueBytes();
    sendDeadLetter(
      collector,
      config.deadLetterQueueTopicName,
      { topic, partition, offset, key, value, headers, timestampMs },
      error,
    );
  }
}
