import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/base/default-config.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { GlobalState } from '../../../src/runtime/global/global-state.ts';
import { ChangelogReader } from '../../../src/runtime/restore/changelog-reader.ts';
import type { PartitionTask, Task } from '../../../src/runtime/task/task.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { KeyValueStore } from '../../../src/state/key-value-store.ts';
import { Stores } from '../../../src/state/stores.ts';
import { brokerOf, produceText } from '../../support/memory-cluster-harness.ts';
import { replacing } from '../../support/replacing.ts';
import { StandbyTask } from '../../support/standby-task.ts';
import { clusterWith, newDirectory, processing } from '../../support/streams-harness.ts';
import { newTask } from '../../support/task-harness.ts';

const config = resolveConfig({ applicationId: 'app', stateDir: newDirectory() });

const seen = Stores.keyValueStoreBuilder({ name: 'seen', key: string(), value: string() });

describe('tasks of every kind', () => {
  it('are one interface: restored by the same restorer, with positions and one end', async () => {
    const cluster = await clusterWith({ 'app-seen-changelog': 1 });
    await produceText(brokerOf(cluster), 'app-seen-changelog', 0, [
      ['a', 'x'],
      ['b', 'y'],
    ]);
    const topology = processing(() => {}, [seen]);
    const standby = new StandbyTask(topology, { config });
    const active = newTask(topology);
    const both: readonly PartitionTask[] = [standby, active];
    standby.transition('initialize');
    standby.stores.open();
    active.initializeStores();
    const changelogs = new ChangelogReader({ broker: brokerOf(cluster), config, clientId: 'restore' });
    for (const task of both) {
      expect(await changelogs.restore(task, new Map())).toBe(true);
      expect(task.changelogOffsets()).toEqual(new Map([['app-seen-changelog-0', 2]]));
      expect((task.stores.get('seen') as unknown as KeyValueStore<string, string>).get('b')).toBe('y');
    }
    await changelogs.close();
    expect(both.map(({ kind }) => kind)).toEqual(['standby', 'active']);
    standby.transition('restored');
    active.start();
    standby.fail();
    const states = async (task: Task) => {
      const before = task.state;
      await task.close();
      return [before, task.state];
    };
    expect(await states(standby)).toEqual(['FAILED', 'CLOSED']);
    expect(await states(active)).toEqual(['RUNNING', 'CLOSED']);
  });

  it('count the global one, whose positions are those of its topics', async () => {
    const cluster = await clusterWith({ names: 2 });
    await produceText(brokerOf(cluster), 'names', 1, [['a', 'Ada']]);
    const builder = new StreamsBuilder();
    builder.globalTable('names', { key: string(), value: string(), materialized: { name: 'names', store: 'memory' } });
    const task = new GlobalState(builder.build().resolve('app').globalStores, config, brokerOf(cluster));
    const asTask: Task = task;
    expect(asTask.state).toBe('CREATED');
    const filled = task.fill();
    expect(asTask.state).toBe('RESTORING');
    await filled;
    expect(asTask.state).toBe('RUNNING');
    expect(asTask.changelogOffsets()).toEqual(
      new Map([
        ['names-0', 0],
        ['names-1', 1],
      ]),
    );
    await asTask.close();
    await asTask.close();
    expect(asTask.state).toBe('CLOSED');
  });

  it('close everything, whatever a part of them runs into', async () => {
    const cluster = await clusterWith({ names: 1 });
    const builder = new StreamsBuilder();
    builder.globalTable('names', { key: string(), value: string(), materialized: { name: 'names', store: 'memory' } });
    const broker = brokerOf(cluster);
    const refusing = replacing(broker, {
      consumer: (options) => replacing(broker.consumer(options), { close: () => Promise.reject(new Error('no')) }),
    });
    const task = new GlobalState(builder.build().resolve('app').globalStores, config, refusing);
    await task.fill();
    await expect(task.close()).rejects.toThrow('no');
    expect(task.stores.get('names')?.isOpen).toBe(false);
  });
});
