import type { InternalProcessorContext } from '../../../processor/internal-processor-context.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { Windowed } from '../../../serde/windowed.ts';
import type { Change } from '../table/change.ts';
import type { WindowedOutput } from './windowed-output.ts';

/** What an emitter needs of the node that it emits for; `S` is the node's bytes store. */
export interface EmittingNode<K, A, S> {
  /** To forward with. */
  readonly context: InternalProcessorContext<Windowed<K>, Change<A>>;
  /** The windows: what has closed is read from here. */
  readonly store: S;
  /** Under which the close time is committed. */
  readonly storeName: string;
  /** Of the aggregates. */
  readonly valueSerde: Serde<A>;
  /** The changelog's, which serdes are told. */
  readonly topic: string;
  /** The record that is filled and forwarded for each window. */
  readonly output: WindowedOutput<K, A>;
}

/** What the schedule asks and tells the node's context. */
type ScheduleContext = Pick<
  InternalProcessorContext,
  'config' | 'taskId' | 'nodeName' | 'processorMetadata' | 'currentSystemTimeMs'
>;

/** No window was emitted yet. */
export const NEVER_EMITTED = -1;

/**
 * When a node looks for closed windows to emit, and up to which close time it has. The close time is committed with the offsets, in
 * Kafka Streams' form, so that a task that goes on elsewhere emits no window twice.
 *
 * Owns: the throttle on the wall clock.
 * Called by: the windowed aggregate processors with `EmitStrategy.onWindowClose()`.
 */
export class CloseSchedule {
  readonly #context: ScheduleContext;
  readonly #storeName: string;
  readonly #intervalMs: number;
  #nextLookMs = 0;
  #lastCloseMs: number;

  /** Goes on from the close time that was committed for this store, if one was. */
  constructor(context: ScheduleContext, storeName: string) {
    this.#context = context;
    this.#storeName = storeName;
    this.#intervalMs = context.config.windowEmitIntervalMs;
    this.#lastCloseMs = context.processorMetadata.get(storeName) ?? NEVER_EMITTED;
  }

  /** Close time up to which windows were emitted; {@link NEVER_EMITTED} at first. */
  get lastCloseMs(): number {
    return this.#lastCloseMs;
  }

  /** Whether to look now: the interval has passed, and windows may have closed since. */
  isDue(closeMs: number): boolean {
    const nowMs = this.#context.currentSystemTimeMs();
    if (nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = nowMs + this.#intervalMs;
    return this.#lastCloseMs === NEVER_EMITTED || this.#lastCloseMs < closeMs;
  }

  /** Notes that everything up to this close time was emitted; it is committed with the task. */
  emitted(closeMs: number): void {
    this.#lastCloseMs = closeMs;
    this.#context.processorMetadata.set(this.#storeName, closeMs);
  }

  /** Adds to the metric `emit-final-records-total`. */
  count(windows: number): void {
    const { config, taskId, nodeName } = this.#context;
    if (windows === 0) return;
    config.metrics.count('emit-final-records-total', { 'task-id': taskId, 'processor-node-id': nodeName }, windows);
  }
}
