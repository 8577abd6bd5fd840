import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dashboardEndpoints } from '../../src/dashboard/dashboard-files.ts';
import { chainOf, linksOf } from '../../src/http/chain.ts';
import type { Link, LinkRequest } from '../../src/http/link.ts';
import type { AuditEntry, LimitDecision, Limiter } from '../../src/index.ts';
import { serviceEndpoints } from '../../src/routes/service-endpoints.ts';
import { OUTAGE } from '../support/platform-double.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let api: TestServer;
afterEach(() => api?.close());

const PART = { part_number: 'P-1', part_type: 'pcb' };
const UNKNOWN = '/v1/parts/6f1d3c52-8a47-5b0e-9d3e-2c7a51f0b864';

/** Polls instead of sleeping a fixed time. */
async function eventually(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !check(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(check()).toBe(true);
}

/** Says of every request what it is told to, and remembers whom it was asked about. */
class TestLimiter implements Limiter {
  readonly asked: LinkRequest[] = [];
  decision: LimitDecision = {
    isAllowed: true,
    policy: 'test',
    quota: 10,
    windowSeconds: 60,
    remaining: 7,
    resetSeconds: 41.2,
  };

  decide(request: LinkRequest): LimitDecision {
    this.asked.push(request);
    return this.decision;
  }
}

async function audited(limiter?: Limiter): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  const auditor = { record: (entry: AuditEntry) => entries.push(entry) };
  api = await startTestServer({}, limiter === undefined ? { auditor } : { auditor, limiter });
  return entries;
}

