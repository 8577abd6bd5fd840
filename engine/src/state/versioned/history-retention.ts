/**
 * Which versions a store still has. Kafka Streams keeps old versions in segments by the time they ended, and forgets a segment
 * when all of it is older than the retention; segments show only where many versions are asked for at once.
 *
 * Owns: the observed stream time. Called by: versioned stores.
 * Invariants: I1 stream time never goes back; I2 a version is kept at least while it may be read: until `end < streamTime − retention`.
 */
export class HistoryRetention {
  /** How long old versions are known and late puts taken, ms of stream time. */
  readonly retentionMs: number;
  readonly #segmentIntervalMs: number;
  #observedStreamTimeMs = -1;

  /** `segmentIntervalMs`: grain in which versions are forgotten, see {@link defaultSegmentIntervalMs}. */
  constructor(retentionMs: number, segmentIntervalMs: number) {
    this.retentionMs = retentionMs;
    this.#segmentIntervalMs = segmentIntervalMs;
  }

  /** The highest timestamp ever put, over all keys, epoch ms; -1 before the first. */
  get observedStreamTimeMs(): number {
    return this.#observedStreamTimeMs;
  }

  /** What ended before this time has been forgotten. */
  get liveFromMs(): number {
    const interval = this.#segmentIntervalMs;
    return Math.max(0, Math.floor((this.#observedStreamTimeMs - this.retentionMs) / interval) * interval);
  }

  /**
   * Whether this time is longer ago than the retention: such puts are dropped, and such reads find nothing but the
   * newest value.
   */
  isExpired(timeMs: number): boolean {
    return timeMs < this.#observedStreamTimeMs - this.retentionMs;
  }

  /** Moves stream time on to a put's timestamp, never back. */
  observe(timestampMs: number): void {
    if (timestampMs > this.#observedStreamTimeMs) this.#observedStreamTimeMs = timestampMs;
  }

  /** Sets stream time, to that of the last commit or to -1. */
  reset(observedStreamTimeMs: number): void {
    this.#observedStreamTimeMs = observedStreamTimeMs;
  }
}

/** Kafka Streams' choice where the user makes none: fewer, longer segments for longer retention. */
export function defaultSegmentIntervalMs(historyRetentionMs: number): number {
  if (historyRetentionMs <= 60_000) return Math.max(Math.floor(historyRetentionMs / 3), 2_000);
  if (historyRetentionMs <= 300_000) return Math.max(Math.floor(historyRetentionMs / 5), 20_000);
  if (historyRetentionMs <= 3_600_000) return Math.max(Math.floor(historyRetentionMs / 12), 60_000);
  return Math.max(Math.floor(historyRetentionMs / 24), 300_000);
}
