import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/base/default-config.ts';
import { silentLog } from '../../../src/base/metrics.ts';
import type { KafkaStreams } from '../../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { StateDirectory } from '../../../src/runtime/directory/state-directory.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { brokerOf, produceText, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, newDirectory, streamsOn } from '../../support/streams-harness.ts';

function counting(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .count({ materialized: { name: 'counts', store: 'persistent' } });
  return builder.build();
}

const taskIds = (streams: KafkaStreams): readonly string[] => streams.tasks.map(({ taskId }) => taskId).sort();

it('removes the local state of a task that moved to another instance, which comes back with its changelog', async () => {
  const cluster = await clusterWith({ in: 2 });
  for (const partition of [0, 1]) await produceText(brokerOf(cluster), 'in', partition, [[`k${partition}`, 'once']]);
  const stateDir = newDirectory();
  const folder = (taskId: string): string => join(stateDir, 'app', taskId);
  const first = streamsOn(brokerOf(cluster), counting(), { stateDir, stateCleanupDelayMs: 100 });
  await first.start();
  const counts = first.keyValueStore<string, number>('counts');
  const bothCounted = async () => (await counts.get('k0')) === 1 && (await counts.get('k1')) === 1;
  await until(bothCounted, 'both counts');
  expect(existsSync(folder('0_0')) && existsSync(folder('0_1'))).toBe(true);

  const second = streamsOn(brokerOf(cluster), counting());
  await second.start();
  await until(() => taskIds(first).length === 1 && taskIds(second).length === 1, 'a task each');
  const [moved = ''] = taskIds(second);
  const [kept = ''] = taskIds(first);
  await until(() => !existsSync(folder(moved)), 'the folder of the moved task to go');
  expect(existsSync(folder(kept))).toBe(true);

  await second.close();
  await until(() => taskIds(first).length === 2 && first.state === 'RUNNING', 'both tasks');
  await until(bothCounted, 'both counts again');
});

it('removes all local state on demand, before the start and after the end, never while it runs', async () => {
  const cluster = await clusterWith({ in: 1 });
  await produceText(brokerOf(cluster), 'in', 0, [['k', 'once']]);
  const stateDir = newDirectory();
  const first = streamsOn(brokerOf(cluster), counting(), { stateDir });
  first.cleanUp();
  await first.start();
  await until(async () => (await first.keyValueStore('counts').get('k')) === 1, 'the count');
  expect(() => first.cleanUp()).toThrow('Local state is removed before start() or after close(), not while RUNNING');
  await first.close();
  expect(existsSync(join(stateDir, 'app', '0_0'))).toBe(true);
  first.cleanUp();
  expect(existsSync(join(stateDir, 'app'))).toBe(false);

  const second = streamsOn(brokerOf(cluster), counting(), { stateDir });
  await second.start();
  expect(await second.keyValueStore('counts').get('k')).toBe(1);
});

it('waits with a task whose local state another instance of this host still holds', async () => {
  const cluster = await clusterWith({ in: 1 });
  await produceText(brokerOf(cluster), 'in', 0, [['k', 'once']]);
  const stateDir = newDirectory();
  const other = new StateDirectory(resolveConfig({ applicationId: 'app', stateDir }), 'other');
  other.lease('0_0');
  const reasons: string[] = [];
  const warn = (fields: Record<string, unknown>): void => void reasons.push((fields.err as Error).message);
  const streams = streamsOn(brokerOf(cluster), counting(), { stateDir, log: { ...silentLog, warn } });
  const started = streams.start();
  await until(() => reasons.length >= 2, 'two attempts');
  for (const reason of reasons) expect(reason).toContain('task 0_0 is still held by another instance');
  expect(streams.state).toBe('REBALANCING');
  other.release('0_0');
  await started;
  await until(async () => (await streams.keyValueStore('counts').get('k')) === 1, 'the count');
});
