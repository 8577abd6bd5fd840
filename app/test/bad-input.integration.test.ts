import { randomBytes } from 'node:crypto';
import { BAD_IMAGES } from '@chip-quality/models/testing';
import { PARTITIONS, topics } from '@chip-quality/schemas';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { bytes, connectBroker, TopicReader, type TopicRecord } from 'millrace';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { liveYields } from './support/live-snapshot.ts';
import { boardImage, RunningPlatform } from './support/running-platform.ts';

/** All topics between applications, as if every producer had sent everything twice. */
const COPIED_TOPICS = [
  topics.apiRequests,
  topics.apiReplies,
  topics.catalogCommands,
  topics.inspectionCommands,
  topics.catalogEvents,
  topics.inspectionLifecycle,
  topics.artifactManagement,
  topics.inferenceWorkflow,
];
const UNKNOWN_ID = '3f2b8a54-7c1d-5e0f-9a6b-1c2d3e4f5a6b';
const problem = (kind: string) => `urn:chip-quality:problem:${kind}`;

let platform: RunningPlatform;

beforeAll(async () => {
  platform = await RunningPlatform.start('test-bad-input');
}, 300_000);

afterAll(async () => {
  await platform?.stop();
}, 60_000);

afterEach(async () => {
  await platform.expectLineGoesOn();
  expect(platform.fatal).toEqual([]);
});

/** A client of the same broker that knows nothing of the platform. */
const kafka = (): Kafka =>
  new Kafka({ brokers: platform.stack.bootstrapServers.split(','), logLevel: logLevel.NOTHING });

describe('a request that can not be served', () => {
  it('is 401 without a token, with a token of somebody else, and with an expired one', async () => {
    const foreign = await platform.token({ secret: 'the secret of somebody else, just as long as ours' });
    const expired = await platform.token({ lifetimeSeconds: -120 });
    for (const token of [null, 'rubbish', foreign, expired]) {
      const answer = await platform.request('GET', '/v1/inspections', { token });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body.type).toBe(problem('unauthenticated'));
    }
  });

  it('is 403 when the token lacks the scope', async () => {
    const token = await platform.token({ scopes: ['inspections:read'] });
    expect((await platform.request('GET', '/v1/inspections', { token })).status).toBe(200);
    const body = platform.inspectionBody();
    const refused = await platform.request('POST', '/v1/inspections', { body, key: 'no-scope', token });
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain('inspections:write');
  });

  it("does not show one tenant the other's boards", async () => {
    const path = await platform.create();
    const token = await platform.token({ tenantId: 'stranger' });
    expect((await platform.request('GET', path, { token })).status).toBe(404);
    expect((await platform.request('GET', '/v1/inspections', { token })).body.data).toEqual([]);
  });

  it('is 400 that names the field when the body is wrong, and 400 when it is no JSON', async () => {
    const body = { ...platform.inspectionBody(), inspection_type: 'astrology', priority: 11 };
    const refused = await platform.request('POST', '/v1/inspections', { body, key: 'wrong-body' });
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map((error: { field: string }) => error.field).sort()).toEqual([
      'inspection_type',
      'priority',
    ]);
    const torn = await platform.request('POST', '/v1/inspections', { raw: '{"lot_id": ', key: 'torn' });
    expect(torn.status).toBe(400);
    expect(torn.body.type).toBe(problem('malformed-json'));
    const keyless = await platform.request('POST', '/v1/inspections', { body: platform.inspectionBody() });
    expect(keyless.status).toBe(400);
  });

  it('is 404 or 422 for ids that nobody knows', async () => {
    for (const path of [`/v1/inspections/${UNKNOWN_ID}`, `/v1/parts/${UNKNOWN_ID}`, `/v1/lots/${UNKNOWN_ID}`]) {
      expect((await platform.request('GET', path)).status).toBe(404);
    }
    const infer = await platform.request('POST', `/v1/inspections/${UNKNOWN_ID}/infer`, { body: {}, key: 'nobody' });
    expect(infer.status).toBe(404);
    const body = { ...platform.inspectionBody(), lot_id: UNKNOWN_ID };
    const refused = await platform.request('POST', '/v1/inspections', { body, key: 'unknown-lot' });
    expect(refused.status).toBe(422);
    expect(refused.body.errors[0].field).toBe('lot_id');
  });

  it('is 409 for a chip that has its inspection under another key, 422 for a key that had another payload', async () => {
    const body = platform.inspectionBody();
    const created = await platform.request('POST', '/v1/inspections', { body, key: 'first' });
    expect(created.status).toBe(201);
    const duplicate = await platform.request('POST', '/v1/inspections', { body, key: 'second' });
    expect(duplicate.status).toBe(409);
    expect(duplicate.body.type).toBe(problem('duplicate'));
    const other = platform.inspectionBody();
    const reused = await platform.request('POST', '/v1/inspections', { body: other, key: 'first' });
    expect(reused.status).toBe(422);
    expect(reused.body.type).toBe(problem('key-reused'));
    const replayed = await platform.request('POST', '/v1/inspections', { body, key: 'first' });
    expect(replayed.status).toBe(201);
    expect(replayed.headers.get('idempotent-replayed')).toBe('true');
    expect(replayed.body).toEqual(created.body);
    expect(created.headers.get('idempotent-replayed')).not.toBe('true');
  });

  it('makes one inspection of twenty impatient requests with the same key', async () => {
    const body = platform.inspectionBody();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => platform.request('POST', '/v1/inspections', { body, key: 'impatient' })),
    );
    for (const { status, body: said } of answers) {
      expect([201, 409]).toContain(status);
      if (status === 409) expect(said.type).toBe(problem('key-in-flight'));
    }
    const ids = new Set(answers.filter(({ status }) => status === 201).map((answer) => answer.body.id));
    expect(ids.size).toBe(1);
  });
});

