import type { ProcessorContext, RecordMetadata } from './processor.ts';
import type { Record } from './record.ts';

/** Why a record was left out: the tag `reason` of the metric `dropped-records-total`. */
export type DropReason =
  /** The operation works by key, and the record has none. */
  | 'null-key'
  /** The operation needs a value, and the record has none. */
  | 'null-value'
  /** All windows that the record belongs to have closed. */
  | 'expired-window'
  /** The stream's record has no key to look the table up by. */
  | 'null-join-key'
  /** A versioned table above kept the value as history only, and the operation works on newest values. */
  | 'out-of-order-version'
  /** The left value of a foreign-key join points to no entry. */
  | 'null-foreign-key'
  /** The left value of a foreign-key join changed while the answer was on its way. */
  | 'stale-response';

/**
 * What the engine's own nodes use beyond the public context. Every context that the runtime makes is one.
 *
 * `getStateStore` of any processor also answers for global stores, which are connected to nobody.
 *
 * @internal
 */
export interface InternalProcessorContext<KOut = unknown, VOut = unknown> extends ProcessorContext<KOut, VOut> {
  /** Name of the node that this context belongs to. */
  readonly nodeName: string;
  /**
   * Numbers of this task's nodes that are committed with its offsets and are here again when the task goes on elsewhere, Java
   * applications included; keys are names of stores.
   */
  readonly processorMetadata: Map<string, number>;
  /**
   * `forward` for a record that was kept and belongs to an earlier input record: below, `recordMetadata` answers `origin`. The
   * offset that is committed stays that of the record being processed.
   */
  forwardFrom(origin: RecordMetadata, record: Record<KOut, VOut>): void;
  /** Counts the current record in `dropped-records-total` of the task. */
  recordDropped(reason: DropReason): void;
}

/** The context that a node of the engine was given, with what only the engine may use. */
export function internalContext<KOut, VOut>(
  context: ProcessorContext<KOut, VOut>,
): InternalProcessorContext<KOut, VOut> {
  return context as InternalProcessorContext<KOut, VOut>;
}
