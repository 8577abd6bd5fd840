import type { z } from 'zod';
import type { Principal, Scope } from '../auth/principal.ts';
import type { HttpResult } from './exchange.ts';

/** What a handler gets: everything checked, nothing of uWebSockets. */
export interface RouteContext<Params, Query, Body> {
  readonly principal: Principal;
  readonly params: Params;
  readonly query: Query;
  /** Validated, defaults filled in. */
  readonly body: Body;
  /** As the client sent it (parsed JSON): what the payload hash is made of. */
  readonly rawBody: unknown;
  /** Empty when the client sent none (only where the route says `optional` or `none`). */
  readonly idempotencyKey: string;
  /** Path as requested, without the query. */
  readonly path: string;
  /** Search parameters as requested, for links. */
  readonly search: string;
  readonly accept: string;
  readonly requestId: string;
  readonly traceparent: string;
  readonly receivedAtMs: number;
  readonly signal: AbortSignal;
}

/** One documented answer of a route. */
export interface RouteResponse {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One operation of the API: what it accepts, what it answers, who may call it. The server enforces it and the OpenAPI
 * document is generated from it, so the two cannot drift apart.
 */
export interface RouteSpec<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** OpenAPI template: `/v1/parts/{part_id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly scope: Scope;
  readonly params: Params;
  readonly query: Query;
  /** Absent: the route takes no body. */
  readonly body?: Body;
  /** An empty body counts as `{}`. */
  readonly bodyOptional?: boolean;
  readonly idempotencyKey: 'required' | 'optional' | 'none';
  /** Answers besides the problems that every route may give. */
  readonly responses: Readonly<Record<number, RouteResponse>>;
  readonly handle: (context: RouteContext<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<HttpResult>;
}

/** A route without the types of its parameters and body, so that all routes fit one list. */
export interface Route extends Omit<RouteSpec, 'handle'> {
  readonly handle: (context: RouteContext<never, never, never>) => Promise<HttpResult>;
}

/** Checks that a handler takes what its schemas say, and answers the route without those types. */
export function defineRoute<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>(
  spec: RouteSpec<Params, Query, Body>,
): Route {
  return spec as unknown as Route;
}

/** Names in a path template, in order: `['part_id']` for `/v1/parts/{part_id}`. */
export function parameterNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
}
