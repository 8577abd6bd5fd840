import type { SharedBuffer } from '../../buffer-pool.ts';

/** One request of the Kafka protocol, without its length and header. */
export interface WireRequest {
  /** Kafka's number of the request. */
  readonly apiKey: number;
  /** Version that the body is written in. */
  readonly apiVersion: number;
  /** Buffers that are written one after the other; they may not change until the answer came. */
  readonly body: readonly Buffer[];
  /** Without an answer for so long the connection is closed, ms. */
  readonly timeoutMs: number;
  /** Whether the request's header has tagged fields: all but a few old APIs are flexible in both directions. */
  readonly flexibleRequest: boolean;
  /** Whether the answer's header has tagged fields. */
  readonly flexibleResponse: boolean;
}

/** An answer: the body lies in `[start, end)` of `shared.buffer`. The receiver releases it once. */
export interface WireResponse {
  /** Holds the answer; release it once. */
  readonly shared: SharedBuffer;
  /** Where the body begins, after the header. */
  readonly start: number;
  /** Where it ends, exclusive. */
  readonly end: number;
}

/**
 * A connection to one broker: the seam at which the transport can be replaced. Answers come in the order of the requests.
 * Rejections are retriable `BrokerError`s with `kafkaCode` -1; after one the transport is closed.
 */
export interface Transport {
  /** Whether requests may be sent. */
  readonly isOpen: boolean;
  /** The highest version of an API that both sides know; throws when there is none. */
  version(apiKey: number, ours: { readonly min: number; readonly max: number }): number;
  /** Writes the request behind those before it; resolves with its answer. */
  send(request: WireRequest): Promise<WireResponse>;
  /** Rejects what is in flight. */
  close(): void;
}
