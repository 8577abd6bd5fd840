import '../../src/entry/header-limit.ts';
import { createApiServer } from '@chip-quality/api';
import { expect, it } from 'vitest';

it('lets tokens through that are larger than the default limit of the server', async () => {
  const server = createApiServer({
    ports: { clock: { nowMs: () => 0 } } as never,
    auth: { issuer: 'i', audience: 'a', keys: { kind: 'secret', secret: 'x'.repeat(32) } },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    metrics: {
      requestFinished: () => {},
      liveClients: () => {},
      render: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
    },
  });
  const { port } = await server.listen(0, '127.0.0.1');
  try {
    const headers = { authorization: `Bearer ${'a'.repeat(12_000)}` };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/inspections`, { headers });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
  } finally {
    await server.close();
  }
});
