import { expect, test } from 'vitest';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { long, string } from '../../../src/serde/primitives.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, streamsOn } from '../../support/streams-harness.ts';

const strings = { key: string(), value: string() };

test('E1: a task that loses some of its partitions goes on with the rest, on the state it had', async () => {
  const cluster = await clusterWith({ 'in-a': 2, 'in-b': 2, out: 1 });
  const broker = brokerOf(cluster);
  const builder = new StreamsBuilder();
  builder
    .stream(/^in-.*$/, strings)
    .groupByKey()
    .count({ materialized: { name: 'counts' } })
    .toStream()
    .to('out', { key: string(), value: long() });
  const streams = streamsOn(broker, builder.build(), { autoOffsetReset: 'earliest', metadataMaxAgeMs: 30 });
  await produceText(broker, 'in-a', 0, [['k', '1', 0]]);
  await produceText(broker, 'in-b', 0, [['k', '2', 0]]);
  await streams.start();
  const counts = async () => (await readAll(broker, 'out')).map(({ value }) => Number(value?.readBigInt64BE()));
  await until(async () => (await counts()).length === 2, 'both records');
  // A task whose topic goes before its commit does both records once more.
  const sources = ['in-a', 'in-b'].map((topic) => ({ topic, partition: 0 }));
  await until(async () => {
    const offsets = await broker.admin().committedOffsets('app', sources);
    return [...offsets.values()].every(({ offset }) => offset === 1) && offsets.size === 2;
  }, 'both records committed');

  await broker.admin().deleteTopics(['in-a']);
  await until(
    () =>
      streams.tasks.length === 2 && streams.tasks.every(({ state }) => state === 'RUNNING') && streams.lag.size === 2,
    'two tasks with one partition each',
  );
  await produceText(broker, 'in-b', 0, [['k', '3', 1]]);
  await until(async () => (await counts()).length === 3, 'the record of the topic that is left');
  expect(await counts()).toEqual([1, 2, 3]);
  expect(streams.state).toBe('RUNNING');
});
