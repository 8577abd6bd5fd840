import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { BrokerError, StreamsError } from '../../src/base/errors.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Broker, BrokerAdmin, BrokerConsumer, FetchedPartition } from '../../src/broker/broker.ts';
import { TopicReader } from '../../src/query/topic-reader.ts';
import { string } from '../../src/serde/primitives.ts';
import { brokerOf, newCluster, produceText, until } from '../support/memory-cluster-harness.ts';

/** A broker whose first fetches of a topic fail, and whose first look-ups of beginnings do, too. */
function failing(inner: Broker, fetchErrors: Error[], beginErrors: Error[]): Broker {
  const consumer = (options: Parameters<Broker['consumer']>[0]): BrokerConsumer => {
    const real = inner.consumer(options);
    let failed = false;
    const seek = real.seek.bind(real);
    const poll = real.poll.bind(real);
    real.seek = (partition, offset) => {
      failed = false;
      seek(partition, offset);
    };
    real.poll = async (timeoutMs): Promise<readonly FetchedPartition[]> => {
      if (failed) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        return [];
      }
      const fetched = await poll(timeoutMs);
      const error = fetched.length > 0 ? fetchErrors.shift() : undefined;
      if (error === undefined) return fetched;
      failed = true;
      const [{ topic, partition, batches, endOffset }] = fetched as [FetchedPartition];
      for (const batch of batches) batch.release();
      return [{ topic, partition, batches: [], nextOffset: batches[0]?.offsets[0] ?? 0, endOffset, error }];
    };
    return real;
  };
  const admin = (): BrokerAdmin => {
    const real = inner.admin();
    const beginningOffsets = real.beginningOffsets.bind(real);
    real.beginningOffsets = async (partitions) => {
      const error = beginErrors.shift();
      if (error !== undefined) throw error;
      return beginningOffsets(partitions);
    };
    return real;
  };
  return {
    admin,
    consumer,
    groupConsumer: (options) => inner.groupConsumer(options),
    producer: (options) => inner.producer(options),
    close: () => inner.close(),
  };
}

it('goes on where it was after a failed fetch, and at the beginning only when its position is gone', async () => {
  const cluster = newCluster();
  await brokerOf(cluster)
    .admin()
    .createTopics([{ topic: 't', partitions: 1, replicationFactor: 1, configs: {} }]);
  await produceText(brokerOf(cluster), 't', 0, [['k', 'a']]);
  const fetchErrors: Error[] = [];
  const beginErrors: Error[] = [];
  const values: (string | null)[] = [];
  const errors: string[] = [];
  const waitsMs: number[] = [];
  const reader = await TopicReader.open({
    clock: {
      ...systemClock,
      setTimer: (delayMs, callback) => {
        waitsMs.push(delayMs);
        return systemClock.setTimer(0, callback);
      },
    },
    random: { ...systemRandom, next: () => 0 },
    broker: failing(brokerOf(cluster), fetchErrors, beginErrors),
    topic: 't',
    key: string(),
    value: string(),
    from: 'earliest',
    onRecords: (records) => {
      for (const { value } of records) values.push(value);
    },
    onError: ({ message }) => errors.push(message),
  });
  await until(() => values.length === 1, 'the first record');
  fetchErrors.push(new StreamsError('refused', { code: 'AUTHORIZATION', recovery: 'fail' }));
  await produceText(brokerOf(cluster), 't', 0, [['k', 'b']]);
  await until(() => values.length === 2, 'the second record');
  expect(values).toEqual(['a', 'b']);
  fetchErrors.push(new StreamsError('gone', { code: 'OFFSET_OUT_OF_RANGE', recovery: 'restore' }));
  beginErrors.push(new BrokerError('away', { kafkaCode: -1, retriable: true }));
  await produceText(brokerOf(cluster), 't', 0, [['k', 'c']]);
  await until(() => values.length === 5, 'everything from the beginning');
  expect(values).toEqual(['a', 'b', 'a', 'b', 'c']);
  expect(errors).toEqual(['refused', 'gone', 'away']);
  // Half of 100 ms and of what it doubles to, since the random number is 0; a batch in between ends a row of failures.
  expect(waitsMs).toEqual([50, 50, 100]);
  await reader.close();
});

it('lags until records were handed over, not only fetched', async () => {
  const cluster = newCluster();
  await brokerOf(cluster)
    .admin()
    .createTopics([{ topic: 't', partitions: 1, replicationFactor: 1, configs: {} }]);
  await produceText(brokerOf(cluster), 't', 0, [
    ['k', 'a'],
    ['k', 'b'],
  ]);
  const schema = Promise.withResolvers<void>();
  let isAsked = false;
  const values: (string | null)[] = [];
  const reader = await TopicReader.open({
    broker: brokerOf(cluster),
    topic: 't',
    key: string(),
    value: Object.assign(string(), {
      prepare: () => {
        isAsked = true;
        return schema.promise;
      },
    }),
    from: 'earliest',
    onRecords: (records) => {
      for (const { value } of records) values.push(value);
    },
  });
  await until(() => isAsked, 'the first batch');
  expect([reader.lag, values]).toEqual([2, []]);
  let isCaughtUp = false;
  const caughtUp = reader.caughtUp().then(() => {
    isCaughtUp = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isCaughtUp).toBe(false);
  schema.resolve();
  await caughtUp;
  expect([reader.lag, values]).toEqual([0, ['a', 'b']]);
  await reader.caughtUp();
  await reader.close();
});

it('says that it has not caught up when the broker is away, when its position is behind, and when it is closed', async () => {
  const cluster = newCluster();
  await brokerOf(cluster)
    .admin()
    .createTopics([{ topic: 't', partitions: 2, replicationFactor: 1, configs: {} }]);
  const reader = await TopicReader.open({
    broker: brokerOf(cluster),
    topic: 't',
    key: string(),
    value: string(),
    // A reader that never comes back from a record.
    onRecords: () => new Promise<void>(() => {}),
  });
  await reader.caughtUp();
  await produceText(brokerOf(cluster), 't', 1, [['k', 'a']]);
  const behind = reader.caughtUp();
  const settled = behind.catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 50));
  void reader.close();
  expect(await settled).toMatchObject({ code: 'CANCELLED' });

  const away = new BrokerError('away', { kafkaCode: -1, retriable: true });
  const other = await TopicReader.open({
    broker: withoutEnds(brokerOf(cluster), away),
    topic: 't',
    key: string(),
    value: string(),
    from: 'earliest',
    onRecords: () => {},
  });
  await expect(other.caughtUp()).rejects.toBe(away);
  await other.close();
});

/** A broker that never says where its logs end. */
function withoutEnds(broker: Broker, error: Error): Broker {
  const admin = Object.assign(broker.admin(), { endOffsets: () => Promise.reject(error) });
  return Object.assign(broker, { admin: () => admin });
}
