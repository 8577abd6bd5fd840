import type { FieldError } from '@chip-quality/schemas';
import type { z } from 'zod';
import type { HttpExchange, HttpResult } from './exchange.ts';
import type { LinkRequest } from './link.ts';
import { ProblemError } from './problem.ts';
import { parameterNames, type Route, type RouteContext } from './route.ts';

/** Visible ASCII, as the header's draft and Kafka keys both allow. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Takes a request that the links have let through to a route's handler: path, query, headers, body, in this order.
 *
 * @throws ProblemError for everything the client did wrong; whatever the handler throws
 */
export async function runRoute(
  route: Route,
  exchange: HttpExchange,
  { principal, receivedAtMs }: LinkRequest,
): Promise<HttpResult> {
  if (principal === undefined) throw new Error(`nobody was authenticated for ${route.path}`);
  const errors: FieldError[] = [];
  const names = parameterNames(route.path);
  const params = check(
    route.params,
    Object.fromEntries(names.map((name, index) => [name, exchange.params[index] ?? ''])),
    'path',
    errors,
  );
  const query = check(route.query, queryObject(exchange.query, errors), 'query', errors);
  if (errors.length > 0) throw invalid(errors);
  const idempotencyKey = readIdempotencyKey(route, exchange);

  const rawBody = route.body === undefined ? undefined : await readJson(route, exchange);
  const body = route.body === undefined ? undefined : check(route.body, rawBody, 'body', errors);
  if (errors.length > 0) throw invalid(errors);

  const context: RouteContext<unknown, unknown, unknown> = {
    principal,
    params,
    query,
    body,
    rawBody,
    idempotencyKey,
    path: exchange.path,
    search: exchange.query,
    accept: exchange.header('accept'),
    requestId: exchange.requestId,
    traceparent: exchange.traceparent,
    receivedAtMs,
    signal: exchange.signal,
  };
  return route.handle(context as RouteContext<never, never, never>);
}

function check(schema: z.ZodType, value: unknown, where: FieldError['in'], errors: FieldError[]): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = issue.path.map(String);
    // An unknown field's issue names its parent: name the field itself, which is what the client has to look for.
    const fields = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    const message = issue.code === 'unrecognized_keys' ? 'Unknown field' : issue.message;
    for (const field of fields) errors.push({ in: where, field: field.join('.'), message });
  }
  return undefined;
}

function invalid(errors: readonly FieldError[]): ProblemError {
  const first = errors[0];
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const field = first?.field === '' ? `the ${first.in}` : `${first?.field} (${first?.in})`;
  return new ProblemError('invalid-request', `${field}: ${first?.message}${rest}`, { errors });
}

function queryObject(query: string, errors: FieldError[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (values.has(name)) errors.push({ in: 'query', field: name, message: 'Given more than once' });
    values.set(name, value);
  }
  return Object.fromEntries(values);
}

function readIdempotencyKey(route: Route, exchange: HttpExchange): string {
  const key = exchange.header('idempotency-key');
  if (route.idempotencyKey === 'none' || (route.idempotencyKey === 'optional' && key === '')) return '';
  if (IDEMPOTENCY_KEY.test(key)) return key;
  const detail =
    key === ''
      ? 'Send an Idempotency-Key header, so that a repetition of this request has no second effect.'
      : 'The Idempotency-Key has 1 to 255 visible ASCII characters.';
  throw new ProblemError(key === '' ? 'idempotency-key-required' : 'invalid-request', detail, {
    errors: [{ in: 'header', field: 'Idempotency-Key', message: key === '' ? 'Required' : 'Not usable' }],
  });
}

async function readJson(route: Route, exchange: HttpExchange): Promise<unknown> {
  const bytes = await exchange.body;
  if (bytes.byteLength === 0) {
    if (route.bodyOptional === true) return {};
    throw new ProblemError('malformed-json', 'The body is empty; a JSON object is expected.');
  }
  const mediaType = exchange.header('content-type').split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new ProblemError('unsupported-media-type', `Content-Type is "${mediaType}", not application/json.`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const detail = error instanceof SyntaxError ? error.message : 'The body is not UTF-8.';
    throw new ProblemError('malformed-json', detail, { cause: error });
  }
}
