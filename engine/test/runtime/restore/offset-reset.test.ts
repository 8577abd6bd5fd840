import { expect, test } from 'vitest';
import type { AutoOffsetReset } from '../../../src/base/config.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { string } from '../../../src/serde/primitives.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, streamsOn } from '../../support/streams-harness.ts';

const strings = { key: string(), value: string() };
const HOUR_MS = 3_600_000;

function copying(autoOffsetReset: AutoOffsetReset | undefined) {
  const builder = new StreamsBuilder();
  builder.stream('in', { ...strings, autoOffsetReset }).to('out');
  return builder.build();
}

/** Values that a new application copies of a topic whose records were written as long ago as their values say, hours. */
async function copied(source: AutoOffsetReset | undefined, application: AutoOffsetReset = 'latest'): Promise<string[]> {
  const cluster = await clusterWith({ in: 1, out: 1 });
  const nowMs = Date.now();
  for (const hours of [3, 2, 1]) {
    await produceText(brokerOf(cluster), 'in', 0, [['k', String(hours), nowMs - hours * HOUR_MS]]);
  }
  const streams = streamsOn(brokerOf(cluster), copying(source), { autoOffsetReset: application });
  await streams.start();
  await produceText(brokerOf(cluster), 'in', 0, [['k', 'new', nowMs]]);
  const values = async () => (await readAll(brokerOf(cluster), 'out')).map(({ value }) => String(value));
  await until(async () => (await values()).includes('new'), 'the new record');
  await streams.close();
  return values();
}

test.each<[string, AutoOffsetReset | undefined, AutoOffsetReset, string[]]>([
  ['at the beginning', 'earliest', 'latest', ['3', '2', '1', 'new']],
  ['at the end', 'latest', 'earliest', ['new']],
  [
    'at the first record of the last two and a half hours',
    { byDurationMs: 2.5 * HOUR_MS },
    'latest',
    ['2', '1', 'new'],
  ],
  ['at the end where no record is so young', { byDurationMs: 1 }, 'earliest', ['new']],
  ['as the application says', undefined, { byDurationMs: 1.5 * HOUR_MS }, ['1', 'new']],
])('a source without an offset begins %s', async (_where, source, application, expected) => {
  expect(await copied(source, application)).toEqual(expected);
});

test('a record for several partitions is written to each of them', async () => {
  const cluster = await clusterWith({ in: 1, out: 3 });
  const builder = new StreamsBuilder();
  builder.stream('in', strings).to('out', {
    partitioner: (_topic, _key, value, count) => {
      if (value === 'all') return Array.from({ length: count }, (_, partition) => partition);
      return value === 'none' ? [] : 2;
    },
  });
  const streams = streamsOn(brokerOf(cluster), builder.build());
  await streams.start();
  await produceText(brokerOf(cluster), 'in', 0, [
    ['k', 'all'],
    ['k', 'none'],
    ['k', 'two'],
  ]);
  await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 4, 'all records');
  const written = (await readAll(brokerOf(cluster), 'out')).map(({ partition, value }) => `${partition} ${value}`);
  expect(written.sort()).toEqual(['0 all', '1 all', '2 all', '2 two']);
  const dropped = streams.metrics().find(({ tags }) => tags['reason'] === 'no-partition');
  expect(dropped?.value).toBe(1);
});
