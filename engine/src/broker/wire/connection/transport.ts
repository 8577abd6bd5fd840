import type { SharedBuffer } from '../../buffer-pool.ts';

/** One request of the Kafka protocol, without its length and header. */
export interface WireRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Buffers that are written one after the other; they may not change until the answer came. */
  readonly body: readonly Buffer[];
  readonly timeoutMs: number;
  /** Header versions: all but a few old APIs are flexible in both directions. */
  readonly flexibleRequest: boolean;
  readonly flexibleResponse: boolean;
}

/** An answer: the body lies in `[start, end)` of `shared.buffer`. The receiver releases it once. */
export interface WireResponse {
  readonly shared: SharedBuffer;
  readonly start: number;
  readonly end: number;
}

/**
 * A connection to one broker: the seam at which the transport can be replaced. Answers come in the order of the requests.
 * Rejections are retriable `BrokerError`s with `kafkaCode` -1; after one the transport is closed.
 */
export interface Transport {
  readonly isOpen: boolean;
  /** The highest version of an API that both sides know; throws when there is none. */
  version(apiKey: number, ours: { readonly min: number; readonly max: number }): number;
  send(request: WireRequest): Promise<WireResponse>;
  close(): void;
}