/** One bad file for each reason: all of them go through the topology in faulty-model.test.ts. Empty ones are refused before. */
const badUploads = [
  ...new Map(BAD_IMAGES.filter(({ reason }) => reason !== 'empty').map((bad) => [bad.reason, bad])).values(),
];

describe('an upload that can not be inspected', () => {
  it('ends as a failed inspection with its reason, beside others', async () => {
    const ends = await Promise.all(
      badUploads.map(async ({ title, reason, make }) => [title, reason, await platform.inspect(await make())] as const),
    );
    for (const [title, reason, inspection] of ends) {
      const failed = { status: 'failed', verdict: null, defects: [], failure_reason: `invalid_image:${reason}` };
      expect(inspection, title).toMatchObject(failed);
    }
  });

  it('is refused at confirm when it is missing or empty, and infer has nothing to look at', async () => {
    const path = await platform.create();
    const missing = await platform.upload(path, undefined, 'missing.jpg');
    expect([missing.status, missing.body.type]).toEqual([409, problem('not-uploaded')]);
    const empty = await platform.upload(path, new Uint8Array(0), 'empty.jpg');
    expect([empty.status, empty.body.type]).toEqual([422, problem('upload-mismatch')]);
    const infer = await platform.request('POST', `${path}/infer`, { body: {}, key: `${path}-infer` });
    expect([infer.status, infer.body.type]).toEqual([409, problem('no-image')]);
  });

  it('tells a broken golden image from a broken board', async () => {
    const lotId = await platform.openLot('P-broken', new TextEncoder().encode('no golden image'));
    const inspection = await platform.inspect(await boardImage(), { lotId });
    expect(inspection).toMatchObject({ status: 'failed', failure_reason: 'golden_invalid_image:not-an-image' });
  });

  it('can be mended: a good image after a bad one, and another attempt', async () => {
    const path = await platform.create();
    await platform.upload(path, new TextEncoder().encode('no board'), 'bad.jpg');
    await platform.request('POST', `${path}/infer`, { body: {}, key: `${path}-1` });
    expect((await platform.end(path)).status).toBe('failed');
    expect((await platform.upload(path, await boardImage(), 'good.jpg')).status).toBe(200);
    expect((await platform.request('POST', `${path}/infer`, { body: {}, key: `${path}-2` })).status).toBe(202);
    expect((await platform.end(path)).status).toBe('completed');
  });
});

