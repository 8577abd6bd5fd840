import type { Metrics, MetricTags } from '../base/metrics.ts';

/**
 * How many iterators of a store user code holds open (`num-open-iterators`): one that only ever grows tells of a loop that left
 * without closing its iterator.
 *
 * Owns: the count. Called by: the typed stores' iterators.
 */
export class OpenIterators {
  #metrics: Metrics | undefined;
  #tags: MetricTags = {};
  #count = 0;

  /** From now on the count is told. */
  tell(metrics: Metrics, tags: MetricTags): void {
    this.#metrics = metrics;
    this.#tags = tags;
  }

  /** An iterator was made. */
  add(): void {
    this.#count += 1;
    this.#metrics?.gauge('num-open-iterators', this.#tags, this.#count);
  }

  /** An iterator was closed, or came to its end. */
  remove(): void {
    this.#count -= 1;
    this.#metrics?.gauge('num-open-iterators', this.#tags, this.#count);
  }
}
