import type { Problem } from '@chip-quality/schemas';
import type { HttpResult } from './exchange.ts';
import { PROBLEM_CONTENT_TYPE } from './problem.ts';

/** Headers of every answer. The content policy is the one for data; pages bring their own. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const DATA_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
};

/** An answer with a JSON body that no cache keeps. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpResult {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...DATA_HEADERS, ...headers },
    body: JSON.stringify(body),
  };
}

/** An answer with problem details; `instance` becomes the request's URN. */
export function problemResult(
  problem: Problem,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResult {
  return json(
    problem.status,
    { ...problem, instance: `urn:uuid:${requestId}` },
    { ...headers, 'Content-Type': PROBLEM_CONTENT_TYPE },
  );
}
