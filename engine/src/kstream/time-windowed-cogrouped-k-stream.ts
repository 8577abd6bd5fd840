import type { Windowed } from '../serde/windowed.ts';
import type { KTable } from './k-table.ts';
import type { Cogroup } from './operations/cogroup.ts';
import { type AnyTimeWindows, timeForm } from './operations/window-forms.ts';
import type { AggregateOptions } from './options.ts';

/** Cogrouped streams in time windows. Each input has its own stream time, so it alone decides which of its records are late. */
export class TimeWindowedCogroupedKStream<K, A> {
  readonly #cogroup: Cogroup<K, A>;
  readonly #windows: AnyTimeWindows;

  /** @internal */
  constructor(cogroup: Cogroup<K, A>, windows: AnyTimeWindows) {
    this.#cogroup = cogroup;
    this.#windows = windows;
  }

  /**
   * One aggregate of all inputs for each key and window, beginning with the initializer's; a null from an aggregator
   * deletes the window. `options.value` or `options.materialized.value` gives the aggregate's serde; without it, throws
   * `TOPOLOGY`.
   */
  aggregate(initializer: () => A, options: AggregateOptions<K, A> = {}): KTable<Windowed<K>, A> {
    return this.#cogroup.aggregate(initializer, options, timeForm(this.#windows, options.materialized));
  }
}
