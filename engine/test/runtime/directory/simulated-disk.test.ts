import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/base/default-config.ts';
import type { Disk } from '../../../src/base/disk.ts';
import type { RecordBatch } from '../../../src/base/record-batch.ts';
import { systemDisk } from '../../../src/base/system-disk.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { GlobalStoreFiller } from '../../../src/runtime/global/global-store-filler.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { StateStore, StateStoreContext, StoreBuilder } from '../../../src/state/state-store.ts';
import { TopologyTestDriver } from '../../../src/testing/driver/topology-test-driver.ts';
import { brokerOf, produceText, until } from '../../support/memory-cluster-harness.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { clusterWith, newDirectory, processing, streamsOn } from '../../support/streams-harness.ts';

const strings = { key: string(), value: string() };

/** A persistent store without lmdb: a count, and how far its changelog made it, as a text on the disk of its context. */
class CountOnDisk implements StateStore {
  readonly name: string;
  readonly persistent = true;
  readonly #restores: number[];
  #context: StateStoreContext | undefined;
  count = 0;
  restoredOffset: number | undefined;

  constructor(name: string, restores: number[]) {
    this.name = name;
    this.#restores = restores;
  }

  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  get #file(): string {
    return join(this.#context?.stateDirectory ?? '', this.name);
  }

  open(context: StateStoreContext): void {
    this.#context = context;
    if (!context.disk.namesSync(context.stateDirectory).includes(this.name)) return;
    const [count, offset] = context.disk.readTextSync(this.#file).split(' ').map(Number);
    this.count = count ?? 0;
    this.restoredOffset = offset;
  }

  increment(): void {
    this.count += 1;
    this.#context?.logChange(this.name, 'count' as never, Buffer.from(String(this.count)), 0);
  }

  restore(batch: RecordBatch): void {
    this.#restores.push(batch.count);
    const last = batch.count - 1;
    this.count = Number(batch.buffer.toString('latin1', batch.valueStarts[last], batch.valueEnds[last]));
  }

  flush(): void {}

  commit(offset: number | undefined): void {
    this.#context?.disk.writeTextSync(this.#file, `${this.count} ${offset ?? 0}`);
  }

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.#context = undefined;
  }

  wipe(): void {}
}

function countOnDisk(restores: number[]): StoreBuilder<CountOnDisk> {
  return {
    name: 'count',
    kind: 'key-value',
    persistent: true,
    loggingEnabled: true,
    loggingConfig: {},
    cachingEnabled: false,
    build: () => new CountOnDisk('count', restores),
  };
}

it('is all that an instance leaves behind, and all that it goes on from', async () => {
  const cluster = await clusterWith({ in: 1 });
  const disk = new MemoryDisk();
  const stateDir = join(newDirectory(), 'simulated');
  const restores: number[] = [];
  const counts: number[] = [];
  const topology = processing(
    (_record, context) => {
      const store = context.getStateStore<CountOnDisk>('count');
      store.increment();
      counts.push(store.count);
    },
    [countOnDisk(restores)],
  );
  for (const run of [1, 2]) {
    const streams = streamsOn(brokerOf(cluster), topology, { stateDir, disk });
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'v']]);
    await until(() => counts.length === run, `record ${run}`);
    await streams.close();
  }
  expect(counts).toEqual([1, 2]);
  expect(restores).toEqual([]);
  expect(disk.readTextSync(join(stateDir, 'app', '0_0', 'count'))).toBe('2 2');
  expect(disk.readTextSync(join(stateDir, 'app', '0_0', '.lease'))).toBe('');
  expect(existsSync(stateDir)).toBe(false);

  // A disk that lost all of it: the changelog has it, too.
  disk.removeSync(stateDir);
  const third = streamsOn(brokerOf(cluster), topology, { stateDir, disk });
  await third.start();
  expect(restores).toEqual([2]);
});

it('holds what the test driver and print write', async () => {
  const disk = new MemoryDisk();
  const folder = disk.makeTemporaryFolderSync('printed');
  const file = join(folder, 'lines');
  disk.writeTextSync(file, 'of yesterday');
  const builder = new StreamsBuilder();
  builder.stream('in', strings).print({ file, label: 'in' });
  const topology = builder.build();
  expect(disk.readTextSync(file)).toBe('of yesterday');
  for (const value of ['1', '2']) {
    const driver = new TopologyTestDriver(topology, { applicationId: 'app', disk });
    expect(disk.namesSync('/tmp').filter((name) => name.startsWith('millrace-driver-'))).toHaveLength(1);
    driver.createInputTopic('in', string(), string()).pipeInput('k', value);
    await driver.close();
    expect(disk.namesSync('/tmp').filter((name) => name.startsWith('millrace-driver-'))).toEqual([]);
  }
  expect(disk.readTextSync(file)).toBe('[in]: k, 1\n[in]: k, 2\n');
});

const disks: readonly (readonly [name: string, disk: Disk])[] = [
  ['the disk of the machine', systemDisk],
  ['a disk in memory', new MemoryDisk()],
];

it.each(disks)('a persistent global store begins with an empty folder on %s', (_name, disk) => {
  const stateDir = disk.makeTemporaryFolderSync('millrace-global-');
  const directory = join(stateDir, 'app', 'global');
  disk.makeFolderSync(join(directory, 'count'));
  disk.writeTextSync(join(directory, 'count', 'left'), 'by an earlier run');
  disk.writeTextSync(join(directory, 'other'), '');
  const builder = new StreamsBuilder();
  builder.globalTable('names', { ...strings, materialized: { name: 'names', store: 'memory' } });
  const [spec] = builder.build().resolve('app').globalStores;
  if (spec === undefined) throw new Error('the global table has a store');
  const config = resolveConfig({ applicationId: 'app', stateDir, disk });
  const processor = { ...spec.processor, supplier: { get: () => ({ process() {} }) } };
  const filler = new GlobalStoreFiller({ ...spec, processor, store: countOnDisk([]) }, config, directory);
  expect(disk.namesSync(directory)).toEqual(['other']);
  filler.close();
  disk.removeSync(stateDir);
});
