/** Structured log, shaped like pino's methods: fields first, then the sentence. */
export interface ApiLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What the API counts; `app/` puts a registry behind it. */
export interface ApiMetrics {
  /** After each answer. `route` is the path template, so that its cardinality is bounded; `seconds` from first byte to answer. */
  requestFinished(route: string, method: string, status: number, seconds: number): void;
  /** The number of live clients changed. */
  liveClients(count: number): void;
  /** Text for `GET /metrics`. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}
