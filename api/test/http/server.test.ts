import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { OUTAGE } from '../support/platform-double.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let api: TestServer;
afterEach(() => api.close());

const PART = { part_number: 'P-1', part_type: 'pcb' };

/** Polls instead of sleeping a fixed time. */
async function eventually(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !check(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(check()).toBe(true);
}

describe('the server', () => {
  it('refuses a port that is taken instead of sharing it', async () => {
    api = await startTestServer();
    const other = await startTestServer();
    await expect(other.server.listen(api.port, '127.0.0.1')).rejects.toThrow(/can't be opened/);
    await other.close();
  });

  it('opens its port again at once after a restart with connections still lingering', async () => {
    const first = await startTestServer();
    await first.call('GET', '/health/live', { headers: { connection: 'close' } });
    await first.call('GET', '/health/live');
    await first.close();
    api = await startTestServer({}, { port: first.port });
    expect((await api.call('GET', '/health/live')).status).toBe(200);
  });

  it('says that it lives, and is ready only while gateway and stores are', async () => {
    const missing: string[] = [];
    api = await startTestServer({}, { notReady: () => missing });
    expect((await api.call('GET', '/health/live')).status).toBe(200);
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
    missing.push('store inspections');
    api.platform.isUp = false;
    const answer = await api.call('GET', '/health/ready');
    expect([answer.status, answer.body.detail]).toEqual([503, 'Not ready: gateway, store inspections.']);
  });

  it('answers HEAD like GET without the body, and serves metrics', async () => {
    api = await startTestServer();
    const head = await api.call('HEAD', '/health/live');
    expect([head.status, head.body, head.headers.get('content-length')]).toEqual([200, '', '17']);
    expect((await api.call('GET', '/metrics')).body).toBe('up 1\n');
  });

  it('continues the trace of the caller and sends security headers', async () => {
    api = await startTestServer();
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const answer = await api.call('POST', '/v1/parts', {
      body: PART,
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    });
    expect(answer.headers.get('traceparent')).toMatch(new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
    expect(api.platform.requests[0]?.traceparent).toBe(answer.headers.get('traceparent'));
    expect(api.platform.requests[0]?.requestId).toBe(answer.headers.get('x-request-id'));
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('starts a new trace for a malformed traceparent', async () => {
    api = await startTestServer();
    const answer = await api.call('GET', '/health/live', { headers: { traceparent: `00-${'0'.repeat(32)}-x-01` } });
    expect(answer.headers.get('traceparent')).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('turns an outage into 503 with Retry-After, for commands and reads', async () => {
    api = await startTestServer();
    api.platform.outage = OUTAGE;
    for (const answer of [
      await api.call('POST', '/v1/parts', { body: PART }),
      await api.call('GET', '/v1/parts/6f1d3c52-8a47-5b0e-9d3e-2c7a51f0b864'),
    ]) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '3']);
      expect(answer.body.type).toBe('urn:chip-quality:problem:unavailable');
    }
  });

  it('tells nothing of an unexpected error but logs it with the id of the request', async () => {
    api = await startTestServer();
    api.platform.outage = new Error('password=hunter2');
    const answer = await api.call('POST', '/v1/parts', { body: PART });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
    const entry = api.logged.find(({ level }) => level === 'error');
    expect(entry?.fields.request_id).toBe(answer.headers.get('x-request-id'));
  });

  it('gives up on a handler that hangs and says that the key may be used again', async () => {
    api = await startTestServer({ handlerTimeoutMs: 100, drainTimeoutMs: 50 });
    api.platform.hold = new Promise(() => {});
    const answer = await api.call('POST', '/v1/parts', { body: PART });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  });

  it('survives clients that go away in the middle of a body and before the answer', async () => {
    api = await startTestServer();
    const token = await api.token();
    const head =
      `POST /v1/parts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: k\r\n` +
      'Content-Type: application/json\r\n';
    const half = connect(api.port, '127.0.0.1');
    half.write(`${head}Content-Length: 1000\r\n\r\n{"part_number"`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    half.destroy();
    await eventually(() => api.finished.some(({ status }) => status === 499));

    let release = () => {};
    api.platform.hold = new Promise((resolve) => {
      release = resolve;
    });
    const body = JSON.stringify(PART);
    const gone = connect(api.port, '127.0.0.1');
    gone.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    await eventually(() => api.platform.requests.length === 1);
    gone.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    await eventually(() => api.finished.filter(({ status }) => status === 499).length === 2);
    expect((await api.call('GET', '/health/live')).status).toBe(200);
    expect(api.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('finishes requests under way before it closes', async () => {
    api = await startTestServer();
    let release = () => {};
    api.platform.hold = new Promise((resolve) => {
      release = resolve;
    });
    const answer = api.call('POST', '/v1/parts', { body: PART });
    await eventually(() => api.platform.requests.length === 1);
    const closed = api.close();
    release();
    expect((await answer).status).toBe(201);
    await closed;
    await expect(fetch(`${api.origin}/health/live`)).rejects.toThrow();
  });

  it('keeps the connection open after refusals that come before the body was read', async () => {
    api = await startTestServer();
    const requests = [
      'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /v1/inspections HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /v1/parts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
      'DELETE /v1/parts HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
      'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
    ];
    const socket = connect(api.port, '127.0.0.1');
    const answers: string[] = [];
    for (const request of requests) {
      const answer = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
      socket.write(request);
      answers.push(await answer);
    }
    socket.destroy();
    expect(answers.map((answer) => answer.slice(9, 12))).toEqual(['200', '401', '401', '405', '404', '200']);
    expect(answers.join('')).not.toMatch(/connection: close/i);
  });

  it('takes pipelined requests one by one', async () => {
    api = await startTestServer();
    const text = await new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(api.port, '127.0.0.1', () => {
        socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n');
      });
      socket.on('data', (chunk) => {
        received += chunk.toString();
        if (received.includes('"ready"')) socket.destroy();
      });
      socket.on('close', () => resolve(received));
    });
    expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    expect(text.indexOf('"live"')).toBeLessThan(text.indexOf('"ready"'));
  });

  it('counts requests by path template', async () => {
    api = await startTestServer();
    await api.call('GET', '/v1/inspections/6f1d3c52-8a47-5b0e-9d3e-2c7a51f0b864');
    await api.call('GET', '/v1/elsewhere');
    expect(api.finished).toEqual([
      { route: '/v1/inspections/{inspection_id}', method: 'GET', status: 404 },
      { route: 'unmatched', method: 'GET', status: 404 },
    ]);
  });
});
