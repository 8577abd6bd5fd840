import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const UNKNOWN = '6f1d3c52-8a47-5b0e-9d3e-2c7a51f0b864';
let api: TestServer;

beforeAll(async () => {
  api = await startTestServer({ handlerTimeoutMs: 400 });
});
afterAll(() => api.close());

/** Sends raw bytes and collects what comes back until the server closes, or for `waitMs`. */
function raw(bytes: string, waitMs = 300): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(api.port, '127.0.0.1', () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

describe('problem details', () => {
  it('have the five members, their media type and the id of the request', async () => {
    const answer = await api.call('GET', `/v1/inspections/${UNKNOWN}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toEqual({
      type: 'urn:chip-quality:problem:not-found',
      title: 'Not found',
      status: 404,
      detail: `There is no inspection ${UNKNOWN}.`,
      instance: `urn:uuid:${answer.headers.get('x-request-id')}`,
    });
  });

  it('answer an unknown address with 404 and another method with 405 and Allow', async () => {
    expect((await api.call('GET', '/v1/nothing')).status).toBe(404);
    const answer = await api.call('DELETE', `/v1/inspections/${UNKNOWN}`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    expect((await api.call('PUT', '/v1/inspections')).headers.get('allow')).toBe('POST, GET, HEAD');
  });

  it('answer methods that nobody knows, and count them under one name', async () => {
    const token = await api.token();
    for (const method of ['BREW', 'B-1', 'B-2']) {
      const answer = await raw(
        `${method} /v1/inspections HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    }
    const counted = new Set(api.finished.slice(-3).map(({ method }) => method));
    expect(counted).toEqual(new Set(['other']));
  });

  it('refuse an id that is no UUID with 400 naming it', async () => {
    const answer = await api.call('GET', '/v1/inspections/17');
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([{ in: 'path', field: 'inspection_id', message: 'Invalid UUID' }]);
  });
});

describe('a body', () => {
  const inspection = { lot_id: UNKNOWN, chip_id: 'c-1', inspection_type: 'visual' };
  const cases: [string, unknown, string][] = [
    ['a missing field', { chip_id: 'c', inspection_type: 'visual' }, 'lot_id'],
    ['an unknown field', { ...inspection, colour: 'red' }, 'colour'],
    ['an id that is no UUID', { ...inspection, lot_id: '12' }, 'lot_id'],
    ['a chip id that is too long', { ...inspection, chip_id: 'x'.repeat(101) }, 'chip_id'],
    ['an empty chip id', { ...inspection, chip_id: '' }, 'chip_id'],
    ['control characters', { ...inspection, chip_id: 'a\u0000b' }, 'chip_id'],
    ['an unknown inspection type', { ...inspection, inspection_type: 'smell' }, 'inspection_type'],
    ['a priority below one', { ...inspection, priority: 0 }, 'priority'],
    ['a priority above ten', { ...inspection, priority: 11 }, 'priority'],
    ['a priority that is no integer', { ...inspection, priority: 1.5 }, 'priority'],
    ['a number as text', { ...inspection, priority: '5' }, 'priority'],
    ['metadata that is no object', { ...inspection, metadata: 'x' }, 'metadata'],
    ['metadata that is too large', { ...inspection, metadata: { a: 'x'.repeat(20_000) } }, 'metadata'],
    ['metadata that is large in bytes', { ...inspection, metadata: { a: '銅'.repeat(6_000) } }, 'metadata'],
    ['metadata with NUL, which no database takes', { ...inspection, metadata: { a: ['\0'] } }, 'metadata'],
    ['metadata with half a character in a name', { ...inspection, metadata: { a: { '\ud800': 1 } } }, 'metadata'],
    ['half a character', { ...inspection, chip_id: 'a\udc00' }, 'chip_id'],
    ['an array', [], ''],
    ['null', null, ''],
  ];
  it.each(cases)('with %s is refused and the field is named', async (_, body, field) => {
    const answer = await api.call('POST', '/v1/inspections', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect(api.platform.requests).toEqual([]);
  });

  it('with a description that no database takes is refused', async () => {
    const body = { part_number: 'P', part_type: 'pcb', description: 'a\0b' };
    const answer = await api.call('POST', '/v1/parts', { body });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'description']);
  });

  it('with more metadata than thirty-two artifacts of an inspection may have is refused', async () => {
    const body = { artifact_id: UNKNOWN, metadata: { a: 'x'.repeat(5_000) } };
    const answer = await api.call('POST', `/v1/inspections/${UNKNOWN}/artifacts/confirm`, { body });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'metadata']);
  });

  it('with metadata nested ten thousand deep is refused', async () => {
    const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    const rawBody = `{"lot_id":"${UNKNOWN}","chip_id":"c","inspection_type":"visual","metadata":${deep}}`;
    const answer = await api.call('POST', '/v1/inspections', { rawBody });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'metadata']);
  });

  it.each([
    ['half a document', '{"part_number":'],
    ['text', 'hello'],
    ['nothing', ''],
    ['bytes that are not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('of %s is malformed', async (_, rawBody) => {
    const answer = await api.call('POST', '/v1/parts', { rawBody });
    expect([answer.status, answer.body.type]).toEqual([400, 'urn:chip-quality:problem:malformed-json']);
  });

  it('of another media type is refused with 415', async () => {
    const answer = await api.call('POST', '/v1/parts', { rawBody: 'a=1', headers: { 'content-type': 'text/plain' } });
    expect(answer.status).toBe(415);
  });

  it('above 256 KB is refused with 413, and the server goes on', async () => {
    const answer = await api.call('POST', '/v1/parts', { rawBody: ' '.repeat(256 * 1024 + 1) });
    expect([answer.status, answer.body.type]).toEqual([413, 'urn:chip-quality:problem:body-too-large']);
    const huge = await api.call('POST', '/v1/parts', { rawBody: ' '.repeat(3 * 1024 * 1024) }).catch((error) => error);
    expect(huge instanceof Error || huge.status === 413).toBe(true);
    expect((await api.call('GET', '/health/live')).status).toBe(200);
  });

  it('that comes too slowly is given up with 408', async () => {
    const token = await api.token();
    const text = await raw(
      `POST /v1/parts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: k\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"part_',
      2000,
    );
    expect(text).toMatch(/^HTTP\/1.1 408 Request Timeout/);
    expect(text).toMatch(/Connection: close/i);
  });
});

describe('an Idempotency-Key', () => {
  const body = { part_number: 'p', part_type: 'pcb' };
  it('is required for commands', async () => {
    const answer = await api.call('POST', '/v1/parts', { body, key: null });
    expect([answer.status, answer.body.type]).toEqual([400, 'urn:chip-quality:problem:idempotency-key-required']);
    expect(answer.body.errors[0]).toMatchObject({ in: 'header', field: 'Idempotency-Key' });
  });

  it.each(['a b', 'x'.repeat(256), 'ä'])('of 1 to 255 visible characters, not %j', async (key) => {
    expect((await api.call('POST', '/v1/parts', { body, key })).status).toBe(400);
  });
});

describe('a query', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=', 'limit'],
    ['limit=1e1', 'limit'],
    ['status=lost', 'status'],
    ['cursor=abc', 'cursor'],
    ['lot_id=1', 'lot_id'],
    ['colour=red', 'colour'],
    ['limit=1&limit=2', 'limit'],
  ])('with %s is refused', async (query, field) => {
    const answer = await api.call('GET', `/v1/inspections?${query}`);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });
});
