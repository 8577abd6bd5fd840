/** Structured log, shaped like pino's methods: fields first, then the sentence. */
export interface ApiLog {
  /** Something worth knowing that asks nobody to act. */
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something outside did not work, such as the platform not answering; the API goes on. */
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** A defect, or something that a person should look at. */
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What the API counts; `app/` puts a registry behind it. */
export interface ApiMetrics {
  /** After each answer. `route` is the path template, so that its cardinality is bounded; `seconds` from first byte to answer. */
  requestFinished(route: string, method: string, status: number, seconds: number): void;
  /** The number of live clients changed. */
  liveClients(count: number): void;
  /** Text for `GET /metrics`. */
  render(): Promise<{
    /** Media type of the text, with its version. */
    readonly contentType: string;
    /** All metrics of the process, in Prometheus' format. */
    readonly body: string;
  }>;
}
