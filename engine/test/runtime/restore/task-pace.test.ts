import { expect, it } from 'vitest';
import { BrokerError } from '../../../src/base/errors.ts';
import type { TopicPartition } from '../../../src/base/record-batch.ts';
import type { KafkaStreams } from '../../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import type { OffsetStoringSink } from '../../../src/processor/processor.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { KeyValueStore } from '../../../src/state/key-value-store.ts';
import { Stores } from '../../../src/state/stores.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { FetchGate, fetchingThrough } from '../../support/fetch-gate.ts';
import { brokerOf, produceText, until } from '../../support/memory-cluster-harness.ts';
import { replacing } from '../../support/replacing.ts';
import { clusterWith, newDirectory, processing, streamsOn } from '../../support/streams-harness.ts';

const CHANGELOG = 'app-kept-changelog';

/** Says of each record what the store held for its key, and puts the record there. */
function remembering(said: string[], store: 'memory' | 'persistent' = 'memory'): Topology {
  const builder = Stores.keyValueStoreBuilder({ name: 'kept', key: string(), value: string(), store });
  return processing(
    ({ key, value }, context) => {
      const store = context.getStateStore<KeyValueStore<string, string>>('kept');
      said.push(`${context.taskId} ${key}: ${store.get(key)} → ${value}`);
      store.put(key, value);
    },
    [builder],
  );
}

/** Two tasks with a changelog each: the first is long, the second short. Both are held. */
async function heldChangelogs() {
  const cluster = await clusterWith({ in: 2, [CHANGELOG]: 2 });
  await produceText(
    brokerOf(cluster),
    CHANGELOG,
    0,
    Array.from({ length: 2_000 }, (_, index) => [`k${index % 100}`, `old${index}`] as const),
  );
  await produceText(brokerOf(cluster), CHANGELOG, 1, [['k0', 'old']]);
  const gate = new FetchGate();
  for (const partition of [0, 1]) gate.hold(CHANGELOG, partition);
  return { cluster, gate, gated: fetchingThrough(gate, brokerOf(cluster)) };
}

const stateOf = (streams: KafkaStreams, taskId: string): string | undefined =>
  streams.tasks.find((task) => task.taskId === taskId)?.state;

it('a small task processes and commits while a large one is still being restored', async () => {
  const { cluster, gate, gated } = await heldChangelogs();
  const said: string[] = [];
  const streams = streamsOn(gated, remembering(said));
  const started = streams.start();
  gate.release(CHANGELOG, 1);
  await until(() => stateOf(streams, '0_1') === 'RUNNING', 'the small task');
  for (const partition of [0, 1]) await produceText(brokerOf(cluster), 'in', partition, [['k0', 'new']]);
  const committed = () =>
    brokerOf(cluster)
      .admin()
      .committedOffsets('app', [
        { topic: 'in', partition: 0 },
        { topic: 'in', partition: 1 },
      ]);
  await until(async () => (await committed()).get('in-1')?.offset === 1, 'a commit of the small task');
  expect(said).toEqual(['0_1 k0: old → new']);
  expect([stateOf(streams, '0_0'), streams.state]).toEqual(['RESTORING', 'REBALANCING']);
  expect(streams.restoring).toEqual([
    { topic: CHANGELOG, partition: 0, taskId: '0_0', storeName: 'kept', restored: 0, remaining: 2_000 },
  ]);
  gate.release(CHANGELOG, 0);
  await started;
  await until(() => said.length === 2, 'the record of the large task');
  expect(said[1]).toBe('0_0 k0: old1900 → new');
  expect(streams.restoring).toEqual([]);
});

it('a task is taken away while it is being restored, and restored by its next owner', async () => {
  const { cluster, gate, gated } = await heldChangelogs();
  const said: string[] = [];
  const first = streamsOn(gated, remembering(said));
  const firstStarted = first.start();
  await until(() => first.restoring.length === 2, 'both to be restored');
  const second = streamsOn(brokerOf(cluster), remembering(said));
  await second.start();
  await until(() => second.tasks.length === 1 && second.tasks[0]?.state === 'RUNNING', 'one of them to move');
  expect(first.tasks).toEqual([expect.objectContaining({ state: 'RESTORING' })]);
  expect(first.restoring).toHaveLength(1);
  for (const partition of [0, 1]) gate.release(CHANGELOG, partition);
  await firstStarted;
  for (const partition of [0, 1]) await produceText(brokerOf(cluster), 'in', partition, [['k0', 'new']]);
  await until(() => said.length === 2, 'both records');
  expect(said.sort()).toEqual(['0_0 k0: old1900 → new', '0_1 k0: old → new']);
});

