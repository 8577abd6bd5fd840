import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ProblemError, StationClient } from '../src/station-client.ts';

describe('a station that meets faults', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** A server that shows faults which the real API shows only when something breaks. */
  async function client(handle: (request: IncomingMessage, response: ServerResponse, attempt: number) => void) {
    let attempts = 0;
    server = createServer((request, response) => {
      attempts += 1;
      request.resume();
      handle(request, response, attempts);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}`;
    return {
      client: new StationClient({ baseUrl, token: () => Promise.resolve('t'), random: () => 0.01 }),
      attempts: () => attempts,
      baseUrl,
    };
  }

  const answer = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  it('repeats with the same key after an outage, a cut connection and a request in flight', async () => {
    const keys: unknown[] = [];
    const station = await client((request, response, attempt) => {
      keys.push(request.headers['idempotency-key']);
      if (attempt === 1) answer(response, 503, { detail: 'moving' });
      else if (attempt === 2) response.destroy();
      else if (attempt === 3) answer(response, 409, { type: 'urn:problem:idempotency-key-in-flight' });
      else answer(response, 201, { id: 'x' });
    });
    expect(await station.client.post('/v1/inspections', {}, 'key-1')).toEqual({ id: 'x' });
    expect(keys).toEqual(['key-1', 'key-1', 'key-1', 'key-1']);
  });

  it.each([400, 401, 404, 409, 422])('does not repeat what is refused for good: %i', async (status) => {
    const station = await client((_request, response) => answer(response, status, { title: 'no', detail: 'never' }));
    await expect(station.client.post('/v1/inspections', {}, 'key-1')).rejects.toThrow(ProblemError);
    expect(station.attempts()).toBe(1);
  });

  it('asks for a new URL when an upload is refused', async () => {
    let urls = 0;
    const station = await client((request, response) => {
      if (request.method === 'POST') {
        urls += 1;
        answer(response, 200, { upload_url: `${station.baseUrl}/bucket/${urls}`, artifact_id: 'a' });
      } else if (request.url === '/bucket/1') answer(response, 403, { expired: true });
      else answer(response, 200, {});
    });
    const uploaded = await station.client.upload('/v1/x', { content_type: 'image/jpeg' }, new Uint8Array([1]), 'k');
    expect(uploaded['artifact_id']).toBe('a');
    expect(urls).toBe(2);
  });
});
