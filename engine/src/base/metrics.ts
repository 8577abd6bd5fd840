/**
 * Where the engine counts. Names and tags are Kafka Streams' (`dropped-records-total`, `task-id`); an application
 * connects it to its own metrics library, such as prom-client.
 */
export interface Metrics {
  /** Adds `delta` to a counter. */
  count(name: string, tags: MetricTags, delta: number): void;
  /** Sets a number that goes up and down, such as a lag or a size. */
  gauge(name: string, tags: MetricTags, value: number): void;
  /** Reports one duration (ms) or size (bytes), to be summarised by the receiver. */
  observe(name: string, tags: MetricTags, value: number): void;
}

/** What a measurement belongs to, such as `task-id` and `processor-node-id`. Names and values are strings. */
export type MetricTags = Readonly<Record<string, string>>;

/** Drops every measurement. */
export const noMetrics: Metrics = { count() {}, gauge() {}, observe() {} };

/** Log lines leave through this port; fields are structured (an error is in `err`), the message is a sentence. */
export interface Log {
  /** What helps to find a defect of the engine. */
  debug(fields: object, message: string): void;
  /** What an operator may want to know: assignments, restores, states. */
  info(fields: object, message: string): void;
  /** What the engine mended itself, or what was skipped by a handler's decision. */
  warn(fields: object, message: string): void;
  /** What it could not mend: a thread that ends, records that are lost. */
  error(fields: object, message: string): void;
}

/** Drops every line. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