it('a task that is taken away before it begins to be restored is left alone', async () => {
  const { cluster, gated } = await heldChangelogs();
  const asked = Promise.withResolvers<void>();
  const slow = replacing(gated, {
    groupConsumer: (options) => {
      const consumer = gated.groupConsumer(options);
      const committed = async (partitions: readonly TopicPartition[]) => {
        await asked.promise;
        return consumer.group.committed(partitions);
      };
      return replacing(consumer, { group: replacing(consumer.group, { committed }) });
    },
  });
  const first = streamsOn(slow, remembering([]));
  const started = first.start();
  await until(() => first.tasks.length === 2, 'both tasks');
  const second = streamsOn(brokerOf(cluster), remembering([]));
  await second.start();
  await until(() => first.tasks.length === 1 && second.tasks.length === 1, 'one of them to move');
  asked.resolve();
  await until(() => first.restoring.length > 0, 'the other to be restored');
  expect(first.restoring.map(({ taskId }) => taskId)).toEqual(first.tasks.map(({ taskId }) => taskId));
  await first.close();
  await started;
});

it.each([
  ['closed', (streams: KafkaStreams) => streams.close()],
  ['killed', (streams: KafkaStreams) => streams.abandon()],
])('what an instance restored on its disk before it was %s is not restored again', async (_how, end) => {
  const cluster = await clusterWith({ in: 1, [CHANGELOG]: 1 });
  const rows = (from: number) => Array.from({ length: 50 }, (_, index) => [`k${from + index}`, 'old'] as const);
  for (const from of [0, 50, 100]) await produceText(brokerOf(cluster), CHANGELOG, 0, rows(from));
  const gate = new FetchGate();
  gate.hold(CHANGELOG, 0, 1);
  const stateDir = newDirectory();
  const options = { stateDir, partitionFetchBytesMax: 1_024 };
  const first = streamsOn(fetchingThrough(gate, brokerOf(cluster)), remembering([], 'persistent'), options);
  const started = first.start();
  await until(() => first.restoring[0]?.restored === 50, 'a part to be restored');
  await end(first);
  await started;

  const said: string[] = [];
  const second = streamsOn(brokerOf(cluster), remembering(said, 'persistent'), options);
  await second.start();
  const restored = second.metrics().filter(({ name }) => name === 'restore-total');
  expect(restored.map(({ value }) => value)).toEqual([100]);
  await produceText(brokerOf(cluster), 'in', 0, [
    ['k0', 'new'],
    ['k49', 'new'],
    ['k50', 'new'],
    ['k149', 'new'],
  ]);
  await until(() => said.length === 4, 'the records');
  expect(said).toEqual(['k0', 'k49', 'k50', 'k149'].map((key) => `0_0 ${key}: old → new`));
});

it('an instance closes while it restores', async () => {
  const { gated } = await heldChangelogs();
  const streams = streamsOn(gated, remembering([]));
  const started = streams.start();
  await until(() => streams.restoring.length === 2, 'both to be restored');
  await streams.close();
  await started;
  expect([streams.state, streams.restoring]).toEqual(['NOT_RUNNING', []]);
});

it('a changelog that can not be read for a while starts its own task again, and no other', async () => {
  const { cluster, gate, gated } = await heldChangelogs();
  const said: string[] = [];
  const streams = streamsOn(gated, remembering(said));
  const started = streams.start();
  await until(() => streams.restoring.length === 2, 'both to be restored');
  gate.failNext(CHANGELOG, 0, new BrokerError('not now', { kafkaCode: 6, retriable: true }));
  gate.release(CHANGELOG, 1);
  await until(() => stateOf(streams, '0_1') === 'RUNNING', 'the small task');
  await produceText(brokerOf(cluster), 'in', 1, [['k0', 'new']]);
  await until(() => said.length === 1, 'its record');
  gate.release(CHANGELOG, 0);
  await started;
  await produceText(brokerOf(cluster), 'in', 0, [['k99', 'new']]);
  await until(() => said.length === 2, 'the record of the large task');
  expect(said).toEqual(['0_1 k0: old → new', '0_0 k99: old1999 → new']);
});

it('a sink that takes long to open holds up its own task only', async () => {
  const cluster = await clusterWith({ in: 2 });
  const written: string[] = [];
  const opening = Promise.withResolvers<void>();
  const sink = (): OffsetStoringSink<string, string> => ({
    async open(_sources, taskId) {
      if (taskId === '0_0') await opening.promise;
      return new Map();
    },
    write: (record) => written.push(record.value),
    isFull: false,
    async commit() {},
    async close() {},
  });
  const builder = new StreamsBuilder();
  builder.stream('in', { key: string(), value: string() }).toExternal(sink, { name: 'outside' });
  const streams = streamsOn(brokerOf(cluster), builder.build());
  const started = streams.start();
  for (const partition of [0, 1]) await produceText(brokerOf(cluster), 'in', partition, [['k', `v${partition}`]]);
  await until(() => written.length === 1, 'the record of the other task');
  expect(written).toEqual(['v1']);
  expect(streams.state).toBe('REBALANCING');
  opening.resolve();
  await started;
  await until(() => written.length === 2, 'the record of the task that waited');
});
