import { expect, test } from 'vitest';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { long, string } from '../../../src/serde/primitives.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, newDirectory, streamsOn } from '../../support/streams-harness.ts';

const strings = { key: string(), value: string() };

function tableOf(store: 'memory' | 'persistent') {
  const builder = new StreamsBuilder();
  builder
    .table('in', { ...strings, materialized: { name: 'kept', store } })
    .toStream()
    .to('out');
  return builder.build({ topologyOptimization: 'all' });
}

test.each(['memory', 'persistent'] as const)(
  'an optimised table in a %s store is restored from its source topic up to the committed offset',
  async (medium) => {
    const cluster = await clusterWith({ in: 1, out: 1 });
    const broker = brokerOf(cluster);
    await produceText(broker, 'in', 0, [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ]);
    const stateDir = newDirectory();
    const first = streamsOn(broker, tableOf(medium), { stateDir });
    await first.start();
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 3, 'the first outputs');
    await first.close();
    expect([...(await brokerOf(cluster).admin().topics())].filter((topic) => topic.startsWith('app-'))).toEqual([]);

    await produceText(brokerOf(cluster), 'in', 0, [['c', '1']]);
    for (const directory of [stateDir, newDirectory()]) {
      const next = streamsOn(brokerOf(cluster), tableOf(medium), { stateDir: directory });
      await next.start();
      const store = next.keyValueStore<string, string>('kept');
      await until(async () => (await store.get('c')) === '1', 'the record that came meanwhile');
      expect([await store.get('a'), await store.get('b')]).toEqual(['2', '1']);
      await next.close();
    }
    // What was restored is not processed again.
    expect(await readAll(brokerOf(cluster), 'out')).toHaveLength(4);
  },
);

test.each(['memory', 'persistent'] as const)(
  'what lies behind the committed offset is processed, not restored: the %s table knows the value before it',
  async (medium) => {
    const program = () => {
      const builder = new StreamsBuilder();
      builder
        .table('in', { ...strings, materialized: { name: 'kept', store: medium } })
        .groupBy((_key, value) => [value, value], strings)
        .count({ materialized: { name: 'counts', store: medium } })
        .toStream()
        .to('out', { key: string(), value: long() });
      return builder.build({ topologyOptimization: 'all' });
    };
    const cluster = await clusterWith({ in: 1, out: 1 });
    const broker = brokerOf(cluster);
    await produceText(broker, 'in', 0, [
      ['k1', 'red'],
      ['k2', 'red'],
    ]);
    const counts = async () => {
      const last = new Map<string, number>();
      for (const { key, value } of await readAll(brokerOf(cluster), 'out')) {
        last.set(String(key), Number(value?.readBigInt64BE()));
      }
      return Object.fromEntries(last);
    };
    const first = streamsOn(broker, program());
    await first.start();
    await until(async () => (await counts()).red === 2, 'the first counts');
    await first.close();

    await produceText(brokerOf(cluster), 'in', 0, [['k1', 'blue']]);
    const next = streamsOn(brokerOf(cluster), program());
    await next.start();
    await until(async () => (await counts()).blue === 1, 'the change that came meanwhile');
    await next.close();
    expect(await counts()).toEqual({ red: 1, blue: 1 });
  },
);
