import type { KGroupedStream } from './k-grouped-stream.ts';
import type { KTable } from './k-table.ts';
import { Cogroup, type CogroupForm } from './operations/cogroup.ts';
import type { Dsl } from './operations/definitions.ts';
import { tableStore } from './operations/materialize.ts';
import type { AnyTimeWindows } from './operations/window-forms.ts';
import type { AggregateOptions } from './options.ts';
import { AggregateProcessor } from './processors/aggregate/aggregate-processor.ts';
import { storeGetter } from './processors/table/table-value-getter.ts';
import { SessionWindowedCogroupedKStream } from './session-windowed-cogrouped-k-stream.ts';
import { TimeWindowedCogroupedKStream } from './time-windowed-cogrouped-k-stream.ts';
import { SessionWindows } from './windows/session-windows.ts';

/**
 * Several grouped streams, each with an aggregator of its own, that make one aggregate a key in one store: what several
 * aggregations and joins of their tables would do, with less state. Records without a key or value take no part.
 * @example
 * ```ts
 * const added = builder.stream('items-added', { key: string(), value: string() }).groupByKey();
 * const removed = builder.stream('items-removed', { key: string(), value: string() }).groupByKey();
 * added
 *   .cogroup<readonly string[]>((_user, item, cart) => [...cart, item])
 *   .cogroup(removed, (_user, item, cart) => cart.filter((other) => other !== item))
 *   .aggregate(() => [], { value: json(), materialized: { name: 'carts' } });
 * ```
 */
export class CogroupedKStream<K, A> {
  readonly #cogroup: Cogroup<K, A>;

  /** @internal Made by `KGroupedStream.cogroup`. */
  constructor(dsl: Dsl) {
    this.#cogroup = new Cogroup(dsl);
  }

  /** Adds a grouped stream; the same one again replaces its aggregator. */
  cogroup<V>(grouped: KGroupedStream<K, V>, aggregator: (key: K, value: NoInfer<V>, aggregate: A) => A | null): this {
    this.#cogroup.add(grouped.grouping as never, aggregator as never);
    return this;
  }

  /** The aggregate of all inputs, beginning with the initializer's. A null from an aggregator deletes the key. */
  aggregate(initializer: () => A, options: AggregateOptions<K, A> = {}): KTable<K, A> {
    const form: CogroupForm<K, K, A> = {
      closesAfterMs: undefined,
      keySerde: (key) => key,
      store: (name, key, value) => tableStore(name, key, value, options.materialized),
      getter: (name, keySerde, valueSerde) =>
        storeGetter({ name, keySerde, valueSerde, historyRetentionMs: options.materialized?.historyRetentionMs }),
      processor: (spec) => new AggregateProcessor(spec) as never,
    };
    return this.#cogroup.aggregate(initializer, options, form);
  }

  /** One aggregate for each key and window. Every input has its own stream time. */
  windowedBy(windows: AnyTimeWindows): TimeWindowedCogroupedKStream<K, A>;
  /** One aggregate for each key and session. */
  windowedBy(windows: SessionWindows): SessionWindowedCogroupedKStream<K, A>;
  windowedBy(
    windows: AnyTimeWindows | SessionWindows,
  ): TimeWindowedCogroupedKStream<K, A> | SessionWindowedCogroupedKStream<K, A> {
    if (windows instanceof SessionWindows) return new SessionWindowedCogroupedKStream(this.#cogroup, windows);
    return new TimeWindowedCogroupedKStream(this.#cogroup, windows);
  }
}
