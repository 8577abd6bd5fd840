import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { StreamsOptions } from '../src/base/config.ts';
import type { MemoryCluster } from '../src/broker/memory/memory-cluster.ts';
import { KafkaStreams } from '../src/kafka-streams.ts';
import { StreamsBuilder } from '../src/kstream/streams-builder.ts';
import { TopicReader } from '../src/query/topic-reader.ts';
import { long, string } from '../src/serde/primitives.ts';
import type { Topology } from '../src/topology/topology.ts';
import { collect } from './support/collect.ts';
import { brokerOf, newCluster, produceText, readAll, until } from './support/memory-cluster-harness.ts';

const running: KafkaStreams[] = [];
const directories: string[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((streams) => streams.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function stateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  directories.push(directory);
  return directory;
}

function streamsOn(cluster: MemoryCluster, topology: Topology, options: Partial<StreamsOptions> = {}): KafkaStreams {
  const streams = new KafkaStreams(topology, {
    applicationId: 'app',
    commitIntervalMs: 20,
    statestoreCacheMaxBytes: 0,
    pollMs: 20,
    heartbeatIntervalMs: 20,
    sessionTimeoutMs: 10_000,
    stateDir: options.stateDir ?? stateDirectory(),
    ...options,
    broker: brokerOf(cluster),
  });
  running.push(streams);
  return streams;
}

function counting(store: 'memory' | 'persistent' = 'memory'): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey({ key: string(), value: string() })
    .count({ materialized: { name: 'counts', store } })
    .toStream()
    .to('out', { key: string(), value: long() });
  return builder.build();
}

async function newTopics(cluster: MemoryCluster, partitions: number): Promise<void> {
  const admin = brokerOf(cluster).admin();
  const spec = (topic: string) => ({ topic, partitions, replicationFactor: 1, configs: {} });
  await admin.createTopics([spec('in'), spec('out')]);
}

/** Highest count per key in the output topic. */
async function counts(cluster: MemoryCluster): Promise<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const { key, value } of await readAll(brokerOf(cluster), 'out')) {
    const name = key?.toString() ?? '';
    result[name] = Math.max(result[name] ?? 0, Number(value?.readBigInt64BE(0)));
  }
  return result;
}

function pairs(keys: number, rounds: number, from = 0): [string, string, number][] {
  const records: [string, string, number][] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let key = 0; key < keys; key += 1) records.push([`k${key}`, 'x', from + round]);
  }
  return records;
}

