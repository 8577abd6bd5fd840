import type { Windowed } from '../serde/windowed.ts';
import type { KTable } from './k-table.ts';
import type { Cogroup } from './operations/cogroup.ts';
import { sessionForm } from './operations/window-forms.ts';
import type { AggregateOptions } from './options.ts';
import type { SessionWindows } from './windows/session-windows.ts';

/** Cogrouped streams in sessions, which records of any input make and connect. Each input has its own stream time. */
export class SessionWindowedCogroupedKStream<K, A> {
  readonly #cogroup: Cogroup<K, A>;
  readonly #windows: SessionWindows;

  /** @internal */
  constructor(cogroup: Cogroup<K, A>, windows: SessionWindows) {
    this.#cogroup = cogroup;
    this.#windows = windows;
  }

  /**
   * One aggregate of all inputs for each key and session. `merger` makes one aggregate of two when a record connects
   * sessions. `options.value` or `options.materialized.value` gives the aggregate's serde; without it, throws
   * `TOPOLOGY`.
   */
  aggregate(
    initializer: () => A,
    merger: (key: K, aggregate: A, other: A) => A | null,
    options: AggregateOptions<K, A> = {},
  ): KTable<Windowed<K>, A> {
    return this.#cogroup.aggregate(initializer, options, sessionForm(this.#windows, merger, options.materialized));
  }
}
