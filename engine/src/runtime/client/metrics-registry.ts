import type { Metrics, MetricTags } from '../../base/metrics.ts';

/** A counter or gauge, as it is now. */
interface Entry {
  /** Kafka Streams' name of it. */
  readonly name: string;
  /** What tells it from others of the name: task, node, store. */
  readonly tags: MetricTags;
  /** A counter's sum since the start, a gauge's last value. */
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

  /** `next`: who is told of everything, too. */
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

  /** A copy of all numbers. */
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
