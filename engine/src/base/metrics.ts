/** Where the engine counts. `app/` connects it to prom-client; names and tags are Kafka Streams' (`dropped-records`, `task-id`). */
export interface Metrics {
  count(name: string, tags: MetricTags, delta: number): void;
  gauge(name: string, tags: MetricTags, value: number): void;
  /** A duration or size to be summarised by the receiver. */
  observe(name: string, tags: MetricTags, value: number): void;
}

export type MetricTags = Readonly<Record<string, string>>;

export const noMetrics: Metrics = { count() {}, gauge() {}, observe() {} };

/** Log lines leave through this port; fields are structured, the message is a sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
