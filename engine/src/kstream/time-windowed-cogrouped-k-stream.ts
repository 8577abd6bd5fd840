import { type Windowed, windowed } from '../serde/windowed.ts';
import type { Cogroup, CogroupForm } from './cogroup.ts';
import type { KTable } from './k-table.ts';
import { windowedTableStore } from './materialize.ts';
import { windowStoreGetter } from './nodes/table-value-getter.ts';
import { WindowAggregateProcessor } from './nodes/window-aggregate-processor.ts';
import type { AggregateOptions } from './options.ts';
import type { TimeWindows } from './windows.ts';

/** Cogrouped streams in time windows. Each input has its own stream time, so it alone decides which of its records are late. */
export class TimeWindowedCogroupedKStream<K, A> {
  readonly #cogroup: Cogroup<K, A>;
  readonly #windows: TimeWindows;

  /** @internal */
  constructor(cogroup: Cogroup<K, A>, windows: TimeWindows) {
    this.#cogroup = cogroup;
    this.#windows = windows;
  }

  aggregate(initializer: () => A, options: AggregateOptions<K, A> = {}): KTable<Windowed<K>, A> {
    const windows = this.#windows;
    const form: CogroupForm<K, Windowed<K>, A> = {
      closesAfterMs: windows.graceMs,
      keySerde: (key) => windowed(key, windows.sizeMs),
      store: (name, key, value) => windowedTableStore(name, key, value, windows, options.materialized),
      getter: windowStoreGetter,
      processor: (spec, keySerde) => new WindowAggregateProcessor(spec, windows, keySerde) as never,
    };
    return this.#cogroup.aggregate(initializer, options, form);
  }
}
