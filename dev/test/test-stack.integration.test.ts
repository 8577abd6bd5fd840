import { connect } from 'node:net';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { fetchClusterMetadata } from '../src/services/kafka-metadata.ts';
import { useTestStack } from '../src/test-stack.ts';

const stack = useTestStack();

test('Kafka tells the address under which it is reached', async () => {
  const [host = '', port = ''] = stack.bootstrapServers.split(':');
  const cluster = await fetchClusterMetadata(host, Number(port));
  expect(cluster.brokers).toEqual([{ id: 1, host, port: Number(port) }]);
  expect(cluster.clusterId).toMatch(/^[\w-]{22}$/);
});

test('the registry gives the same id to the same schema', async () => {
  const subject = stack.uniqueName('subject');
  const register = async () => {
    const answer = await fetch(`${stack.registryUrl}/subjects/${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: '{"type":"record","name":"Chip","fields":[{"name":"id","type":"string"}]}' }),
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { id: number };
  };
  const first = await register();
  expect(first.id).toBeGreaterThan(0);
  expect(await register()).toEqual(first);
});

test('a database of its own is empty and takes tables', async () => {
  const client = new Client({ connectionString: await stack.createDatabase() });
  await client.connect();
  await client.query('CREATE TABLE chips (id text PRIMARY KEY, yield float8)');
  await client.query("INSERT INTO chips VALUES ('Ω-1', 0.98)");
  const { rows } = await client.query('SELECT * FROM chips');
  await client.end();
  expect(rows).toEqual([{ id: 'Ω-1', yield: 0.98 }]);
});

test('the object store refuses a request without a signature', async () => {
  const bucket = `${stack.s3.endpoint}/${stack.s3.bucket}`;
  const key = `${stack.uniqueName('unsigned')}.txt`;
  const written = await fetch(`${bucket}/${key}`, { method: 'PUT', body: 'nobody signed this' });
  const listed = await fetch(`${bucket}?list-type=2`);
  expect([written.status, listed.status]).toEqual([403, 403]);
});

test('all services listen on loopback only', async () => {
  const reachable = await new Promise<boolean>((done) => {
    const port = Number(stack.bootstrapServers.split(':')[1]);
    const socket = connect({ host: '127.0.0.2', port, timeout: 1_000 });
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
  expect(reachable).toBe(false);
});
