import { randomUUID } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { useTestStack } from '@chip-quality/dev/testing';
import { type ApiRequest, type ApiResponse, type CommandRequest, PARTITIONS } from '@chip-quality/schemas';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { connectBroker, json } from 'millrace';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { KafkaCommandGateway } from '../../src/index.ts';

const stack = useTestStack(['kafka']);
const log = { debug() {}, info() {}, warn() {}, error() {} };
const noAbort = new AbortController().signal;

/** What the idempotency actor would see. */
const received: { request: ApiRequest; partition: number; key: string; traceparent: string | undefined }[] = [];
let consumer: Consumer;
let topic: string;
let onRequest: (request: ApiRequest) => void = () => undefined;
const gateways: KafkaCommandGateway[] = [];

beforeAll(async () => {
  topic = stack.uniqueName('api.requests');
  await createTopic(topic);
  const kafka = new Kafka({ brokers: [stack.bootstrapServers], logLevel: logLevel.NOTHING });
  consumer = kafka.consumer({ groupId: stack.uniqueName('group') });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message, partition }) => {
      const request = JSON.parse(String(message.value)) as ApiRequest;
      received.push({
        request,
        partition,
        key: String(message.key),
        traceparent: message.headers?.['traceparent']?.toString(),
      });
      onRequest(request);
    },
  });
});
afterAll(() => consumer?.disconnect());
afterEach(async () => {
  onRequest = () => undefined;
  for (const gateway of gateways.splice(0)) await gateway.close();
});

/** Not by the admin of kafkajs, which gives up when the broker does not know a topic yet that it has just made. */
async function createTopic(name: string): Promise<void> {
  const broker = await connectBroker({ bootstrapServers: [stack.bootstrapServers], clientId: 'test' });
  try {
    await broker.admin().createTopics([{ topic: name, partitions: PARTITIONS, replicationFactor: 1, configs: {} }]);
  } finally {
    await broker.close();
  }
}

async function startGateway(
  overrides: Partial<ConstructorParameters<typeof KafkaCommandGateway>[0]> = {},
): Promise<KafkaCommandGateway> {
  const gateway = new KafkaCommandGateway({
    bootstrapServers: [stack.bootstrapServers],
    clientId: 'api-test',
    requestSerde: json<ApiRequest>(),
    log,
    topic,
    ...overrides,
  });
  gateways.push(gateway);
  await gateway.start();
  return gateway;
}

function request(overrides: Partial<CommandRequest> = {}): CommandRequest {
  return {
    requestId: randomUUID(),
    tenantId: 'acme',
    subject: 'station-1',
    idempotencyKey: randomUUID(),
    operation: 'inspection.create',
    resourceId: randomUUID(),
    payload: { chip_id: 'c-1' },
    payloadHash: 'hash',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    receivedAtMs: Date.now(),
    ...overrides,
  };
}

function answerTo(request: ApiRequest): ApiResponse {
  return {
    request_id: request.request_id,
    tenant_id: request.tenant_id,
    status: 201,
    body: '{"id":"x"}',
    replayed: false,
  };
}

test('a request reaches its topic and the answer reaches its caller, whoever else is answered', async () => {
  const gateway = await startGateway();
  expect(gateway.isReady()).toBe(true);
  onRequest = (r) => {
    gateway.onReply({ ...answerTo(r), request_id: randomUUID() });
    gateway.onReply(answerTo(r));
    gateway.onReply(answerTo(r));
  };
  const sent = request();
  await expect(gateway.execute(sent, noAbort)).resolves.toEqual({ status: 201, body: { id: 'x' }, replayed: false });
  const got = received.find((r) => r.request.request_id === sent.requestId);
  expect(got).toMatchObject({ key: `acme|${sent.idempotencyKey}`, traceparent: sent.traceparent });
  expect(got?.request).toMatchObject({
    operation: 'inspection.create',
    payload: '{"chip_id":"c-1"}',
    payload_hash: 'hash',
  });
  expect(gateway.pending).toBe(0);
});

test('requests of one key go to one partition; many at once are all answered', async () => {
  const gateway = await startGateway();
  onRequest = (r) => gateway.onReply(answerTo(r));
  const keys = Array.from({ length: 200 }, (_, index) => `key-${index % 20}`);
  await Promise.all(keys.map((idempotencyKey) => gateway.execute(request({ idempotencyKey }), noAbort)));
  const partitionsOfKey = new Map<string, Set<number>>();
  for (const { key, partition } of received)
    partitionsOfKey.set(key, (partitionsOfKey.get(key) ?? new Set()).add(partition));
  for (const partitions of partitionsOfKey.values()) expect(partitions.size).toBe(1);
  expect(new Set(received.map((r) => r.partition)).size).toBe(PARTITIONS);
});

test('without an answer the caller is told to come back later, and an abort ends the wait at once', async () => {
  const gateway = await startGateway({ replyTimeoutMs: 300 });
  await expect(gateway.execute(request(), noAbort)).rejects.toMatchObject({
    name: 'UnavailableError',
    retryAfterSeconds: 1,
  });
  const abort = new AbortController();
  const waiting = gateway.execute(request(), abort.signal);
  abort.abort(new Error('client left'));
  await expect(waiting).rejects.toThrow('client left');
  expect(gateway.pending).toBe(0);
});

test('while no answers can be read, nothing is sent', async () => {
  const gateway = await startGateway({ repliesReady: () => false });
  const sent = request();
  await expect(gateway.execute(sent, noAbort)).rejects.toMatchObject({ name: 'UnavailableError' });
  expect(gateway.isReady()).toBe(false);
});

test('closing rejects what still waits', async () => {
  const gateway = await startGateway();
  const waiting = gateway.execute(request(), noAbort);
  const settled = expect(waiting).rejects.toMatchObject({ name: 'UnavailableError' });
  await gateway.close();
  await settled;
  await expect(gateway.execute(request(), noAbort)).rejects.toMatchObject({ name: 'UnavailableError' });
});

test('a broker that goes away makes the gateway unavailable, and one that comes back serves again', async () => {
  // The broker advertises its own address, so the fault is made in the gateway's topic: it vanishes and returns.
  const missing = stack.uniqueName('missing');
  const gateway = await startGateway({ topic: missing, replyTimeoutMs: 20_000 });
  await expect(gateway.execute(request(), noAbort)).rejects.toMatchObject({ name: 'UnavailableError' });
  await createTopic(missing);
  await expect.poll(() => gateway.isReady(), { timeout: 15_000 }).toBe(true);
  const again = request();
  const waiting = gateway.execute(again, noAbort);
  await expect.poll(() => gateway.pending).toBe(1);
  gateway.onReply({ request_id: again.requestId, tenant_id: 'acme', status: 200, body: '{}', replayed: false });
  await expect(waiting).resolves.toMatchObject({ status: 200 });
}, 40_000);

test('a broker that never answers is given up in the background, and closing ends the tries', async () => {
  const sockets = new Set<Socket>();
  const deaf = createServer((socket) => sockets.add(socket));
  await new Promise<void>((done) => deaf.listen(0, '127.0.0.1', done));
  const address = deaf.address() as { port: number };
  const gateway = new KafkaCommandGateway({
    bootstrapServers: [`127.0.0.1:${address.port}`],
    clientId: 'api-test',
    requestSerde: json<ApiRequest>(),
    log,
  });
  const starting = gateway.start();
  await expect(gateway.execute(request(), noAbort)).rejects.toMatchObject({ name: 'UnavailableError' });
  for (const socket of sockets) socket.destroy();
  deaf.close();
  await gateway.close();
  await starting;
}, 60_000);
