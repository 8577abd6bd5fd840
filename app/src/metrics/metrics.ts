import type { ApiMetrics } from '@chip-quality/api';
import type { ModelObserver } from '@chip-quality/models';
import type { InferenceMetrics } from '@chip-quality/topologies';
import type { Log, Metrics, MetricTags } from 'millrace';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { createModelObserver } from './model-metrics.ts';

/** The 200 ms and 500 ms of the service levels are bucket bounds, so that they can be alerted on exactly. */
const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
/** The preferred sizes, what can be left below them, and what a client may ask for. */
const BATCH_SIZE_BUCKETS = [1, 2, 3, 4, 8, 16, 32];
/** From the delay that is meant (2 ms) to the age at which a board is overdue (5 s), and beyond. */
const QUEUE_SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** As the metrics of model versions have them: two versions on one graph. */
const VERSION_LABELS = ['model', 'version'];

/** The metrics ports of the process's components; all of them count into one registry. */
export interface PlatformMetrics {
  /** For the API, which also renders the registry. */
  readonly api: ApiMetrics;
  /** For all Kafka Streams applications of the process. */
  readonly engine: Metrics;
  /** For the inference flow: batches, waits, verdicts. */
  readonly inference: InferenceMetrics;
  /** Makes what observes the versions of one model. */
  readonly models: (model: string, log: Log) => ModelObserver;
}

/** The one registry of the process, behind the API's and the engine's metrics ports. */
export function createMetrics(): PlatformMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From first byte to answer',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  });
  const live = new Gauge({ name: 'live_clients', help: 'Open live feeds', registers: [registry] });
  return {
    api: {
      requestFinished: (route, method, status, seconds) => requests.observe({ route, method, status }, seconds),
      liveClients: (count) => live.set(count),
      render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    },
    engine: new EngineMetrics(registry),
    inference: createInferenceMetrics(registry),
    models: createModelObserver(registry),
  };
}

function createInferenceMetrics(registry: Registry): InferenceMetrics {
  const registers = [registry];
  const sizes = new Histogram({
    name: 'inference_batch_size',
    help: 'Boards in one batch of a version of the detector',
    labelNames: VERSION_LABELS,
    buckets: BATCH_SIZE_BUCKETS,
    registers,
  });
  const waits = new Histogram({
    name: 'inference_queue_seconds',
    help: 'Wait of a decoded board for its batch',
    labelNames: ['priority'],
    buckets: QUEUE_SECONDS_BUCKETS,
    registers,
  });
  const batches = new Counter({
    name: 'inference_batches_total',
    help: 'Batches that were formed; preferred: of size 4, 8 or 16',
    labelNames: [...VERSION_LABELS, 'preferred'],
    registers,
  });
  const known = new Counter({
    name: 'inference_known_boards_total',
    help: 'Judged boards whose verdict a station knew: positive is fail, true is as expected',
    labelNames: [...VERSION_LABELS, 'outcome'],
    registers,
  });
  const failures = new Counter({
    name: 'inference_failures_total',
    help: 'Inferences without a result, by reason (docs/errors.md)',
    labelNames: ['reason'],
    registers,
  });
  const counts = new Map<string, { formed: number; preferred: number }>();
  const share = new Gauge({
    name: 'inference_preferred_batch_share',
    help: 'Share of a version’s batches since the start that had a preferred size, 0 to 1',
    labelNames: VERSION_LABELS,
    registers,
  });
  return {
    batchFormed: ({ modelName: model, modelVersion: version }, size, preferred) => {
      const labels = { model, version };
      sizes.observe(labels, size);
      batches.inc({ ...labels, preferred: String(preferred) });
      const count = counts.get(`${model}/${version}`) ?? { formed: 0, preferred: 0 };
      counts.set(`${model}/${version}`, count);
      count.formed += 1;
      if (preferred) count.preferred += 1;
      share.set(labels, count.preferred / count.formed);
    },
    knownJudged: ({ modelName: model, modelVersion: version }, expected, verdict) => {
      const outcome = `${expected === verdict}-${verdict === 'fail' ? 'positive' : 'negative'}`;
      known.inc({ model, version, outcome });
    },
    queued: (priority, waitMs) => waits.observe({ priority }, waitMs / 1_000),
    failed: (reason) => failures.inc({ reason }),
  };
}

/**
 * Owns: the prom-client metrics behind the engine's names. Called by: the engine, on its own thread.
 * Invariants: I1 a name always carries the same labels: those of its first use, others are dropped.
 */
class EngineMetrics implements Metrics {
  readonly #registry: Registry;
  readonly #counters = new Map<string, Labelled<Counter>>();
  readonly #gauges = new Map<string, Labelled<Gauge>>();
  readonly #summaries = new Map<string, Labelled<Summary>>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  count(name: string, tags: MetricTags, delta: number): void {
    const { metric, labels } = this.#of(this.#counters, name, tags, (options) => new Counter(options));
    metric.inc(pick(tags, labels), delta);
  }

  gauge(name: string, tags: MetricTags, value: number): void {
    const { metric, labels } = this.#of(this.#gauges, name, tags, (options) => new Gauge(options));
    metric.set(pick(tags, labels), value);
  }

  observe(name: string, tags: MetricTags, value: number): void {
    const { metric, labels } = this.#of(
      this.#summaries,
      name,
      tags,
      (options) => new Summary({ ...options, percentiles: [0.5, 0.95, 0.99], maxAgeSeconds: 60, ageBuckets: 3 }),
    );
    metric.observe(pick(tags, labels), value);
  }

  #of<M>(
    metrics: Map<string, Labelled<M>>,
    name: string,
    tags: MetricTags,
    make: (options: { name: string; help: string; labelNames: string[]; registers: Registry[] }) => M,
  ): Labelled<M> {
    let found = metrics.get(name);
    if (found === undefined) {
      const labels = Object.keys(tags);
      found = {
        labels,
        metric: make({
          name: `millrace_${prometheusName(name)}`,
          help: `Kafka Streams metric ${name}`,
          labelNames: labels.map(prometheusName),
          registers: [this.#registry],
        }),
      };
      metrics.set(name, found);
    }
    return found;
  }
}

interface Labelled<M> {
  readonly metric: M;
  readonly labels: readonly string[];
}

function pick(tags: MetricTags, labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label) => [prometheusName(label), tags[label] ?? '']));
}

function prometheusName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}
