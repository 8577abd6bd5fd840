import { randomBytes, randomUUID } from 'node:crypto';
import { useTestStack } from '@chip-quality/dev/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/metrics.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Broker } from '../../src/broker/broker.ts';
import { createWireBroker } from '../../src/broker/wire/wire-broker.ts';
import { batchOf } from '../contract/broker.ts';
import { FlakyProxy } from '../support/flaky-proxy.ts';

const stack = useTestStack(['kafka']);
const PARTITIONS = 3;

async function sleepMs(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe('wire broker behind a network that fails', () => {
  let proxy: FlakyProxy;
  let broker: Broker;
  let topic: string;

  beforeEach(async () => {
    const [host, port] = stack.bootstrapServers.split(':');
    proxy = new FlakyProxy({ host: host as string, port: Number(port) });
    const address = await proxy.listen();
    broker = createWireBroker({
      bootstrapServers: [`${address.host}:${address.port}`],
      clientId: 'faults',
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      mapAddress: () => address,
    });
    topic = `faults-${randomUUID()}`;
    await broker.admin().createTopics([{ topic, partitions: PARTITIONS, replicationFactor: 1, configs: {} }]);
  });

  afterEach(async () => {
    await broker.close();
    await proxy.close();
  });

  it('writes every batch once and in order, and reads every record once, while connections are cut', async () => {
    const calls = 300;
    const producer = broker.producer({ clientId: 'faults' });
    const consumer = broker.consumer({ clientId: 'faults', fetchWaitMs: 50 });
    consumer.assign(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0 })));
    const received: string[][] = Array.from({ length: PARTITIONS }, () => []);
    let count = 0;
    const reading = (async () => {
      while (count < calls * PARTITIONS) {
        for (const { batches, error, partition } of await consumer.poll(100)) {
          if (error !== undefined) throw error;
          for (const batch of batches) {
            for (let row = 0; row < batch.count; row += 1) {
              received[partition]?.push(batch.buffer.utf8Slice(batch.valueStarts[row], batch.valueEnds[row]));
              count += 1;
            }
            batch.release();
          }
        }
      }
    })();
    const produced: Promise<unknown>[] = [];
    for (let call = 0; call < calls; call += 1) {
      const batches = Array.from({ length: PARTITIONS }, (_, partition) =>
        batchOf(topic, partition, [[null, `${call}`]]),
      );
      produced.push(
        producer.produce(batches).then((results) => {
          for (const { error } of results) if (error !== undefined) throw error;
        }),
      );
      if (call % 20 === 19) proxy.cutAll();
      if (call === 150) {
        proxy.isRefusing = true;
        proxy.cutAll();
        setTimeout(() => {
          proxy.isRefusing = false;
        }, 1_000);
      }
      await sleepMs(5);
    }
    await Promise.all(produced);
    await reading;
    await sleepMs(200);
    expect((await consumer.poll(100)).flatMap(({ batches }) => batches)).toEqual([]);
    const expected = Array.from({ length: calls }, (_, call) => `${call}`);
    for (const values of received) expect(values).toEqual(expected);
    expect(proxy.cuts).toBeGreaterThan(10);
  });

  it('keeps group membership over cut connections', async () => {
    const events: string[] = [];
    const member = broker.groupConsumer({
      clientId: 'faults',
      groupId: topic,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      heartbeatIntervalMs: 100,
      assignor: {
        name: 'all',
        protocol: 'cooperative',
        topics: () => [topic],
        userData: () => Buffer.alloc(0),
        assign: (members) =>
          new Map(
            members.map(({ memberId }) => [
              memberId,
              { partitions: [{ topic, partition: 0 }], userData: Buffer.alloc(0) },
            ]),
          ),
      },
      listener: {
        onPartitionsAssigned: async () => void events.push('assigned'),
        onPartitionsRevoked: async () => void events.push('revoked'),
        onPartitionsLost: async () => void events.push('lost'),
        onError: (error) => void events.push(error.message),
      },
    });
    await member.group.join();
    for (let offset = 1; offset <= 20; offset += 1) {
      proxy.cutAll();
      await member.group.commit(new Map([[`${topic}-0`, { topic, partition: 0, offset, metadata: '' }]]));
      await sleepMs(50);
    }
    const committed = await member.group.committed([{ topic, partition: 0 }]);
    expect(committed.get(`${topic}-0`)?.offset).toBe(20);
    expect(events).toEqual(['assigned']);
    await member.close();
  });

  it('gives a batch up at its deadline, and goes on afterwards', async () => {
    const producer = broker.producer({ clientId: 'faults', deliveryTimeoutMs: 1_500 });
    expect((await producer.produce([batchOf(topic, 0, [[null, 'a']])]))[0]?.error).toBeUndefined();
    proxy.isRefusing = true;
    proxy.cutAll();
    const [lost] = await producer.produce([batchOf(topic, 0, [[null, 'b']])]);
    expect(lost?.error).toMatchObject({ name: 'BrokerError' });
    proxy.isRefusing = false;
    const [kept] = await producer.produce([batchOf(topic, 0, [[null, 'c']])]);
    expect(kept?.error).toBeUndefined();
    expect(kept?.baseOffset).toBe(1);
    await producer.close();
  });

  it('fails a batch that the broker refuses, alone, and keeps the order of the others', async () => {
    const small = `small-${randomUUID()}`;
    const configs = { 'max.message.bytes': '2000' };
    await broker.admin().createTopics([{ topic: small, partitions: 1, replicationFactor: 1, configs }]);
    const producer = broker.producer({ clientId: 'faults' });
    const large = 'x'.repeat(5000);
    const calls = Array.from({ length: 30 }, (_, call) =>
      producer.produce([batchOf(small, 0, [[null, call % 7 === 3 ? large : `${call}`]])]),
    );
    const results = (await Promise.all(calls)).map(([result]) => result);
    results.forEach((result, call) => {
      if (call % 7 === 3) expect(result?.error).toMatchObject({ kafkaCode: 10 });
      else expect(result?.error).toBeUndefined();
    });
    const offsets = results.filter((_, call) => call % 7 !== 3).map((result) => result?.baseOffset);
    expect(offsets).toEqual(offsets.map((_, index) => index));
    await producer.close();
  });

  it('splits what a topic finds too large, while connections are cut, and loses only the record that can not be split', async () => {
    const small = `small-${randomUUID()}`;
    const configs = { 'max.message.bytes': '2000' };
    await broker.admin().createTopics([{ topic: small, partitions: 1, replicationFactor: 1, configs }]);
    const producer = broker.producer({ clientId: 'faults' });
    const recordsOfCall = 50;
    const large = { call: 6, record: 20 };
    const calls = Array.from({ length: 12 }, (_, call) =>
      Array.from({ length: recordsOfCall }, (_, record) => {
        const length = call === large.call && record === large.record ? 5_000 : 200;
        // No compression makes these small.
        return `${call}/${record}/${randomBytes(length / 2).toString('hex')}`;
      }),
    );
    const produced = calls.map((values, call) =>
      producer.produce([
        batchOf(
          small,
          0,
          values.map((value) => [null, value]),
          call % 3 === 2 ? 'gzip' : 'none',
        ),
      ]),
    );
    await sleepMs(20);
    proxy.cutAll();
    const results = (await Promise.all(produced)).map(([result]) => result);
    const lost = results.splice(large.call, 1)[0];
    expect(lost).toMatchObject({ lostRecords: 1, error: { kafkaCode: 10 } });
    expect(lost?.error?.message).toMatch(/single record takes 5\d\d\d bytes.*raise the max.message.bytes/);
    for (const result of results) expect(result?.error).toBeUndefined();
    const expected = calls.flat().filter((value) => value.length < 5_000);
    expect(results.at(-1)?.nextOffset).toBe(expected.length);

    const consumer = broker.consumer({ clientId: 'faults', fetchWaitMs: 50 });
    consumer.assign([{ topic: small, partition: 0, offset: 0 }]);
    const received: string[] = [];
    while (received.length < expected.length) {
      for (const { batches, error } of await consumer.poll(100)) {
        if (error !== undefined) throw error;
        for (const batch of batches) {
          for (let row = 0; row < batch.count; row += 1) {
            received.push(batch.buffer.utf8Slice(batch.valueStarts[row], batch.valueEnds[row]));
          }
          batch.release();
        }
      }
    }
    expect(received).toEqual(expected);
    await producer.close();
    await consumer.close();
  });

  it('says where it looked when no broker answers', async () => {
    proxy.isRefusing = true;
    proxy.cutAll();
    const impatient = createWireBroker({
      bootstrapServers: ['127.0.0.1:1'],
      clientId: 'faults',
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    const producer = impatient.producer({ clientId: 'faults', deliveryTimeoutMs: 500 });
    const [result] = await producer.produce([batchOf(topic, 0, [[null, 'a']])]);
    expect(result?.error?.message).toContain('127.0.0.1:1');
    await impatient.close();
  });
});
