import type { Principal, Scope } from '../auth/principal.ts';
import type { RouteResponse } from './route.ts';

/** Who may call an address, as data: a token with a scope, or anybody, with the reason why that is right. */
export type Access =
  | {
      /** Needs a token. */
      readonly kind: 'token';
      /** What the token must allow. */
      readonly scope: Scope;
    }
  | {
      /** Needs nothing. */
      readonly kind: 'public';
      /** Why that is right, for whoever reviews the addresses. */
      readonly why: string;
    };

/** What a client says about itself. */
export interface Credentials {
  /** The `Authorization` header; empty when absent. */
  readonly authorization: string;
  /** A token that came by another way (a browser's WebSocket can't set headers); undefined when none did. */
  readonly token: string | undefined;
}

/** How a request ended. */
export interface RequestEnd {
  /** Of the answer that was written; 499 when the client had gone, 101 for a WebSocket that was opened. */
  readonly status: number;
  /** From the first byte to the answer. */
  readonly durationMs: number;
}

/** What links know of a request. Nothing of uWebSockets, so that HTTP requests and WebSocket upgrades go through the same ones. */
export interface LinkRequest {
  /** As requested, in capitals. */
  readonly method: string;
  /** The path template (`/v1/parts/{part_id}`) or `unmatched`: names of limits and records must not grow with the ids in use. */
  readonly route: string;
  /** Who may call the address. */
  readonly access: Access;
  /** As requested, without the query. */
  readonly path: string;
  /** UUIDv7; the answer carries it as `X-Request-Id`. */
  readonly requestId: string;
  /** W3C trace context of our span. */
  readonly traceparent: string;
  /** Epoch ms. */
  readonly receivedAtMs: number;
  /** The token, wherever it came. */
  readonly credentials: Credentials;
  /** Who asks; undefined before the link `authenticate`, and for what is public. */
  readonly principal?: Principal;
  /** Aborts when the client goes away or the request takes too long. */
  readonly signal: AbortSignal;
  /** Adds a header to whatever the answer will be. */
  addHeader(name: string, value: string): void;
  /** Calls back once, after the request has ended in whatever way. */
  onEnd(listener: (end: RequestEnd) => void): void;
}

/** The rest of the chain: the next link, or in the end the handler. */
export type Next<Answer> = (request: LinkRequest) => Promise<Answer>;

/**
 * One step before the handlers.
 *
 * A link either calls `next` once and answers what that answers, or refuses by throwing a `ProblemError` (an `UnavailableError`
 * where the client may come back). It may pass on a request that says more than the one it got. It never sees an answer, which may
 * be a WebSocket: what it wants to add or know goes through {@link LinkRequest.addHeader} and {@link LinkRequest.onEnd}.
 */
export interface Link {
  /** For tests and reviews; unique in a chain. */
  readonly name: string;
  /** The problems that it refuses with, by status, as the OpenAPI document shows them. */
  readonly problems: Readonly<Record<number, RouteResponse>>;
  /** Lets the request through by calling `next`, or throws what it refuses with. */
  readonly pass: <Answer>(request: LinkRequest, next: Next<Answer>) => Promise<Answer>;
}
