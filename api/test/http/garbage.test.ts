import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let api: TestServer;
let token: string;
beforeAll(async () => {
  api = await startTestServer({ handlerTimeoutMs: 300 });
  token = await api.token();
});
afterAll(() => api.close());

/** Sends bytes, waits for an answer or the end, at most `waitMs`, and hangs up. */
function send(bytes: string | Uint8Array, waitMs = 40): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(api.port, '127.0.0.1', () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

async function lives(): Promise<void> {
  expect((await api.call('GET', '/health/live')).status).toBe(200);
  expect(api.logged.filter(({ level }) => level === 'error')).toEqual([]);
}

describe('the server outlives', () => {
  it('bytes that are no HTTP', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        await send(bytes, 5);
      }),
      { numRuns: 60 },
    );
    await lives();
  });

  it('odd heads of requests', async () => {
    const post = `POST /v1/parts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: k\r\n`;
    const answers: Record<string, string> = {};
    const heads: Record<string, string> = {
      'a method of its own': 'BREW /v1/parts HTTP/1.1\r\nHost: x\r\n\r\n',
      'no host': 'GET /health/live HTTP/1.1\r\n\r\n',
      'a negative length': `${post}Content-Length: -5\r\n\r\n`,
      'two lengths': `${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
      'length and chunks': `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'a head that is too large': `GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
      'a broken escape': 'GET /v1/inspections/%ZZ HTTP/1.1\r\nHost: x\r\n\r\n',
      'a path that climbs': 'GET /dashboard/../../package.json HTTP/1.1\r\nHost: x\r\n\r\n',
      'an upgrade to nothing': 'GET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    };
    for (const [name, head] of Object.entries(heads)) {
      answers[name] = (await send(head, 100)).split('\r\n')[0] ?? '';
      await lives();
    }
    for (const [name, status] of Object.entries(answers)) expect(status, name).not.toMatch(/^HTTP\/1.1 2/);
    expect(answers['a method of its own']).toMatch(/ 405 /);
    expect(answers['a path that climbs']).toMatch(/ 404 /);
  });

  it('a chunked body, which it reads like any other', async () => {
    const body = JSON.stringify({ part_number: 'chunked', part_type: 'pcb' });
    const half = body.length >> 1;
    const chunks = [body.slice(0, half), body.slice(half)]
      .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
      .join('');
    const text = await send(
      `POST /v1/parts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: chunked\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
      300,
    );
    expect(text).toMatch(/^HTTP\/1.1 201 Created/);
  });

  it('any JSON as a body, and never accepts one it would not understand', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 6 }), async (rawBody) => {
        for (const path of ['/v1/parts', '/v1/lots', '/v1/inspections']) {
          const answer = await api.call('POST', path, { rawBody });
          expect(answer.status).toBe(400);
          expect(answer.body.errors.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 50 },
    );
    await lives();
  });
});
