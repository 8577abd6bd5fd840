import { expect, test } from 'vitest';
import { StreamsBuilder } from '../../src/kstream/streams-builder.ts';
import { long, string } from '../../src/serde/primitives.ts';
import { brokerOf, produceText, readAll, until } from '../support/memory-cluster-harness.ts';
import { clusterWith, streamsOn } from '../support/streams-harness.ts';

const strings = { key: string(), value: string() };

test('the changes of a regrouped table cross their repartition topic one by one, each as what it was', async () => {
  const cluster = await clusterWith({ in: 1, out: 1 });
  const broker = brokerOf(cluster);
  const builder = new StreamsBuilder();
  builder
    .table('in', { ...strings, materialized: { name: 'kept', store: 'memory' } })
    .groupBy((_key, value) => [value, value], strings)
    .count({ materialized: { name: 'counts', store: 'memory' } })
    .toStream()
    .to('out', { key: string(), value: long() });
  await produceText(broker, 'in', 0, [
    ['k1', 'red'],
    ['k2', 'red'],
    ['k1', 'blue'],
    ['k2', null],
    ['k3', 'blue'],
  ]);
  const streams = streamsOn(broker, builder.build());
  await streams.start();
  const sent = async () =>
    (await readAll(brokerOf(cluster), 'app-counts-repartition')).map(({ key, value }) => [key, value]);
  await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 6, 'six changes of counts');
  expect((await sent()).map(([key, value]) => `${key} ${value?.toString('latin1')}`)).toEqual([
    'red red\u0001',
    'red red\u0001',
    'red red\u0000',
    'blue blue\u0001',
    'red red\u0000',
    'blue blue\u0001',
  ]);
  const counts = (await readAll(brokerOf(cluster), 'out')).map(({ key, value }) => `${key} ${value?.readBigInt64BE()}`);
  expect(counts).toEqual(['red 1', 'red 2', 'red 1', 'blue 1', 'red 0', 'blue 2']);
});