/** A WebSocket's handshake, as far as its answer's head. */
async function handshake(token: string): Promise<string> {
  const socket = connect(api.port, '127.0.0.1');
  socket.write(
    'GET /v1/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return head.toString();
}

describe('a chain', () => {
  const request = { route: '/v1/parts' } as LinkRequest;
  const named = (name: string, seen: string[]): Link => ({
    name,
    problems: {},
    pass: (passing, next) => {
      seen.push(`${name} ${passing.route}`);
      return next({ ...passing, route: `${passing.route}+${name}` });
    },
  });

  it('takes a request through its links in their order, each with what the one before passed on', async () => {
    const seen: string[] = [];
    const chain = chainOf([named('a', seen), named('b', seen)]);
    expect(await chain(request, async ({ route }) => route)).toBe('/v1/parts+a+b');
    expect(seen).toEqual(['a /v1/parts', 'b /v1/parts+a']);
  });

  it('ends where a link refuses', async () => {
    const seen: string[] = [];
    const refusing: Link = { name: 'no', problems: {}, pass: () => Promise.reject(new Error('refused')) };
    const chain = chainOf([named('a', seen), refusing, named('b', seen)]);
    await expect(chain(request, async () => 'handled')).rejects.toThrow('refused');
    expect(seen).toEqual(['a /v1/parts']);
  });

  it('of the API authenticates, limits, audits and authorizes', () => {
    expect(linksOf({ auth: {} as never }).map(({ name }) => name)).toEqual([
      'authenticate',
      'limit',
      'audit',
      'authorize',
    ]);
  });
});

describe('a limiter', () => {
  it('that refuses gives 429 as problem details, with what is allowed and when to come back', async () => {
    const limiter = new TestLimiter();
    api = await startTestServer({}, { limiter });
    limiter.decision = { ...limiter.decision, isAllowed: false, remaining: 0 };
    const answer = await api.call('POST', '/v1/parts', { body: PART });
    expect(answer.status).toBe(429);
    expect(answer.body).toMatchObject({ type: 'urn:chip-quality:problem:rate-limited', status: 429 });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('retry-after')).toBe('42');
    expect(answer.headers.get('ratelimit')).toBe('"test";r=0;t=42');
    expect(answer.headers.get('ratelimit-policy')).toBe('"test";q=10;w=60');
    expect(api.platform.requests).toEqual([]);
  });

  it('that allows says what is left, on answers and on problems', async () => {
    api = await startTestServer({}, { limiter: new TestLimiter() });
    for (const [path, status] of [
      ['/v1/inspections', 200],
      [UNKNOWN, 404],
    ] as const) {
      const answer = await api.call('GET', path);
      expect([answer.status, answer.headers.get('ratelimit')]).toEqual([status, '"test";r=7;t=42']);
      expect(answer.headers.get('retry-after')).toBeNull();
    }
  });

  it('is asked about principal and route, after the token and before anything else', async () => {
    const limiter = new TestLimiter();
    api = await startTestServer({}, { limiter });
    await api.call('GET', '/v1/inspections', { headers: { authorization: undefined } });
    expect(limiter.asked).toEqual([]);
    await api.call('GET', '/v1/parts/no-uuid');
    await api.call('GET', '/health/live');
    expect(limiter.asked.map(({ method, route, principal }) => [method, route, principal?.subject])).toEqual([
      ['GET', '/v1/parts/{part_id}', 'station-1'],
      ['GET', '/health/live', undefined],
    ]);
  });

  it('that can’t count ends the request with what it rejects with', async () => {
    api = await startTestServer({}, { limiter: { decide: () => Promise.reject(OUTAGE) } });
    const answer = await api.call('GET', '/v1/inspections');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '3']);
  });

  it('refuses live connections, too', async () => {
    const limiter = new TestLimiter();
    api = await startTestServer({}, { limiter });
    expect(await handshake(await api.token())).toMatch(/^HTTP\/1\.1 101/);
    limiter.decision = { ...limiter.decision, isAllowed: false, remaining: 0 };
    const refused = await handshake(await api.token());
    expect(refused).toMatch(/^HTTP\/1\.1 429[\s\S]*retry-after: 42/i);
    expect(refused).toMatch(/ratelimit: "test";r=0;t=42/i);
    expect(limiter.asked.map(({ route, principal }) => [route, principal?.subject])).toEqual([
      ['/v1/live', 'station-1'],
      ['/v1/live', 'station-1'],
    ]);
  });

  it('is in the OpenAPI document, and nothing of it where there is none', async () => {
    const limited = await startTestServer({}, { limiter: new TestLimiter() });
    api = await startTestServer();
    const statuses = async (server: TestServer): Promise<string[]> => {
      const { body } = await server.call('GET', '/openapi.json');
      return Object.keys(body.paths['/v1/parts'].post.responses);
    };
    expect(await statuses(api)).not.toContain('429');
    expect(await statuses(limited)).toEqual(expect.arrayContaining(['401', '403', '429', '503']));
    await limited.close();
  });
});

