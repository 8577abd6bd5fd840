import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { board, lineYield } from '../support/feed-data.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let api: TestServer;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  api = await startTestServer({ heartbeatMs: 50, liveClientsMax: 3, liveBackpressureBytesMax: 64 * 1024 });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await api.close();
});

// biome-ignore lint/suspicious/noExplicitAny: messages have several shapes
type Message = any;

interface Client {
  readonly messages: Message[];
  readonly closed: Promise<{ code: number }>;
  readonly protocol: () => string;
  /** Waits for the next message that is no heartbeat (unless that is asked for). */
  next(type?: string): Promise<Message>;
  close(): void;
}

async function open(query = '', token?: string): Promise<Client> {
  const bearer = `bearer.${token ?? (await api.token())}`;
  const socket = new WebSocket(`ws://127.0.0.1:${api.port}/v1/live${query}`, ['chip-quality.live.v1', bearer]);
  sockets.push(socket);
  const messages: Message[] = [];
  const waiting: (() => void)[] = [];
  let taken = 0;
  socket.addEventListener('message', (event) => {
    messages.push(JSON.parse(String(event.data)));
    for (const wake of waiting.splice(0)) wake();
  });
  const closed = new Promise<{ code: number }>((resolve) => {
    socket.addEventListener('close', (event) => resolve({ code: event.code }));
  });
  await Promise.race([once(socket, 'open'), closed]);
  return {
    messages,
    closed,
    protocol: () => socket.protocol,
    async next(type) {
      for (;;) {
        const message = messages[taken];
        if (message === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
        else {
          taken += 1;
          if (type === undefined ? message.type !== 'heartbeat' : message.type === type) return message;
        }
      }
    },
    close: () => socket.close(),
  };
}

/** The HTTP answer to an upgrade that is refused. */
async function refusal(query = '', protocol = ''): Promise<string> {
  const socket = connect(api.port, '127.0.0.1');
  socket.write(
    `GET /v1/live${query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n` +
      `${protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`,
  );
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  await once(socket, 'close');
  return text;
}

describe('the live socket', () => {
  it('sends a snapshot first, then every message with the next offset', async () => {
    api.feed.publishBoard('acme', board({ chip_id: 'before' }));
    api.feed.publishYield('acme', lineYield('A', 0, 10, 9));
    const client = await open();
    expect(client.protocol()).toBe('chip-quality.live.v1');
    const snapshot = await client.next();
    expect(snapshot).toMatchObject({ type: 'snapshot', offset: 2, boards: [{ chip_id: 'before' }] });
    expect(snapshot.yields).toHaveLength(1);
    api.feed.publishYield('acme', lineYield('A', 0, 11, 10));
    api.feed.publishBoard('acme', board({ chip_id: 'after' }));
    expect(await client.next()).toMatchObject({
      type: 'yield',
      epoch: snapshot.epoch,
      offset: 3,
      data: { inspected: 11 },
    });
    expect(await client.next()).toMatchObject({ type: 'board', offset: 4, data: { chip_id: 'after' } });
  });

  it('resumes after a lost connection without a gap or a repetition', async () => {
    const first = await open();
    const { epoch, offset } = await first.next();
    first.close();
    await first.closed;
    for (const chip of ['1', '2', '3']) api.feed.publishBoard('acme', board({ chip_id: chip }));
    const second = await open(`?epoch=${epoch}&offset=${offset + 1}`);
    expect(await second.next()).toMatchObject({ type: 'resumed', epoch, offset: offset + 1 });
    expect((await second.next()).data.chip_id).toBe('2');
    expect((await second.next()).data.chip_id).toBe('3');
    api.feed.publishBoard('acme', board({ chip_id: '4' }));
    expect(await second.next()).toMatchObject({ offset: offset + 4, data: { chip_id: '4' } });
  });

  it('says resync and sends a snapshot when the place of the client is gone', async () => {
    api.feed.publishBoard('acme', board());
    const client = await open('?epoch=6f1d3c52-8a47-4b0e-9d3e-2c7a51f0b864&offset=7');
    expect((await client.next()).type).toBe('resync');
    expect(await client.next()).toMatchObject({ type: 'snapshot', offset: 1 });
  });

  it('sends heartbeats with the offset', async () => {
    const client = await open();
    await client.next('snapshot');
    api.feed.publishBoard('acme', board());
    await client.next('board');
    expect(await client.next('heartbeat')).toMatchObject({ offset: 1, epoch: expect.any(String) });
  });

  it('keeps tenants apart', async () => {
    const client = await open('', await api.token({ tenantId: 'other' }));
    await client.next('snapshot');
    api.feed.publishBoard('acme', board());
    api.feed.publishBoard('other', board({ chip_id: 'ours' }));
    expect(await client.next()).toMatchObject({ offset: 1, data: { chip_id: 'ours' } });
  });

  it('takes the token from the query and answers plain requests with 426', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${api.port}/v1/live?access_token=${await api.token()}`);
    sockets.push(socket);
    await once(socket, 'open');
    expect((await api.call('GET', '/v1/live')).status).toBe(426);
  });

  it('refuses an upgrade with problem details', async () => {
    expect(await refusal()).toMatch(/^HTTP\/1.1 401 Unauthorized[\s\S]*application\/problem\+json/);
    expect(await refusal('?access_token=abc')).toMatch(/^HTTP\/1.1 401/);
    expect(await refusal('', `bearer.${await api.token({ scopes: ['parts:write'] })}`)).toMatch(
      /^HTTP\/1.1 403 Forbidden[\s\S]*live:read/,
    );
    const token = await api.token();
    expect(await refusal('?epoch=x&offset=1', `bearer.${token}`)).toMatch(/^HTTP\/1.1 400/);
    await Promise.all([open(), open(), open()]);
    expect(await refusal('', `bearer.${token}`)).toMatch(/^HTTP\/1.1 503[\s\S]*Retry-After: 10/);
  });

  it('closes when the token expires', async () => {
    const client = await open('', await api.token({ lifetimeSeconds: 100 }));
    await client.next('snapshot');
    api.clock.offsetMs = 200_000;
    expect((await client.closed).code).toBe(4401);
  });

  it('sends clients away when the server closes', async () => {
    const client = await open();
    await client.next('snapshot');
    await api.close();
    expect((await client.closed).code).toBe(1001);
  });

  it('closes a client that does not read, and the others do not notice', async () => {
    const other = await open();
    await other.next('snapshot');
    const slow = connect(api.port, '127.0.0.1');
    slow.pause();
    slow.write(
      `GET /v1/live?access_token=${await api.token()} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Far more than kernel buffers and the allowed backlog together hold. One message stays under the backlog.
    const reason = 'x'.repeat(32 * 1024);
    const count = 1000;
    for (let index = 0; index < count; index += 1) {
      api.feed.publishBoard('acme', board({ failure_reason: reason }));
      if (index % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    let received = 0;
    while (received < count) {
      const message = await other.next('board');
      received += 1;
      expect(message.offset).toBe(received);
    }
    let bytes = 0;
    slow.on('data', (chunk) => {
      bytes += chunk.length;
    });
    slow.on('error', () => {});
    slow.resume();
    await once(slow, 'close');
    expect(bytes).toBeLessThan(count * reason.length);
  });
});