describe('what a client asks of an inference', () => {
  it('decides over its board, is kept with the result, and shows in the metrics', async () => {
    const image = await boardImage();
    const lanes = [
      { priority: 'high', batch_size: 1, confidence_threshold: 0.999 },
      { priority: 'low', batch_size: 3, confidence_threshold: 0.01 },
      {},
    ];
    const [strict, lenient, plain] = await Promise.all(lanes.map((wish) => platform.inspect(image, { wish })));
    expect([strict.status, lenient.status, plain.status]).toEqual(['completed', 'completed', 'completed']);
    expect([strict.verdict, plain.verdict]).toEqual(['pass', 'fail']);
    expect(lenient.defects.length).toBeGreaterThanOrEqual(plain.defects.length);
    await platform.caughtUp();
    const kept = await Promise.all([strict, lenient, plain].map(({ id }) => platform.inferenceOf(id)));
    expect(kept.map(({ inference_data }) => [inference_data.requested, inference_data.confidence_threshold])).toEqual([
      [lanes[0], 0.999],
      [lanes[1], 0.01],
      [{ priority: 'normal', batch_size: 32, confidence_threshold: null }, expect.closeTo(0.4, 0)],
    ]);
    expect(kept[0]?.batch_size).toBe(1);
    expect(kept[1]?.batch_size).toBeLessThanOrEqual(3);
    const metrics = await platform.metrics();
    for (const line of [
      /^inference_batch_size_bucket\{le="16",model="pcb_defect_detector",version="1"\} [1-9]/m,
      /^inference_queue_seconds_count\{priority="high"\} 1$/m,
      /^inference_queue_seconds_count\{priority="low"\} 1$/m,
      /^inference_batches_total\{model="pcb_defect_detector",version="1",preferred="false"\} [1-9]/m,
      /^inference_preferred_batch_share\{model="pcb_defect_detector",version="1"\} 0/m,
      /^inference_failures_total\{reason="invalid_image:animated"\} 1$/m,
    ]) {
      expect(metrics).toMatch(line);
    }
  });

  it('is refused where it makes no sense', async () => {
    const path = await platform.create();
    const body = { priority: 'urgent', batch_size: 0, confidence_threshold: 2 };
    const refused = await platform.request('POST', `${path}/infer`, { body, key: `${path}-nonsense` });
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map((error: { field: string }) => error.field).sort()).toEqual(Object.keys(body).sort());
  });
});

