import { afterEach, describe, expect, it } from 'vitest';
import { TaskMigratedError } from '../../../src/base/errors.ts';
import type { TopicPartition } from '../../../src/base/record-batch.ts';
import { KafkaStreams } from '../../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import type { OffsetStoringSink } from '../../../src/processor/processor.ts';
import type { Record } from '../../../src/processor/record.ts';
import { string } from '../../../src/serde/primitives.ts';
import { brokerOf, newCluster, produceText, until } from '../../support/memory-cluster-harness.ts';

const running: KafkaStreams[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((streams) => streams.close()));
});

/** An outside system with transactions: rows and offsets change together or not at all. */
class OutsideSystem {
  readonly rows: string[] = [];
  readonly offsets = new Map<string, number>();
  opened = 0;
  failCommits = 0;
  fenceCommits = 0;

  sink(limit = Number.POSITIVE_INFINITY): OffsetStoringSink<string, string> {
    const system = this;
    let buffer: string[] = [];
    return {
      async open(partitions: readonly TopicPartition[]) {
        system.opened += 1;
        buffer = [];
        const known = partitions.map(({ topic, partition }) => `${topic}-${partition}`);
        return new Map([...system.offsets].filter(([key]) => known.includes(key)));
      },
      write(record: Record<string, string>) {
        buffer.push(record.value);
      },
      get isFull() {
        return buffer.length >= limit;
      },
      async commit(positions) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (system.fenceCommits-- > 0) throw new TaskMigratedError('fenced');
        if (system.failCommits-- > 0) throw new TaskMigratedError('connection lost');
        system.rows.push(...buffer);
        buffer = [];
        for (const [key, offset] of positions) system.offsets.set(key, offset);
      },
      async close() {},
    };
  }
}

async function start(system: OutsideSystem, cluster = newCluster(), limit?: number) {
  const admin = brokerOf(cluster).admin();
  await admin.createTopics([{ topic: 'in', partitions: 1, replicationFactor: 1, configs: {} }]);
  const builder = new StreamsBuilder();
  builder.stream('in', { key: string(), value: string() }).toExternal(() => system.sink(limit), { name: 'outside' });
  const streams = new KafkaStreams(builder.build(), {
    applicationId: 'app',
    broker: brokerOf(cluster),
    commitIntervalMs: 10,
    pollMs: 10,
    heartbeatIntervalMs: 20,
    sessionTimeoutMs: 1_000,
  });
  running.push(streams);
  await streams.start();
  return { cluster, streams };
}

const values = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ['k', `v${from + index}`] as const);

describe('a sink that stores offsets itself', () => {
  it('decides where its partitions go on, whatever Kafka knows', async () => {
    const system = new OutsideSystem();
    system.offsets.set('in-0', 3);
    const cluster = newCluster();
    await brokerOf(cluster)
      .admin()
      .createTopics([{ topic: 'in', partitions: 1, replicationFactor: 1, configs: {} }]);
    await produceText(brokerOf(cluster), 'in', 0, values(5));
    await start(system, cluster);
    await until(() => system.rows.length === 2, 'the two it lacks');
    expect(system.rows).toEqual(['v3', 'v4']);
    expect(system.offsets.get('in-0')).toBe(5);
  });

  it('gets every record exactly once over crashes between its commit and Kafka’s', async () => {
    const system = new OutsideSystem();
    const { cluster, streams } = await start(system);
    await produceText(brokerOf(cluster), 'in', 0, values(10));
    await until(() => system.rows.length === 10, 'ten rows');
    await produceText(brokerOf(cluster), 'in', 0, values(10, 10));
    await streams.abandon();
    await start(system, cluster);
    await until(() => system.rows.length === 20, 'twenty rows');
    expect(system.rows).toEqual(values(20).map(([, value]) => value));
  });

  it('is opened again after it was fenced or failed, and goes on from its own offset', async () => {
    const system = new OutsideSystem();
    const { cluster, streams } = await start(system);
    system.fenceCommits = 2;
    await produceText(brokerOf(cluster), 'in', 0, values(10));
    await until(() => system.rows.length === 10, 'ten rows', 5_000);
    expect(system.rows).toEqual(values(10).map(([, value]) => value));
    expect(system.opened).toBe(3);
    expect(streams.state).toBe('RUNNING');
  });

  it('gets no more records than it takes before it is committed', async () => {
    const system = new OutsideSystem();
    const { cluster } = await start(system, newCluster(), 7);
    await produceText(brokerOf(cluster), 'in', 0, values(100));
    await until(() => system.rows.length === 100, 'a hundred rows');
    expect(system.rows).toEqual(values(100).map(([, value]) => value));
  });
});
