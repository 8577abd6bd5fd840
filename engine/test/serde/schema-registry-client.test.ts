import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SchemaRegistryError } from '../../src/serde/schema-registry.ts';
import { SchemaRegistryClient } from '../../src/serde/schema-registry-client.ts';

interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** Never answers. */
  readonly silent?: boolean;
}

/** A registry on loopback that misbehaves as told; the real one is in the integration test. */
class FaultyRegistry {
  readonly requests: { method: string; url: string; body: string; headers: IncomingMessage['headers'] }[] = [];
  reply: (url: string, attempt: number) => Reply = () => ({
    status: 404,
    body: { error_code: 40_403, message: 'none' },
  });
  readonly #server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const url = request.url ?? '';
      this.requests.push({ method: request.method ?? '', url, body, headers: request.headers });
      const reply = this.reply(url, this.requests.length);
      if (reply.silent === true) return;
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe('SchemaRegistryClient', () => {
  let registry: FaultyRegistry;
  let address: string;
  const client = (options = {}) =>
    new SchemaRegistryClient({ url: `http://${address}/api/`, backoffMs: 1, timeoutMs: 2_000, ...options });

  beforeEach(async () => {
    registry = new FaultyRegistry();
    address = await registry.start();
  });

  afterEach(() => {
    registry.stop();
  });

  it('registers a schema once, and knows it by id from then on', async () => {
    registry.reply = () => ({ status: 200, body: { id: 7 } });
    const subject = client();
    expect(await subject.register('a topic-value', '"string"')).toBe(7);
    expect(await subject.register('a topic-value', '"string"')).toBe(7);
    expect(await subject.schemaById(7)).toBe('"string"');
    expect(registry.requests).toHaveLength(1);
    expect(registry.requests[0]).toMatchObject({
      method: 'POST',
      url: '/api/subjects/a%20topic-value/versions',
      body: '{"schema":"\\"string\\""}',
    });
  });

  it('asks once for an id that many want at the same time', async () => {
    registry.reply = () => ({ status: 200, body: { schema: '"long"' } });
    const subject = client();
    expect(await Promise.all([subject.schemaById(3), subject.schemaById(3), subject.schemaById(3)])).toEqual([
      '"long"',
      '"long"',
      '"long"',
    ]);
    expect(registry.requests.map((request) => request.url)).toEqual(['/api/schemas/ids/3']);
  });

  it('answers undefined for an id that the registry does not know, and asks again next time', async () => {
    const subject = client();
    expect(await subject.schemaById(3)).toBeUndefined();
    expect(await subject.schemaById(3)).toBeUndefined();
    expect(registry.requests).toHaveLength(2);
  });

  it('tries again after a server error', async () => {
    registry.reply = (_, attempt) =>
      attempt < 3 ? { status: 503, body: 'starting' } : { status: 200, body: { schema: '"long"' } };
    expect(await client().schemaById(3)).toBe('"long"');
    expect(registry.requests).toHaveLength(3);
  });

  it('gives up after its attempts with recovery "retry"', async () => {
    registry.reply = () => ({ status: 503, body: 'down' });
    const failure = client().schemaById(3);
    await expect(failure).rejects.toBeInstanceOf(SchemaRegistryError);
    await expect(failure).rejects.toMatchObject({ recovery: 'retry', status: 503, code: 'SCHEMA_REGISTRY' });
    expect(registry.requests).toHaveLength(3);
  });

  it('does not wait for an answer longer than its deadline', async () => {
    registry.reply = () => ({ status: 200, body: {}, silent: true });
    const failure = client({ timeoutMs: 30, attempts: 2 }).schemaById(3);
    await expect(failure).rejects.toThrow(/no answer in 30 ms/);
    await expect(failure).rejects.toMatchObject({ recovery: 'retry' });
    expect(registry.requests).toHaveLength(2);
  });

  it('reports a registry that is not there as an outage', async () => {
    registry.stop();
    await expect(client({ attempts: 1 }).schemaById(3)).rejects.toMatchObject({ recovery: 'retry', status: undefined });
  });

  it.each([
    [409, { message: 'incompatible with an earlier schema' }, /HTTP 409 incompatible with an earlier schema/],
    [422, 'not an Avro schema', /HTTP 422 not an Avro schema/],
    [401, { message: 'unauthorized' }, /HTTP 401/],
  ])('rejects for good and at once when the registry refuses with %i', async (status, body, message) => {
    registry.reply = () => ({ status, body });
    const failure = client().register('s', '"string"');
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toMatchObject({ recovery: 'fail', status });
    expect(registry.requests).toHaveLength(1);
  });

  it('rejects an answer that is no JSON or lacks what was asked for', async () => {
    registry.reply = () => ({ status: 200, body: '<html>' });
    await expect(client().schemaById(3)).rejects.toThrow(/not JSON/);
    registry.reply = () => ({ status: 200, body: {} });
    await expect(client().register('s', '"string"')).rejects.toThrow(/refused registering a schema for s/);
  });

  it('fetches the versions of a subject, none where there is no such subject', async () => {
    expect(await client().versions('new-value')).toEqual([]);
    registry.reply = (url) =>
      url.endsWith('/versions')
        ? { status: 200, body: [1, 2] }
        : { status: 200, body: { id: url.endsWith('/1') ? 11 : 12, schema: '"long"' } };
    const subject = client();
    expect(await subject.versions('old-value')).toEqual([
      { id: 11, schema: '"long"' },
      { id: 12, schema: '"long"' },
    ]);
    expect(await subject.schemaById(12)).toBe('"long"');
  });

  it('sends credentials of the URL as basic authentication, and keeps them out of its name', async () => {
    registry.reply = () => ({ status: 200, body: { id: 1 } });
    const subject = new SchemaRegistryClient({ url: `http://user:p%40ss@${address}` });
    await subject.register('s', '"string"');
    expect(registry.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    expect(subject.name).not.toContain('p%40ss');
  });
});