describe('KafkaStreams on the memory broker', () => {
  it('counts with a changelog and answers queries while it runs', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    await produceText(brokerOf(cluster), 'in', 0, pairs(10, 5));
    const streams = streamsOn(cluster, counting());
    const states: string[] = [];
    streams.onStateChange((state) => states.push(state));
    await streams.start();
    expect(streams.state).toBe('RUNNING');
    await until(async () => (await counts(cluster)).k9 === 5, 'all records counted');
    expect(await counts(cluster)).toEqual(Object.fromEntries(pairs(10, 1).map(([key]) => [key, 5])));
    const store = streams.keyValueStore<string, number>('counts');
    expect(await store.get('k3')).toBe(5);
    expect((await streams.timestampedKeyValueStore<string, number>('counts').get('k3'))?.value).toBe(5);
    expect(await collect(store.all())).toHaveLength(10);
    expect(streams.queryMetadataForKey('counts', 'k3', string())).toEqual({
      partition: 0,
      taskId: '0_0',
      isLocal: true,
    });
    const changelog = await readAll(brokerOf(cluster), 'app-counts-changelog');
    expect(changelog).toHaveLength(50);
    await streams.close();
    expect(streams.state).toBe('NOT_RUNNING');
    expect(states).toEqual(['RUNNING', 'PENDING_SHUTDOWN', 'NOT_RUNNING'].toSpliced(0, 0, 'REBALANCING'));
  });

  it.each(['memory', 'persistent'] as const)('goes on where it stopped, with its %s store restored', async (store) => {
    const cluster = newCluster();
    await newTopics(cluster, 2);
    const stateDir = stateDirectory();
    await produceText(brokerOf(cluster), 'in', 0, pairs(5, 3));
    const first = streamsOn(cluster, counting(store), { stateDir });
    await first.start();
    await until(async () => (await counts(cluster)).k4 === 3, 'first three rounds');
    await first.close();
    await produceText(brokerOf(cluster), 'in', 0, pairs(5, 2, 10));
    const second = streamsOn(cluster, counting(store), { stateDir });
    await second.start();
    await until(async () => (await counts(cluster)).k4 === 5, 'two more rounds on top');
    expect(await readAll(brokerOf(cluster), 'out')).toHaveLength(25);
  });

  it('repeats but never loses records after a crash', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    await produceText(brokerOf(cluster), 'in', 0, pairs(5, 3));
    const stateDir = stateDirectory();
    const first = streamsOn(cluster, counting('persistent'), { stateDir, commitIntervalMs: 60_000 });
    await first.start();
    await until(async () => (await counts(cluster)).k4 === 3, 'first rounds, uncommitted');
    await first.abandon();
    const second = streamsOn(cluster, counting('persistent'), { stateDir });
    await second.start();
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 30, 'the records again');
    const final = await counts(cluster);
    for (const count of Object.values(final)) expect(count).toBeGreaterThanOrEqual(3);
  });

  it('shares tasks with a second instance and takes them back when that one leaves', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 4);
    const first = streamsOn(cluster, counting());
    await first.start();
    expect(first.tasks).toHaveLength(4);
    for (const partition of [0, 1, 2, 3]) {
      await produceText(brokerOf(cluster), 'in', partition, [[`p${partition}`, 'x']]);
    }
    await until(async () => Object.keys(await counts(cluster)).length === 4, 'first records');
    const second = streamsOn(cluster, counting());
    await second.start();
    await until(() => first.tasks.length === 2 && second.tasks.length === 2, 'two tasks each');
    await until(() => first.state === 'RUNNING' && second.state === 'RUNNING', 'both running');
    for (const partition of [0, 1, 2, 3]) {
      await produceText(brokerOf(cluster), 'in', partition, [[`p${partition}`, 'x']]);
    }
    await until(async () => Object.values(await counts(cluster)).every((count) => count === 2), 'second records');
    await second.close();
    await until(() => first.tasks.length === 4 && first.state === 'RUNNING', 'all tasks back');
    for (const partition of [0, 1, 2, 3]) {
      await produceText(brokerOf(cluster), 'in', partition, [[`p${partition}`, 'x']]);
    }
    await until(async () => Object.values(await counts(cluster)).every((count) => count === 3), 'third records');
    expect(await readAll(brokerOf(cluster), 'out')).toHaveLength(12);
  });

  it('sends a poison pill to the dead letter queue and goes on', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: long() })
      .mapValues((value) => value + 1)
      .to('out', { value: long() });
    const number = (value: number): Buffer => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(BigInt(value));
      return bytes;
    };
    await produceText(brokerOf(cluster), 'in', 0, [
      ['a', number(1), 5],
      ['b', 'poison', 6],
      ['c', number(2), 7],
    ]);
    const streams = streamsOn(cluster, builder.build(), {
      deadLetterQueueTopicName: 'dlq',
      deserializationExceptionHandler: () => 'continue',
    });
    await streams.start();
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 2, 'both good records');
    await until(async () => (await readAll(brokerOf(cluster), 'dlq')).length === 1, 'the bad one');
    const [letter] = await readAll(brokerOf(cluster), 'dlq');
    expect(letter?.value?.toString()).toBe('poison');
    expect(letter?.timestampMs).toBe(6);
    const headers = Object.fromEntries((letter?.headers ?? []).map(({ key, value }) => [key, value?.toString()]));
    expect(headers['__streams.errors.topic']).toBe('in');
    expect(headers['__streams.errors.offset']).toBe('1');
    expect(streams.metrics().find(({ name }) => name === 'dropped-records-total')?.value).toBe(1);
  });

  it('names missing source topics', async () => {
    const streams = streamsOn(newCluster(), counting());
    await expect(streams.start()).rejects.toThrow(/Source topics do not exist: in/);
    expect(streams.state).toBe('ERROR');
  });

  it('stops with the error when a record fails and nobody says otherwise', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    const builder = new StreamsBuilder();
    builder.stream('in', { key: string(), value: string() }).foreach(() => {
      throw new Error('no');
    });
    const streams = streamsOn(cluster, builder.build());
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [['a', 'x']]);
    await until(() => streams.state === 'ERROR', 'the error state');
    expect(streams.failure?.message).toMatch(/failed at in-0@0: no/);
  });

  it('replaces the thread when the handler says so', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    let failures = 0;
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: string() })
      .mapValues((value) => {
        failures += 1;
        if (failures === 1) throw new Error('once');
        return value;
      })
      .to('out', { value: string() });
    const streams = streamsOn(cluster, builder.build());
    streams.setUncaughtExceptionHandler(() => 'replace-thread');
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [['a', 'x']]);
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 1, 'the record after the replacement');
    await until(() => streams.state === 'RUNNING', 'running again');
  });

  it('commits only up to the lowest unfinished record of an asynchronous operator', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: string() })
      .mapAsync(
        async ({ value }) => {
          if (value === 'slow') await gate;
          return value;
        },
        { concurrency: 8, ordered: 'none' },
      )
      .to('out', { key: string(), value: string() });
    const streams = streamsOn(cluster, builder.build());
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [
      ['a', '1'],
      ['b', '2'],
      ['c', 'slow'],
      ['d', '4'],
    ]);
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 3, 'the fast ones');
    const committed = async () =>
      (
        await brokerOf(cluster)
          .admin()
          .committedOffsets('app', [{ topic: 'in', partition: 0 }])
      ).get('in-0')?.offset;
    await until(async () => (await committed()) === 2, 'a commit up to the slow record');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await committed()).toBe(2);
    release();
    await until(async () => (await committed()) === 4, 'a commit of everything');
  });

  it('joins in the order of timestamps over topics, however the records arrive', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    const broker = brokerOf(cluster);
    await broker.admin().createTopics([{ topic: 'table', partitions: 1, replicationFactor: 1, configs: {} }]);
    const builder = new StreamsBuilder();
    const table = builder.table('table', { key: string(), value: string() });
    builder
      .stream('in', { key: string(), value: string() })
      .leftJoin(table, (left, right) => `${left}:${right ?? 'none'}`)
      .to('out', { key: string(), value: string() });
    const count = 3_000;
    // Each stream record is one ms younger than the table record it must meet.
    const of = (offsetMs: number) => Array.from({ length: count }, (_, i) => ['k', `${i}`, 2 * i + offsetMs] as const);
    await produceText(broker, 'in', 0, of(1));
    await produceText(broker, 'table', 0, of(0));
    await streamsOn(cluster, builder.build(), { bufferedRecordsPerPartition: 10 }).start();
    await until(async () => (await readAll(broker, 'out')).length === count, 'all joins');
    const values = (await readAll(broker, 'out')).map(({ value }) => String(value));
    expect(values).toEqual(Array.from({ length: count }, (_, i) => `${i}:${i}`));
  });

  it('fills global stores before the first record and keeps them up', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 1);
    const admin = brokerOf(cluster).admin();
    await admin.createTopics([{ topic: 'names', partitions: 2, replicationFactor: 1, configs: {} }]);
    await produceText(brokerOf(cluster), 'names', 1, [['a', 'Anna']]);
    await produceText(brokerOf(cluster), 'in', 0, [['a', 'x']]);
    const builder = new StreamsBuilder();
    const names = builder.globalTable('names', { key: string(), value: string(), materialized: { name: 'names' } });
    builder
      .stream('in', { key: string(), value: string() })
      .leftJoin(
        names,
        (key) => key,
        (_value, name) => name ?? 'nobody',
      )
      .to('out', { key: string(), value: string() });
    const streams = streamsOn(cluster, builder.build());
    await streams.start();
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 1, 'the first join');
    expect((await readAll(brokerOf(cluster), 'out'))[0]?.value?.toString()).toBe('Anna');
    await produceText(brokerOf(cluster), 'names', 0, [['b', 'Berta']]);
    const update = async () => (await streams.keyValueStore<string, string>('names').get('b')) === 'Berta';
    await until(update, 'the update');
  });

  it('lets a reader see every record from where it began, bad ones told apart', async () => {
    const cluster = newCluster();
    await newTopics(cluster, 2);
    const broker = brokerOf(cluster);
    await produceText(broker, 'in', 0, [['old', Buffer.alloc(8)]]);
    const seen: string[] = [];
    const errors: string[] = [];
    const open = (from: 'latest' | 'earliest') =>
      TopicReader.open({
        broker,
        topic: 'in',
        key: string(),
        value: long(),
        from,
        onRecords: (records) => {
          for (const { key, partition, offset } of records) seen.push(`${from}:${key}@${partition}.${offset}`);
        },
        onError: (error, at) => errors.push(`${error.name}@${at.partition}.${at.offset}`),
      });
    const latest = await open('latest');
    const earliest = await open('earliest');
    await produceText(broker, 'in', 1, [
      ['bad', 'xx'],
      ['new', Buffer.alloc(8)],
    ]);
    await until(() => seen.length === 3, 'three records');
    expect(seen.sort()).toEqual(['earliest:new@1.1', 'earliest:old@0.0', 'latest:new@1.1']);
    expect(errors).toEqual(['DeserializationError@1.0', 'DeserializationError@1.0']);
    await latest.close();
    await earliest.close();
  });
});
