/** Every bound of the API in one place; `app/` may override single ones. */
export interface ApiLimits {
  /** Bytes that a request's body may have; a longer one is refused with 413. */
  readonly bodyBytesMax: number;
  /** Time that a request may take; then it is answered with 503, or 408 where its body has not arrived. */
  readonly handlerTimeoutMs: number;
  /** How long `close()` waits for requests under way. */
  readonly drainTimeoutMs: number;
  /** Bytes that an uploaded object may have; checked when it is confirmed. */
  readonly uploadBytesMax: number;
  /** How long an upload address works. */
  readonly uploadUrlSeconds: number;
  /** How long a download address works. */
  readonly downloadUrlSeconds: number;
  /** WebSockets that may be open at once; further ones are refused with 503. */
  readonly liveClientsMax: number;
  /** Bytes that may wait for a live client; one that falls further behind is disconnected and resumes by its offset. */
  readonly liveBackpressureBytesMax: number;
  /** Time between two heartbeats of a live connection, which is also how late an expired token is noticed. */
  readonly heartbeatMs: number;
}

/** The bounds where nothing else is given, with the reason of each. */
export const DEFAULT_LIMITS: ApiLimits = {
  /** Bodies are small JSON documents; images go straight to the object store. */
  bodyBytesMax: 256 * 1024,
  /** Longer than the command gateway's own deadline, so that this one only catches what has none. */
  handlerTimeoutMs: 20_000,
  /** How long `close()` waits for requests under way. Kubernetes gives 30 s in all. */
  drainTimeoutMs: 10_000,
  /** Short videos and measurements; an image beyond the 8 MB that the detector takes is told so by its inference. */
  uploadBytesMax: 16 * 1024 * 1024,
  /** Long enough for a slow station, short enough that a leaked URL soon stops working. */
  uploadUrlSeconds: 15 * 60,
  /** A page follows it at once. */
  downloadUrlSeconds: 5 * 60,
  /** Each client may hold `liveBackpressureBytesMax`: the product bounds the memory. */
  liveClientsMax: 500,
  /** Room for one snapshot of boards with many defects; a client that falls further behind is closed and resumes. */
  liveBackpressureBytesMax: 2 * 1024 * 1024,
  /** Under the usual 30–60 s idle timeout of proxies. */
  heartbeatMs: 10_000,
};

/** Bytes of an oversized body that are still read and thrown away, so that the client gets to see the 413. */
export const DISCARD_BYTES_MAX = 2 * 1024 * 1024;