describe('a record that nobody can read', () => {
  it('goes to the dead letters with its reason and its bytes, whatever topic and partition it is on', async () => {
    const letters: TopicRecord<Uint8Array, Uint8Array>[] = [];
    const broker = await connectBroker({
      bootstrapServers: platform.stack.bootstrapServers.split(','),
      clientId: 'test',
    });
    const reader = await TopicReader.open({
      broker,
      topic: topics.deadLetters,
      key: bytes(),
      value: bytes(),
      from: 'earliest',
      onRecords: (records) => {
        letters.push(...records);
      },
    });
    // Schema ids are small numbers in a young registry; nobody has this one.
    const unknownSchema = Buffer.concat([Buffer.from([0, 0x00, 0x0f, 0x42, 0x3f]), randomBytes(40)]);
    const torn = Buffer.from([0, 0, 0, 0, 1, 2]);
    const bad = { unknownSchema, noise: randomBytes(60), torn, nothing: Buffer.alloc(0) };
    const producer = kafka().producer();
    try {
      await producer.connect();
      for (const topic of [topics.inspectionCommands, topics.inferenceWorkflow, topics.apiRequests]) {
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          const messages = Object.entries(bad).map(([name, value]) => ({ partition, key: `${topic}-${name}`, value }));
          await producer.send({ topic, messages });
        }
      }
      // inference.workflow has three readers (inspection, inference, projection): each reports for itself.
      const readers = 1 + 3 + 1;
      await expect.poll(() => letters.length, { timeout: 60_000 }).toBe(readers * PARTITIONS * Object.keys(bad).length);
    } finally {
      await producer.disconnect();
      await reader.close();
      await broker.close();
    }
    for (const letter of letters) {
      const headers = new Map(letter.headers.map(({ key, value }) => [key, value?.toString() ?? null]));
      const topic = headers.get('__streams.errors.topic') ?? '';
      const name = Buffer.from(letter.key ?? [])
        .toString()
        .slice(topic.length + 1) as keyof typeof bad;
      expect(Buffer.from(letter.value ?? [])).toEqual(bad[name]);
      expect(headers.get('__streams.errors.exception')).toBeTruthy();
      expect(headers.get('__streams.errors.message')).toBeTruthy();
      expect(Number(headers.get('__streams.errors.partition'))).toBeLessThan(PARTITIONS);
      expect(Number(headers.get('__streams.errors.offset'))).toBeGreaterThanOrEqual(0);
    }
    const first = letters.find(({ key }) =>
      Buffer.from(key ?? [])
        .toString()
        .endsWith('-unknownSchema'),
    );
    const message = first?.headers.find(({ key }) => key === '__streams.errors.message')?.value?.toString();
    expect(message).toContain('999999');
  });

  it('may be empty: a record without a value is no event, and harms nobody', async () => {
    const producer = kafka().producer();
    await producer.connect();
    for (const topic of [topics.inspectionCommands, topics.inferenceWorkflow, topics.inspectionLifecycle]) {
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        await producer.send({ topic, messages: [{ partition, key: UNKNOWN_ID, value: null }] });
      }
    }
    await producer.disconnect();
    await platform.caughtUp();
  });

  it('does no harm to the boards behind it on the same partitions', async () => {
    const inspections = await Promise.all(Array.from({ length: 8 }, async () => platform.inspect(await boardImage())));
    expect(inspections.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'completed'));
  });
});

describe('records that come twice', () => {
  /** Every record of the topics as it is now, in the order of its partition's log. */
  async function recordsOf(
    topicNames: readonly string[],
  ): Promise<readonly { topic: string; partition: number; message: KafkaMessage }[]> {
    const client = kafka();
    const admin = client.admin();
    await admin.connect();
    const ends = await Promise.all(topicNames.map((topic) => admin.fetchTopicOffsets(topic)));
    await admin.disconnect();
    const wanted = ends.flat().reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
    const records: { topic: string; partition: number; message: KafkaMessage }[] = [];
    // Its end waits for a fetch under way.
    const consumer = client.consumer({ groupId: 'copies', maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topics: [...topicNames], fromBeginning: true });
    await consumer.run({
      eachMessage: async (record) => {
        records.push(record);
      },
    });
    await expect.poll(() => records.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(wanted);
    await consumer.disconnect();
    return records;
  }

  it('change nothing: not in the database, not in the yield, not in an answer', async () => {
    const path = `/v1/inspections/${(await platform.inspect(await boardImage())).id}`;
    await platform.caughtUp();
    const yieldOf = async () =>
      (await liveYields(platform.livePage)).map(({ inspected, passed, failed, errored }) => [
        inspected,
        passed,
        failed,
        errored,
      ]);
    const before = {
      rows: await platform.rowCounts(),
      yields: await yieldOf(),
      inspection: (await platform.request('GET', path)).body,
    };
    expect(before.rows['inspections']).toBeGreaterThan(20);
    const producer = kafka().producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const records = await recordsOf(COPIED_TOPICS);
    for (const topic of COPIED_TOPICS) {
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        const messages = records
          .filter((record) => record.topic === topic && record.partition === partition)
          .map(({ message: { key, value, headers, timestamp } }) => ({
            partition,
            key,
            value,
            timestamp,
            ...(headers === undefined ? {} : { headers }),
          }));
        if (messages.length > 0) await producer.send({ topic, messages });
      }
    }
    await producer.disconnect();
    await platform.caughtUp();
    expect({
      rows: await platform.rowCounts(),
      yields: await yieldOf(),
      inspection: (await platform.request('GET', path)).body,
    }).toEqual(before);
  }, 180_000);
});
