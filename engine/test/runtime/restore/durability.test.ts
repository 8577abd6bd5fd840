import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import type { StreamsOptions } from '../../../src/base/config.ts';
import type { KafkaStreams } from '../../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { long, string } from '../../../src/serde/primitives.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import {
  clusterWith,
  newDirectory,
  pause,
  processing,
  streamsOn,
  wantingStore,
} from '../../support/streams-harness.ts';

describe('a commit', () => {
  it('never passes a record on which its task failed, however often commits are due', async () => {
    const cluster = await clusterWith({ in: 1 });
    const topology = processing((record) => {
      if (record.value === 'bad') throw new Error('no');
    });
    const streams = streamsOn(brokerOf(cluster), topology, { commitIntervalMs: 0 });
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [
      ['k', 'good'],
      ['k', 'bad'],
      ['k', 'good'],
    ]);
    await until(() => streams.state === 'ERROR', 'the error state');
    const committed = await brokerOf(cluster)
      .admin()
      .committedOffsets('app', [{ topic: 'in', partition: 0 }]);
    expect(committed.get('in-0')?.offset ?? 0).toBeLessThan(2);
  });

  it('is made early when a store asks for it', async () => {
    const cluster = await clusterWith({ in: 1 });
    const store = wantingStore('big');
    const topology = processing(() => {
      store.writes += 1;
    }, [store.builder]);
    const streams = streamsOn(brokerOf(cluster), topology, { commitIntervalMs: 3_600_000 });
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [
      ['k', '1'],
      ['k', '2'],
    ]);
    await pause(100);
    expect(store.commits).toBe(0);
    await produceText(brokerOf(cluster), 'in', 0, [['k', '3']]);
    await until(() => store.commits === 1, 'the commit that the store wants', 2_000);
  });

  it('of a source whose log began anew never passes what was processed', async () => {
    const cluster = await clusterWith({ in: 1 });
    const seen: string[] = [];
    const topology = () => processing((record) => seen.push(record.value));
    const values = (count: number, name: string) =>
      Array.from({ length: count }, (_, index) => ['k', `${name}${index}`] as const);
    await produceText(brokerOf(cluster), 'in', 0, values(20, 'old'));
    const streams = streamsOn(brokerOf(cluster), topology());
    await streams.start();
    const committed = async () =>
      (
        await brokerOf(cluster)
          .admin()
          .committedOffsets('app', [{ topic: 'in', partition: 0 }])
      ).get('in-0')?.offset;
    await until(async () => (await committed()) === 20, 'the old log committed');
    await streams.close();
    cluster.deleteTopic('in');
    cluster.createTopic('in', 1);
    await produceText(brokerOf(cluster), 'in', 0, values(5, 'new'));
    const second = streamsOn(brokerOf(cluster), topology());
    await second.start();
    await until(() => seen.length === 25, 'the new log');
    await pause(100);
    await second.close();
    expect(await committed()).toBe(5);
  });

  it('keeps what was restored, so that nothing is restored twice', async () => {
    const cluster = await clusterWith({ in: 1, out: 1 });
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: string() })
      .groupByKey({ key: string(), value: string() })
      .count({ materialized: { name: 'counts', store: 'persistent' } })
      .toStream()
      .to('out', { key: string(), value: long() });
    const topology = builder.build();
    const first = streamsOn(brokerOf(cluster), topology);
    await first.start();
    await produceText(brokerOf(cluster), 'in', 0, [
      ['a', 'x'],
      ['b', 'x'],
    ]);
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 2, 'two counts');
    await first.close();
    const stateDir = newDirectory();
    const restored = (streams: KafkaStreams): number =>
      streams.metrics().find(({ name }) => name === 'restore-total')?.value ?? 0;
    for (const expected of [2, 0]) {
      const streams = streamsOn(brokerOf(cluster), topology, { stateDir });
      await streams.start();
      await until(() => streams.state === 'RUNNING', 'running');
      expect(restored(streams)).toBe(expected);
      await streams.close();
    }
  });
});

describe('a persistent store', () => {
  it('is restored whole when it missed so much time that Kafka may have forgotten tombstones', async () => {
    const cluster = await clusterWith({ in: 1 });
    const stateDir = newDirectory();
    const builder = new StreamsBuilder();
    builder.table('in', { key: string(), value: string(), materialized: { name: 'table', store: 'persistent' } });
    const topology = builder.build();
    const restored = async (options: Partial<StreamsOptions>): Promise<number> => {
      const streams = streamsOn(brokerOf(cluster), topology, options);
      await streams.start();
      await produceText(brokerOf(cluster), 'in', 0, [['k', 'x']]);
      const ends = async () => (await readAll(brokerOf(cluster), 'app-table-changelog')).length;
      const before = await ends();
      await until(async () => (await ends()) > before || streams.lag.get('in-0') === 0, 'the record');
      await streams.close();
      return streams.metrics().find(({ name }) => name === 'restore-total')?.value ?? 0;
    };
    const later = (hours: number): Clock => ({
      ...systemClock,
      nowMs: () => systemClock.nowMs() + hours * 3_600_000,
    });
    expect(await restored({ stateDir })).toBe(0);
    // Another instance writes one record that this state has not seen.
    expect(await restored({ stateDir: newDirectory() })).toBe(1);
    expect(await restored({ stateDir, clock: later(10) })).toBe(1);
    expect(await restored({ stateDir: newDirectory() })).toBe(3);
    expect(await restored({ stateDir, clock: later(40) })).toBe(4);
  });

  it('is durable in full after a clean close, however short before it was written', async () => {
    const cluster = await clusterWith({ in: 1, out: 1 });
    const stateDir = newDirectory();
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: string() })
      .groupByKey()
      .count({ materialized: { name: 'counts', store: 'persistent' } })
      .toStream()
      .to('out', { key: string(), value: long() });
    const topology = builder.build();
    const first = streamsOn(brokerOf(cluster), topology, { stateDir });
    await first.start();
    for (let i = 0; i < 20; i += 1) {
      await produceText(brokerOf(cluster), 'in', 0, [['a', `v${i}`, i]]);
      await until(
        async () => (await first.keyValueStore<string, unknown>('counts').get('a')) !== undefined,
        'the count is there',
      );
    }
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 20, 'all outputs are there');
    await until(
      async () =>
        (
          await brokerOf(cluster)
            .admin()
            .committedOffsets('app', [{ topic: 'in', partition: 0 }])
        ).get('in-0')?.offset === 20,
      'everything is committed',
    );
    await first.close();
    // Without the changelog, only what is on disk can answer.
    await brokerOf(cluster)
      .admin()
      .deleteRecords([{ topic: 'app-counts-changelog', partition: 0, offset: 20 }]);
    const second = streamsOn(brokerOf(cluster), topology, { stateDir });
    await second.start();
    await until(async () => second.tasks.every(({ state }) => state === 'RUNNING'), 'all tasks run');
    expect(JSON.stringify(await second.keyValueStore('counts').get('a'))).toContain('20');
  });
});
