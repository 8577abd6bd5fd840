import { expect, test } from 'vitest';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { string } from '../../../src/serde/primitives.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, newDirectory, streamsOn } from '../../support/streams-harness.ts';

const strings = { key: string(), value: string() };

function graceJoin(store: 'memory' | 'persistent') {
  const builder = new StreamsBuilder();
  const right = builder.table('right', { ...strings, materialized: { name: 'rt', store, historyRetentionMs: 1_000 } });
  const left = builder.stream('left', strings);
  left.join(right, (own, other) => `${own}|${other}`, { name: 'j', graceMs: 10, store }).to('out', strings);
  left.to('seen');
  return builder.build();
}

test.each([
  ['memory', 'another machine'],
  ['persistent', 'another machine'],
  ['persistent', 'the same machine'],
] as const)('records that wait in a %s buffer, and versions, go on with %s', async (medium, machine) => {
  const cluster = await clusterWith({ left: 1, right: 1, seen: 1, out: 1 });
  const broker = brokerOf(cluster);
  const outputs = async () =>
    (await readAll(brokerOf(cluster), 'out')).map(({ value, timestampMs }) => `${value?.toString()}@${timestampMs}`);
  await produceText(broker, 'right', 0, [
    ['k', 'old', 100],
    ['k', 'new', 300],
    ['k', 'late', 200],
  ]);
  const stateDir = newDirectory();
  const first = streamsOn(broker, graceJoin(medium), { stateDir });
  await first.start();
  const versions = first.versionedKeyValueStore<string, string>('rt');
  await until(async () => (await versions.get('k', 250))?.value === 'late', 'the table');
  await produceText(brokerOf(cluster), 'left', 0, [
    ['k', 'gone', 100],
    ['k', 'first', 250],
    ['k', 'second', 255],
  ]);
  await until(async () => (await readAll(brokerOf(cluster), 'seen')).length === 3, 'the records of the stream');
  await until(async () => (await outputs()).length === 1, 'the record that waited no longer');
  await first.close();

  const directory = machine === 'the same machine' ? stateDir : newDirectory();
  const next = streamsOn(brokerOf(cluster), graceJoin(medium), { stateDir: directory });
  await next.start();
  await produceText(brokerOf(cluster), 'left', 0, [
    ['k', 'third', 265],
    ['k', 'far', 900],
  ]);
  await until(async () => (await outputs()).length === 4, 'what had waited');
  expect(await outputs()).toEqual(['gone|old@100', 'first|late@250', 'second|late@255', 'third|late@265']);
  const restored = next.versionedKeyValueStore<string, string>('rt');
  const history = await restored.fetch('k', undefined, undefined);
  expect(history.map(({ value, timestampMs }) => [value, timestampMs])).toEqual([
    ['old', 100],
    ['late', 200],
    ['new', 300],
  ]);
  await next.close();
});