describe('an auditor', () => {
  it('sees principal, route, status and duration of a success', async () => {
    const entries = await audited();
    const answer = await api.call('POST', '/v1/parts', { body: PART });
    expect(answer.status).toBe(201);
    expect(entries).toEqual([
      {
        principal: expect.objectContaining({ tenantId: 'acme', subject: 'station-1' }),
        method: 'POST',
        route: '/v1/parts',
        path: '/v1/parts',
        status: 201,
        durationMs: expect.any(Number),
        requestId: answer.headers.get('x-request-id'),
        traceparent: answer.headers.get('traceparent'),
        receivedAtMs: expect.any(Number),
      },
    ]);
    expect(entries[0]?.durationMs).toBeGreaterThan(0);
  });

  it('sees problems: of the request, of the scope, of an outage and of a defect', async () => {
    const entries = await audited();
    await api.call('GET', UNKNOWN);
    const token = await api.token({ scopes: ['live:read'] });
    await api.call('GET', UNKNOWN, { headers: { authorization: `Bearer ${token}` } });
    api.platform.outage = OUTAGE;
    await api.call('GET', UNKNOWN);
    api.platform.outage = new Error('a defect');
    await api.call('GET', UNKNOWN);
    expect(entries.map(({ route, path, status }) => [route, path, status])).toEqual(
      [404, 403, 503, 500].map((status) => ['/v1/parts/{part_id}', UNKNOWN, status]),
    );
  });

  it('sees a client that goes away, with the time until then', async () => {
    const entries = await audited();
    let release = () => {};
    api.platform.hold = new Promise((resolve) => {
      release = resolve;
    });
    const body = JSON.stringify(PART);
    const client = connect(api.port, '127.0.0.1');
    client.write(
      `POST /v1/parts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await api.token()}\r\nIdempotency-Key: k\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await eventually(() => api.platform.requests.length === 1);
    client.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    await eventually(() => entries.length === 1);
    expect(entries[0]).toMatchObject({ principal: { subject: 'station-1' }, route: '/v1/parts', status: 499 });
    expect(entries[0]?.durationMs).toBeGreaterThanOrEqual(50);
  });

  it('sees a handler that hangs as what the client was told', async () => {
    const entries: AuditEntry[] = [];
    const limits = { handlerTimeoutMs: 100, drainTimeoutMs: 50 };
    api = await startTestServer(limits, { auditor: { record: (entry) => entries.push(entry) } });
    api.platform.hold = new Promise(() => {});
    expect((await api.call('POST', '/v1/parts', { body: PART })).status).toBe(503);
    expect(entries.map(({ status }) => status)).toEqual([503]);
  });

  it('sees live connections, opened and refused, but nobody without a token', async () => {
    const entries = await audited();
    await handshake(await api.token());
    await handshake(await api.token({ scopes: ['parts:write'] }));
    await handshake('rubbish');
    expect(entries.map(({ route, status, principal }) => [route, status, principal?.subject])).toEqual([
      ['/v1/live', 101, 'station-1'],
      ['/v1/live', 403, 'station-1'],
    ]);
  });

  it('is not told what a limit refused, and told of public addresses without a principal', async () => {
    const limiter = new TestLimiter();
    const entries = await audited(limiter);
    await api.call('GET', '/health/live');
    limiter.decision = { ...limiter.decision, isAllowed: false };
    await api.call('GET', '/v1/inspections');
    expect(entries.map(({ route, principal }) => [route, principal])).toEqual([['/health/live', undefined]]);
  });

  it('that fails is logged, and the next request is served', async () => {
    const auditor = {
      record: () => {
        throw new Error('disk full');
      },
    };
    api = await startTestServer({}, { auditor });
    expect((await api.call('GET', '/v1/inspections')).status).toBe(200);
    expect((await api.call('GET', '/v1/inspections')).status).toBe(200);
    expect(api.logged.filter(({ level }) => level === 'error')).toHaveLength(2);
  });
});

describe('public addresses', () => {
  const endpoints = [
    ...serviceEndpoints({ document: {}, metrics: {} as never, notReady: () => [] }),
    ...dashboardEndpoints([]),
  ];

  it('are these and no others, each with its reason', () => {
    const paths = endpoints.filter(({ access }) => access.kind === 'public').map(({ path }) => path);
    expect(paths.filter((path) => !path.startsWith('/dashboard/')).sort()).toEqual([
      '/',
      '/health/live',
      '/health/ready',
      '/metrics',
      '/openapi.json',
      '/v1/live',
    ]);
    for (const { access, path } of endpoints) {
      expect(access, path).toMatchObject({ kind: 'public', why: expect.stringMatching(/\w+ \w+/) });
    }
  });

  it('are the only ones: every documented operation wants a token', async () => {
    api = await startTestServer();
    const { body } = await api.call('GET', '/openapi.json');
    for (const [path, methods] of Object.entries(body.paths as Record<string, object>)) {
      for (const method of Object.keys(methods)) {
        const answer = await api.call(method.toUpperCase(), path, { headers: { authorization: undefined } });
        expect([answer.status, path]).toEqual([401, path]);
      }
    }
  });
});
