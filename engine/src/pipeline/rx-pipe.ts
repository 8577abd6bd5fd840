import { type Observable, type OperatorFunction, Subject, type Subscription } from 'rxjs';
import type { PipeRecord } from '../processor/async-operator.ts';
import { Record } from '../processor/record.ts';
import { type AsyncDeps, AsyncNode, type HeldItem } from './async-node.ts';

/** Records of one bundle: each holds its offset back until the bundle is complete, so a bundle must end some time. */
const bundleRecordsMax = 1_000;
/** Complete sources whose outputs are still awaited. */
const openBundlesMax = 2;

interface Bundle {
  readonly source: Subject<unknown>;
  readonly items: HeldItem[];
  readonly outputs: PipeRecord<unknown, unknown>[];
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
 * subscribes afresh for the next. Operator state (scan, buffer) is per bundle.
 *
 * Owns: bundles and their subscriptions. Called by: StreamTask.
 * Invariants: those of AsyncNode; I4 outputs are forwarded bundle by bundle in the order emitted, then all offsets of the
 * bundle are let go; I5 an error fails every record of its bundle.
 */
export class RxPipe extends AsyncNode {
  readonly #operators: readonly OperatorFunction<unknown, unknown>[];
  readonly #bundles: Bundle[] = [];
  #items = 0;

  constructor(operators: readonly OperatorFunction<unknown, unknown>[], deps: AsyncDeps) {
    super(deps);
    this.#operators = operators;
  }

  get saturated(): boolean {
    return this.#bundles.length > openBundlesMax;
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
    if (bundle.items.length >= bundleRecordsMax) this.completeBundle();
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
      next: (output) => bundle.outputs.push(output as PipeRecord<unknown, unknown>),
      error: (error: unknown) => end(true, error),
      complete: () => end(false, undefined),
    });
    return bundle;
  }

  protected drain(): void {
    while (this.#bundles[0]?.done === true) {
      const bundle = this.#bundles.shift() as Bundle;
      this.#items -= bundle.items.length;
      if (bundle.failed) {
        for (const item of bundle.items) this.fail(item, bundle.error);
        continue;
      }
      const last = bundle.items.at(-1);
      const timestamp = Math.max(0, ...bundle.items.map((item) => item.output.timestamp));
      for (const item of bundle.items) {
        item.held.release(() => {
          if (item !== last) return;
          for (const output of bundle.outputs) {
            this.forward(new Record(output.key, output.value, output.timestamp ?? timestamp));
          }
        });
      }
    }
  }
}
