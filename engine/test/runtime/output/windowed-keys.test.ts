import { expect, test } from 'vitest';
import { partitionForBytes } from '../../../src/broker/partitioner.ts';
import { json, long, StreamsBuilder, string, TimeWindows, Topology, windowed } from '../../../src/index.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, streamsOn } from '../../support/streams-harness.ts';

const PARTITIONS = 8;
const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`);
const windowedKey = windowed(string(), 1_000);

const ofAllBytes = (bytes: Buffer) => partitionForBytes(bytes, 0, bytes.length, PARTITIONS);
const ofInnerKey = (bytes: Buffer) => partitionForBytes(bytes, 0, bytes.length - 8, PARTITIONS);

async function produceKeys(broker: ReturnType<typeof brokerOf>): Promise<void> {
  for (const key of keys) {
    const bytes = Buffer.from(key);
    const partition = partitionForBytes(bytes, 0, bytes.length, PARTITIONS);
    await produceText(broker, 'in', partition, [[key, 'x', 0]]);
  }
}

test('E11: only the DSL’s to() sends windowed keys where their inner key goes, as in Kafka Streams', async () => {
  const cluster = await clusterWith({ in: PARTITIONS, out: PARTITIONS });
  const broker = brokerOf(cluster);
  const builder = new StreamsBuilder();
  const counts = builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(1_000))
    .count({ materialized: { name: 'counts', store: 'memory' } });
  counts.toStream().to('out', { key: windowedKey, value: long() });
  counts.toStream().repartition({ name: 'again', key: windowedKey, value: long() });
  counts
    .groupBy((key, n) => [key, n], { name: 'grouped', key: windowedKey, value: json<number>() })
    .count({ materialized: { name: 'groups', store: 'memory' } });
  const streams = streamsOn(broker, builder.build());
  await produceKeys(broker);
  await streams.start();

  const topics = [
    ['out', ofInnerKey],
    ['app-again-repartition', ofAllBytes],
    ['app-grouped-repartition', ofAllBytes],
  ] as const;
  for (const [topic, partitionOf] of topics) {
    await until(async () => (await readAll(broker, topic)).length >= keys.length, topic);
    const records = await readAll(broker, topic);
    expect(
      records.map(({ partition }) => partition),
      topic,
    ).toEqual(records.map(({ key }) => partitionOf(key as Buffer)));
    // The two rules differ for these keys.
    expect(
      records.some(({ key }) => ofAllBytes(key as Buffer) !== ofInnerKey(key as Buffer)),
      topic,
    ).toBe(true);
  }
});

test('E11: a sink of the Processor API hashes all bytes, unless it is told otherwise', async () => {
  const cluster = await clusterWith({ in: PARTITIONS, plain: PARTITIONS, inner: PARTITIONS });
  const broker = brokerOf(cluster);
  const serdes = { key: windowedKey, value: string() };
  const topology = new Topology()
    .addSource('source', 'in', { key: string(), value: string() })
    .addProcessor(
      'window',
      () => {
        let forward: (record: never) => void = () => {};
        return {
          init: (context: { forward(record: never): void }) => {
            forward = (record) => context.forward(record);
          },
          process: (record: { key: string; withKey(key: unknown): unknown }) => {
            forward(record.withKey({ key: record.key, window: { startMs: 0, endMs: 1_000 } }) as never);
          },
        } as never;
      },
      'source',
    )
    .addSink('plain', 'plain', 'window', serdes)
    .addSink('inner', 'inner', 'window', { ...serdes, partitionsByInnerKey: true });
  const streams = streamsOn(broker, topology);
  await produceKeys(broker);
  await streams.start();
  for (const [topic, partitionOf] of [
    ['plain', ofAllBytes],
    ['inner', ofInnerKey],
  ] as const) {
    await until(async () => (await readAll(broker, topic)).length >= keys.length, topic);
    const records = await readAll(broker, topic);
    expect(records.map(({ partition }) => partition)).toEqual(records.map(({ key }) => partitionOf(key as Buffer)));
  }
});
