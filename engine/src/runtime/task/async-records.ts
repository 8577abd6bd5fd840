import { assert } from '../../base/assert.ts';
import { StreamsError } from '../../base/errors.ts';
import type { AsyncOperator } from '../../processor/async-operator.ts';
import type { AsyncHost, AsyncProcessor, HeldRecord } from '../../processor/processor.ts';
import type { NodeHost } from './node-host.ts';
import { RecordContext } from './record-context.ts';
import type { SourcePartition } from './source-partition.ts';
import { TaskHeldRecord } from './task-held-record.ts';

/** Makes the processor of an asynchronous node (room `pipeline/`). */
export type CreateAsyncProcessor = (operator: AsyncOperator, nodeName: string, taskId: string) => AsyncProcessor;

/**
 * The records that asynchronous operators of a task hold, from `hold` to the result that re-enters through the mailbox.
 *
 * Owns: the operators' processors, the mailbox. Called by: StreamTask, the operators.
 * Invariants: I1 no message of the mailbox runs while a record is processed; I2 messages run in the order of their coming;
 * I3 the offset of a held record is pending from `hold` to its release.
 */
export class AsyncRecords {
  readonly #host: NodeHost;
  readonly #sources: readonly SourcePartition[];
  readonly #wake: () => void;
  readonly #create: CreateAsyncProcessor;
  readonly #processors: AsyncProcessor[] = [];
  #mailbox: (() => void)[] = [];

  /** `wake` is called when something waits in the mailbox. */
  constructor(host: NodeHost, sources: readonly SourcePartition[], create: CreateAsyncProcessor, wake: () => void) {
    this.#host = host;
    this.#sources = sources;
    this.#create = create;
    this.#wake = wake;
  }

  /** Makes the processor of one more node. */
  readonly create: CreateAsyncProcessor = (operator, nodeName, taskId) => {
    const processor = this.#create(operator, nodeName, taskId);
    this.#processors.push(processor);
    return processor;
  };

  /** What a node may ask of its task; one a node, since failures name it. */
  readonly hostOf = (nodeName: string): AsyncHost => ({
    hold: () => this.#hold(nodeName),
    enter: (callback) => {
      this.#mailbox.push(callback);
      this.#wake();
    },
    fail: (held, thrown) => {
      this.#host.heldFailed(nodeName, held as TaskHeldRecord, thrown);
      held.release(() => {});
    },
  });

  /** An operator takes no more. */
  get isSaturated(): boolean {
    const processors = this.#processors;
    for (let i = 0; i < processors.length; i += 1) if (processors[i]?.isSaturated) return true;
    return false;
  }

  /** Records that are held. */
  get pending(): number {
    let pending = 0;
    for (const processor of this.#processors) pending += processor.pending;
    return pending;
  }

  /** User calls that run now. */
  get callsInFlight(): number {
    let calls = 0;
    for (const processor of this.#processors) {
      if ('callsInFlight' in processor) calls += processor.callsInFlight as number;
    }
    return calls;
  }

  /** Lets operators go on without waiting for more records. */
  flush(): void {
    for (const processor of this.#processors) processor.flush();
  }

  /** Ends bundles of `pipe` operators, whose results otherwise never let an offset go. */
  completeBundles(): void {
    for (const processor of this.#processors) {
      if ('completeBundle' in processor) (processor as { completeBundle(): void }).completeBundle();
    }
  }

  /** Results wait to re-enter. */
  get hasMail(): boolean {
    return this.#mailbox.length > 0;
  }

  /** Runs what operators left, in order; between records only. */
  runMailbox(): void {
    assert(!this.#host.isProcessing, 'the mailbox runs between records');
    while (this.#mailbox.length > 0) {
      const messages = this.#mailbox;
      this.#mailbox = [];
      for (const message of messages) message();
    }
  }

  /** The task does not run any more, so results are dropped. */
  discardMail(): void {
    this.#mailbox = [];
  }

  #hold(nodeName: string): HeldRecord {
    const host = this.#host;
    const current = host.context;
    // What a punctuator makes comes from no offset that could be held back: after a crash nobody would make it again.
    if (current === undefined) {
      throw new StreamsError(
        `Asynchronous node ${nodeName} got a record of a punctuator, which could be lost: let punctuators above mapAsync, microBatch ` +
          'and pipe write to a topic, and read it there',
        { code: 'INVALID_STATE', recovery: 'fail' },
      );
    }
    const source = this.#sources[current.sourceIndex] as SourcePartition;
    // One whose holds are over was finished before: what a cache let go of later may hold it again.
    if (current.pending === undefined || current.pending.holds === 0) {
      current.pending = source.pending.add(current.offset);
    }
    current.pending.holds += 1;
    let context = current;
    const { origin } = host;
    if (origin !== undefined) {
      context = RecordContext.ofKept(origin);
      context.sourceIndex = current.sourceIndex;
      context.pending = current.pending;
    } else context = host.keep(current);
    return new TaskHeldRecord(context, host.timestampMs, this.#runHeld);
  }

  readonly #runHeld = (held: TaskHeldRecord, forwardAll: () => void): void => this.#host.runHeld(held, forwardAll);
}
