import { type Observable, type OperatorFunction, Subject, type Subscription } from 'rxjs';
import type { PipeRecord } from '../processor/async-operator.ts';
import { Record } from '../processor/record.ts';
import { type AsyncDeps, AsyncOperatorProcessor, type HeldItem } from './async-operator-processor.ts';

/** Records of one bundle: each holds its offset back until the bundle is complete, so a bundle must end some time. */
const BUNDLE_RECORDS_MAX = 1_000;
/** Complete sources whose outputs are still awaited. */
const OPEN_BUNDLES_MAX = 2;

interface Bundle {
  readonly source: Subject<unknown>;
  readonly items: HeldItem[];
  /** Emitted and not forwarded yet. */
  outputs: PipeRecord<unknown, unknown>[];
  subscription: Subscription | undefined;
  /** No more inputs. */
  closed: boolean;
  /** All outputs are here, or the error. */
  done: boolean;
  failed: boolean;
  error: unknown;
}

/**
 * `pipe`: user-given RxJS operators. They hide which output belongs to which input, so they work on bundles: the runtime
 * completes a bundle's source (before each commit, at 1,000 records, when flushed), awaits outputs and completion, and
 * subscribes afresh for the next. Operator state (scan, buffer) is per bundle. Outputs go on as they come.
 *
 * Owns: bundles and their subscriptions. Called by: StreamTask.
 * Invariants: those of AsyncOperatorProcessor; I4 outputs are forwarded bundle by bundle in the order emitted; a bundle's offsets are
 * let go together, when it is complete; I5 an error fails every record of its bundle.
 */
export class RxPipe extends AsyncOperatorProcessor {
  readonly #operators: readonly OperatorFunction<unknown, unknown>[];
  readonly #bundles: Bundle[] = [];
  #items = 0;

  constructor(operators: readonly OperatorFunction<unknown, unknown>[], deps: AsyncDeps) {
    super(deps);
    this.#operators = operators;
  }

  get isSaturated(): boolean {
    return this.#bundles.length > OPEN_BUNDLES_MAX;
  }

  get pending(): number {
    return this.#items;
  }

  process(record: Record<unknown, unknown>): void {
    const item = this.takeIn(record);
    this.#items += 1;
    let bundle = this.#bundles.at(-1);
    if (bundle === undefined || bundle.closed) bundle = this.#open();
    bundle.items.push(item);
    bundle.source.next(this.asItem(item, this.abort.signal));
    if (bundle.items.length >= BUNDLE_RECORDS_MAX) this.completeBundle();
  }

  flush(): void {
    this.completeBundle();
  }

  /** Completes the source of the bundle that takes records. */
  completeBundle(): void {
    const bundle = this.#bundles.at(-1);
    if (bundle === undefined || bundle.closed) return;
    bundle.closed = true;
    bundle.source.complete();
  }

  override cancel(): void {
    super.cancel();
    for (const bundle of this.#bundles) bundle.subscription?.unsubscribe();
    this.#bundles.length = 0;
    this.#items = 0;
  }

  #open(): Bundle {
    const source = new Subject<unknown>();
    const bundle: Bundle = {
      source,
      items: [],
      outputs: [],
      subscription: undefined,
      closed: false,
      done: false,
      failed: false,
      error: undefined,
    };
    this.#bundles.push(bundle);
    const end = (failed: boolean, error: unknown): void => {
      bundle.closed = true;
      bundle.done = true;
      bundle.failed = failed;
      bundle.error = error;
      this.requestDrain();
    };
    const piped = this.#operators.reduce<Observable<unknown>>((stream, operator) => stream.pipe(operator), source);
    bundle.subscription = piped.subscribe({
      next: (output) => {
        bundle.outputs.push(output as PipeRecord<unknown, unknown>);
        this.requestDrain();
      },
      error: (error: unknown) => end(true, error),
      complete: () => end(false, undefined),
    });
    return bundle;
  }

  protected drain(): void {
    for (;;) {
      const bundle = this.#bundles[0];
      if (bundle === undefined) return;
      if (!bundle.failed) this.#forwardOutputs(bundle);
      if (!bundle.done) return;
      this.#bundles.shift();
      this.#items -= bundle.items.length;
      for (const item of bundle.items) {
        if (bundle.failed) this.fail(item, bundle.error);
        else item.held.release(() => {});
      }
    }
  }

  /** Outputs go on as those of the bundle's last input so far. */
  #forwardOutputs(bundle: Bundle): void {
    const last = bundle.items.at(-1);
    if (bundle.outputs.length === 0 || last === undefined) return;
    const { outputs } = bundle;
    bundle.outputs = [];
    const highestMs = bundle.items.reduce((highest, item) => Math.max(highest, item.output.timestamp), 0);
    last.held.run(() => {
      for (const { key, value, timestamp } of outputs) this.forward(new Record(key, value, timestamp ?? highestMs));
    });
  }
}
