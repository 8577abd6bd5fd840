import type { ApiMetrics } from '../http/api-log.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { ProblemError } from '../http/problem.ts';
import { json } from '../http/response.ts';

/** What the addresses besides the documented routes answer with. */
export interface ServiceSurroundings {
  /** The OpenAPI document. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly metrics: ApiMetrics;
  /** Names of what is not ready; empty when all is. */
  readonly notReady: () => readonly string[];
}

/** Probes, metrics and the documentation: for machines and people that have no token. */
export function serviceEndpoints({ document, metrics, notReady }: ServiceSurroundings): readonly Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      access: { kind: 'public', why: 'Who wants to use the API reads this first; it holds no data.' },
      handle: () => json(200, document, { 'Cache-Control': 'no-cache' }),
    },
    {
      method: 'GET',
      path: '/health/live',
      access: { kind: 'public', why: 'Orchestrators ask without a token; the answer is one word.' },
      handle: () => json(200, { status: 'live' }),
    },
    {
      method: 'GET',
      path: '/health/ready',
      access: { kind: 'public', why: 'Load balancers ask without a token; the answer names components, no data.' },
      handle: () => {
        const missing = notReady();
        if (missing.length === 0) return json(200, { status: 'ready' });
        throw new ProblemError('unavailable', `Not ready: ${missing.join(', ')}.`, { headers: { 'Retry-After': '1' } });
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      access: {
        kind: 'public',
        why: 'Prometheus asks without a token, from inside; there are counts, nothing of a tenant.',
      },
      handle: async () => {
        const { contentType, body } = await metrics.render();
        return { ...json(200, undefined, { 'Content-Type': contentType }), body };
      },
    },
    {
      method: 'GET',
      path: '/v1/live',
      access: { kind: 'public', why: 'Says only that this is a WebSocket, whose opening needs a token.' },
      handle: () => {
        throw new ProblemError('upgrade-required', 'Open this address as a WebSocket.', {
          headers: { Upgrade: 'websocket' },
        });
      },
    },
  ];
}
