import type { ProcessorContext } from '../../../processor/processor.ts';

/** What a transformer may use: everything of a processor but `forward`, since its result is what goes on. */
export type ValueTransformerContext = Omit<ProcessorContext<never, never>, 'forward'>;

/**
 * Computes the values of a table with the help of stores and punctuators (Java's `ValueTransformerWithKey`). One
 * instance a task, and one more for each operation below that looks values up in a table that is not materialised: then
 * it computes them again, so it must be repeatable.
 */
export interface ValueTransformer<K, V, VOut> {
  /**
   * Called once, when the task's stores are restored and before the first record: get stores and schedule punctuators
   * here.
   */
  init?(context: ValueTransformerContext): void;
  /** Gets null for deletions; null and undefined delete. */
  transform(key: K, value: V | null): VOut | null | undefined;
  /** Called once when the task ends here. */
  close?(): void;
}

/** Makes a new transformer each time: a function, or an object with `get` as Java's supplier. */
export type ValueTransformerFactory<K, V, VOut> =
  | (() => ValueTransformer<K, V, VOut>)
  | {
      /** A new transformer each time: tasks never share one. */
      get(): ValueTransformer<K, V, VOut>;
    };
