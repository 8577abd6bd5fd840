import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { AsyncItem } from '../processor/async-operator.ts';
import type { AsyncHost, AsyncProcessor, HeldRecord, ProcessorContext } from '../processor/processor.ts';
import { Record } from '../processor/record.ts';

/** What the runtime gives every asynchronous operator. */
export interface AsyncDeps {
  /** Measures deadlines and the waits between attempts. */
  readonly clock: Clock;
  /** Spreads the waits between attempts, so that operators that failed together don't come back together. */
  readonly random: Random;
  /** Names the operator in errors. */
  readonly nodeName: string;
}

/** One record inside an operator. */
export interface HeldItem {
  /** Keeps the input's offset from being committed. */
  readonly held: HeldRecord;
  /** The input's key, decoded when it was taken in. */
  readonly key: unknown;
  /** The input's value, decoded when it was taken in. */
  readonly value: unknown;
  /** What goes on: key, timestamp and headers of the input, and a value to be set. */
  readonly output: Record<unknown, unknown>;
}

/**
 * What all asynchronous operators share: taking records in, and giving results back to the task between records.
 *
 * Owns: the abort signal of everything in flight. Called by: StreamTask through the graph.
 * Invariants: I1 each record taken in is released or failed exactly once, unless cancelled; I2 nothing is forwarded outside
 * `enter`; I3 after `cancel` late results are ignored.
 */
export abstract class AsyncOperatorProcessor implements AsyncProcessor {
  readonly isAsync = true;
  /** What the runtime gave, for calls of the user's function. */
  protected readonly deps: AsyncDeps;
  /** Aborted by `cancel`: its signal goes to every call in flight. */
  protected readonly abort = new AbortController();
  #host: AsyncHost | undefined;
  #context: ProcessorContext | undefined;
  #isEntering = false;
  /** User calls that are running now; the test driver waits for them before it moves time. */
  callsInFlight = 0;

  /** The task attaches its host before the first record. */
  constructor(deps: AsyncDeps) {
    this.deps = deps;
  }

  abstract readonly isSaturated: boolean;
  abstract readonly pending: number;
  abstract process(record: Record<unknown, unknown>): void;
  abstract flush(): void;
  /** Releases what is ready, in its order. Runs between records. */
  protected abstract drain(): void;

  attach(host: AsyncHost): void {
    this.#host = host;
  }

  init(context: ProcessorContext): void {
    this.#context = context;
  }

  cancel(): void {
    this.abort.abort();
  }

  /** The task was closed or revoked: nothing may be forwarded any more. */
  protected get isCancelled(): boolean {
    return this.abort.signal.aborted;
  }

  /** Told by guarded calls when one begins and ends. */
  protected readonly countRunning = (delta: 1 | -1): void => {
    this.callsInFlight += delta;
  };

  /** Decodes the record (an undecodable one throws here, while its source is current) and holds its offset. */
  protected takeIn(record: Record<unknown, unknown>): HeldItem {
    const { key, value } = record;
    const headers = record.hasHeaders ? record.headers : undefined;
    const output = new Record<unknown, unknown>(null, null, record.timestamp, headers);
    output.keyDatum = record.keyDatum.detach();
    const host = this.#host;
    assert(host !== undefined, 'an asynchronous node is attached before its first record');
    return { held: host.hold(), key, value, output };
  }

  /** Asks for `drain` as a message of the task's mailbox; once for all results that arrive before it runs. */
  protected requestDrain(): void {
    if (this.#isEntering || this.isCancelled) return;
    this.#isEntering = true;
    this.#host?.enter(() => {
      this.#isEntering = false;
      if (!this.isCancelled) this.drain();
    });
  }

  /** Forwards the result as the held record's and lets its offset go; undefined drops the record. */
  protected release(item: HeldItem, result: unknown): void {
    item.held.release(() => {
      if (result === undefined) return;
      item.output.valueDatum.setObject(result);
      this.forward(item.output);
    });
  }

  /** Hands a record to the nodes below; inside `drain` only. */
  protected forward(record: Record<unknown, unknown>): void {
    this.#context?.forward(record);
  }

  /** Hands the record to the processing exception handler, which decides about it. */
  protected fail(item: HeldItem, error: unknown): void {
    this.#host?.fail(item.held, error);
  }

  /** What the user's function gets of a record. */
  protected asItem(item: HeldItem, signal: AbortSignal): AsyncItem<unknown, unknown> {
    const { key, value, held, output } = item;
    const { topic, partition, offset } = held;
    return { key, value, timestamp: output.timestamp, topic, partition, offset, signal };
  }
}
