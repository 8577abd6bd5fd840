import { topics } from '@chip-quality/schemas';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningPlatform } from './support/running-platform.ts';

/** A reader is trusted for 10 s, and asked every two; a broker that wakes up needs its groups together again. */
const SOON = { timeout: 60_000, interval: 250 };
/** Far below the 8 s that a command waits for its answer. */
const AT_ONCE_MS = 2_000;
/** Confluent's header with the id of a schema that nobody has registered. */
const OF_AN_UNKNOWN_SCHEMA = Buffer.from([0, 0, 0xf, 0x42, 0x3f, 1, 2, 3]);

describe('the readiness of a process', { timeout: 180_000 }, () => {
  let platform: RunningPlatform;
  const stopped = new Set<number>();
  beforeAll(async () => {
    platform = await RunningPlatform.start('test-readiness');
  });
  afterAll(async () => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    await platform?.stop();
  });

  const freeze = (service: string): number => {
    const pid = platform.pidOf(service);
    stopped.add(pid);
    process.kill(pid, 'SIGSTOP');
    return pid;
  };
  const thaw = (pid: number): void => {
    process.kill(pid, 'SIGCONT');
    stopped.delete(pid);
  };
  const readiness = async (): Promise<string> => {
    const { status, body } = await platform.request('GET', '/health/ready', { token: null });
    return `${status} ${body.detail ?? ''}`.trim();
  };

  it('names a reader of replies that can’t read; commands are refused at once, and served when it reads again', async () => {
    expect(await readiness()).toBe('200');
    // With its registry asleep the reader waits for a schema, and all answers behind it; everything else goes on.
    const registry = freeze('registry');
    const producer = new Kafka({
      brokers: platform.stack.bootstrapServers.split(','),
      logLevel: logLevel.NOTHING,
    }).producer();
    await producer.connect();
    await producer.send({ topic: topics.apiResponses, messages: [{ key: 'k', value: OF_AN_UNKNOWN_SCHEMA }] });
    await producer.disconnect();
    await expect.poll(readiness, SOON).toBe('503 Not ready: gateway, replies.');
    const sentAtMs = performance.now();
    const refused = await platform.request('POST', '/v1/inspections', {
      body: platform.inspectionBody(),
      key: 'while-nobody-reads',
    });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(performance.now() - sentAtMs).toBeLessThan(AT_ONCE_MS);
    thaw(registry);
    await expect.poll(readiness, SOON).toBe('200');
    await platform.create();
  });

  it('names it when the broker doesn’t answer, until it does', async () => {
    const kafka = freeze('kafka');
    await expect.poll(readiness, SOON).toMatch(/^503 Not ready: .*\breplies\b/);
    thaw(kafka);
    // Its groups come together again a moment later.
    const command = { body: platform.inspectionBody(), key: 'after-the-broker' };
    const answer = async () => (await platform.request('POST', '/v1/inspections', command)).status;
    await expect.poll(answer, SOON).toBe(201);
    await expect.poll(readiness, SOON).toBe('200');
    expect(platform.fatal).toEqual([]);
  });

  it('names a sink that can’t store its rows, and lines go on meanwhile', async () => {
    const somebody = new Client({ connectionString: platform.stack.postgresUrl });
    await somebody.connect();
    await somebody.query('BEGIN; LOCK TABLE sink_offsets IN ACCESS EXCLUSIVE MODE');
    // Something to store.
    await platform.create();
    await expect.poll(readiness, SOON).toBe('503 Not ready: sql sink.');
    await platform.create();
    await somebody.query('ROLLBACK');
    await somebody.end();
    await expect.poll(readiness, SOON).toBe('200');
  });
});
