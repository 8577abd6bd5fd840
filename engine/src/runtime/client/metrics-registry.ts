import type { Metrics, MetricTags } from '../../base/metrics.ts';

interface Entry {
  readonly name: string;
  readonly tags: MetricTags;
  value: number;
}

/** One number of {@link MetricsRegistry}. */
export type MetricValue = Readonly<Entry>;

/**
 * Keeps the latest counters and gauges for `KafkaStreams.metrics()` and passes everything on.
 *
 * Owns: one number per name and tags. Called by: the whole runtime.
 */
export class MetricsRegistry implements Metrics {
  readonly #next: Metrics;
  readonly #entries = new Map<string, Entry>();

  constructor(next: Metrics) {
    this.#next = next;
  }

  count(name: string, tags: MetricTags, delta: number): void {
    this.#entry(name, tags).value += delta;
    this.#next.count(name, tags, delta);
  }

  gauge(name: string, tags: MetricTags, value: number): void {
    this.#entry(name, tags).value = value;
    this.#next.gauge(name, tags, value);
  }

  observe(name: string, tags: MetricTags, value: number): void {
    this.#next.observe(name, tags, value);
  }

  snapshot(): readonly MetricValue[] {
    return [...this.#entries.values()].map(({ name, tags, value }) => ({ name, tags, value }));
  }

  #entry(name: string, tags: MetricTags): Entry {
    let key = name;
    for (const tag in tags) key += `,${tag}=${tags[tag]}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { name, tags, value: 0 };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}
