import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { StreamsOptions } from '../../../src/base/config.ts';
import { resolveConfig } from '../../../src/base/default-config.ts';
import { BrokerError } from '../../../src/base/errors.ts';
import { noMetrics, silentLog } from '../../../src/base/metrics.ts';
import type { Broker, OffsetAndMetadata } from '../../../src/broker/broker.ts';
import { BufferPool } from '../../../src/broker/buffer-pool.ts';
import type { MemoryCluster } from '../../../src/broker/memory/memory-cluster.ts';
import { CONTROL_BIT, layout, TRANSACTIONAL_BIT } from '../../../src/broker/record-batch-layout.ts';
import { RecordBatchWriter } from '../../../src/broker/record-batch-writer.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { ChangelogReader } from '../../../src/runtime/restore/changelog-reader.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { KeyValueStore } from '../../../src/state/key-value-store.ts';
import type { StateStore, StoreBuilder } from '../../../src/state/state-store.ts';
import { Stores } from '../../../src/state/stores.ts';
import type { Topology } from '../../../src/topology/topology.ts';
import { FetchGate, fetchingThrough } from '../../support/fetch-gate.ts';
import { brokerOf, produceText, until } from '../../support/memory-cluster-harness.ts';
import { StandbyTask } from '../../support/standby-task.ts';
import { clusterWith, newDirectory, processing } from '../../support/streams-harness.ts';

const CHANGELOG = 'app-kept-changelog';
const nothing: ReadonlyMap<string, OffsetAndMetadata> = new Map();

/** `count` records, each with a key of its own. */
const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => [`k${from + index}`, `v${from + index}`] as const);

function keeping(store: 'memory' | 'persistent' = 'memory'): Topology {
  return processing(() => {}, [Stores.keyValueStoreBuilder({ name: 'kept', key: string(), value: string(), store })]);
}

/** Keeps offsets, and lets a test look at each batch, or throw there. */
class WatchedStore implements StateStore {
  readonly name = 'kept';
  readonly persistent = false;
  readonly restoredOffset = undefined;
  readonly onRestore: (store: WatchedStore, offsets: readonly number[]) => void;
  isOpen = false;
  offsets: number[] = [];
  readonly commits: (number | undefined)[] = [];

  constructor(onRestore: (store: WatchedStore, offsets: readonly number[]) => void) {
    this.onRestore = onRestore;
  }

  open(): void {
    this.isOpen = true;
  }

  restore(batch: { readonly count: number; readonly offsets: Float64Array }): void {
    const offsets = [...batch.offsets.subarray(0, batch.count)];
    this.onRestore(this, offsets);
    this.offsets.push(...offsets);
  }

  flush(): void {}

  commit(offset: number | undefined): void {
    this.commits.push(offset);
  }

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.isOpen = false;
  }

  wipe(): void {
    this.offsets = [];
  }
}

function watching(onRestore: WatchedStore['onRestore'] = () => {}): Topology {
  const builder: StoreBuilder<StateStore> = {
    name: 'kept',
    kind: 'key-value',
    persistent: false,
    loggingEnabled: true,
    loggingConfig: {},
    cachingEnabled: false,
    build: () => new WatchedStore(onRestore),
  };
  return processing(() => {}, [builder]);
}

const watched = (task: StandbyTask): WatchedStore => task.stores.get('kept') as unknown as WatchedStore;
const offsetsOf = (task: StandbyTask): readonly number[] => watched(task).offsets;
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, offset) => offset);

describe('a changelog reader', () => {
  let gate: FetchGate;
  let cluster: MemoryCluster;
  let broker: Broker;
  let options: StreamsOptions;
  let reader: ChangelogReader;
  const tasks: StandbyTask[] = [];

  const begin = async (partitions: number, given: Partial<StreamsOptions> = {}): Promise<void> => {
    cluster = await clusterWith({ [CHANGELOG]: partitions });
    gate = new FetchGate();
    broker = fetchingThrough(gate, brokerOf(cluster));
    options = { applicationId: 'app', stateDir: newDirectory(), commitIntervalMs: 10, ...given };
    reader = newReader();
  };
  const newReader = (): ChangelogReader =>
    new ChangelogReader({ broker, config: resolveConfig(options), clientId: 'restore' });
  const produce = (partition: number, rows: ReturnType<typeof records>): Promise<void> =>
    produceText(brokerOf(cluster), CHANGELOG, partition, rows);
  /** Its stores are open. */
  const task = (topology: Topology, partition = 0, stateDirectory = newDirectory()): StandbyTask => {
    const created = new StandbyTask(topology, { config: resolveConfig(options), partition, stateDirectory });
    created.transition('initialize');
    created.stores.open();
    tasks.push(created);
    return created;
  };
  /** Tables keep timestamps besides. */
  const kept = (of: StandbyTask, key: string): string | undefined => {
    const value = (of.stores.get('kept') as unknown as KeyValueStore<string, string | { value: string }>).get(key);
    return typeof value === 'object' ? value.value : value;
  };
  const position = (of: StandbyTask): number | undefined => of.stores.position('kept');

  beforeEach(() => begin(2));

  afterEach(async () => {
    await reader.close();
    for (const each of tasks.splice(0)) await each.close();
  });

  it('is done with each task as soon as its own stores are restored', async () => {
    await produce(0, records(500));
    await produce(1, records(3));
    gate.hold(CHANGELOG, 0);
    const large = task(keeping(), 0);
    const small = task(keeping(), 1);
    let isLargeDone = false;
    const largeDone = reader.restore(large, nothing).then((restored) => {
      isLargeDone = true;
      return restored;
    });
    expect(await reader.restore(small, nothing)).toBe(true);
    expect([kept(small, 'k2'), position(small)]).toEqual(['v2', 3]);
    expect(isLargeDone).toBe(false);
    expect(reader.progress()).toEqual([
      { topic: CHANGELOG, partition: 0, taskId: '0_0', storeName: 'kept', restored: 0, remaining: 500 },
    ]);
    gate.release(CHANGELOG, 0);
    expect(await largeDone).toBe(true);
    expect(kept(large, 'k499')).toBe('v499');
    expect(reader.progress()).toEqual([]);
  });

  it('takes tasks at any time, also those that come while others are being restored, and after', async () => {
    await produce(0, records(5));
    await produce(1, records(5));
    gate.hold(CHANGELOG, 0);
    const early = task(keeping(), 0);
    const earlyDone = reader.restore(early, nothing);
    await until(() => reader.progress()[0]?.remaining === 5, 'the first to be read');
    const late = task(keeping(), 1);
    expect(await reader.restore(late, nothing)).toBe(true);
    gate.release(CHANGELOG, 0);
    expect(await earlyDone).toBe(true);
    await produce(1, records(5, 5));
    const again = task(keeping(), 1);
    expect(await reader.restore(again, nothing)).toBe(true);
    expect(position(again)).toBe(10);
  });

  it('is done at once with a task that has nothing to restore', async () => {
    expect(await reader.restore(task(keeping()), nothing)).toBe(true);
    expect(await reader.restore(task(processing(() => {})), nothing)).toBe(true);
  });

  it('leaves a store alone from the moment its task is removed, and keeps what it has got', async () => {
    await produce(0, records(1_000));
    const directory = newDirectory();
    const first = task(keeping('persistent'), 0, directory);
    let nowMs = 0;
    let turns = 0;
    const clock = {
      ...systemClock,
      monotonicMs: () => nowMs++,
      yield(callback: () => void) {
        turns += 1;
        if (turns === 2) reader.remove(first);
        systemClock.yield(callback);
      },
    };
    options = { ...options, clock };
    reader = newReader();
    expect(await reader.restore(first, nothing)).toBe(false);
    const reached = position(first) as number;
    expect(reached).toBeGreaterThan(0);
    expect(reached).toBeLessThan(1_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(position(first)).toBe(reached);
    expect(kept(first, `k${reached}`)).toBeUndefined();
    await first.close();

    // Only what was missing comes from the changelog now.
    const { restores, metrics } = counting();
    options = { ...options, clock: systemClock, metrics };
    await reader.close();
    reader = newReader();
    const second = task(keeping('persistent'), 0, directory);
    expect(position(second)).toBe(reached);
    expect(await reader.restore(second, nothing)).toBe(true);
    expect(restores).toEqual([['0_0', 1_000 - reached]]);
    expect([kept(second, 'k0'), kept(second, 'k999')]).toEqual(['v0', 'v999']);
  });

  it('ends with the task whose changelog fails, and with no other', async () => {
    await produce(0, records(5));
    await produce(1, records(5));
    gate.hold(CHANGELOG, 0);
    gate.hold(CHANGELOG, 1);
    const bad = reader.restore(task(keeping(), 0), nothing);
    const good = reader.restore(task(keeping(), 1), nothing);
    gate.failNext(CHANGELOG, 0, new BrokerError('gone', { kafkaCode: 3, retriable: false }));
    await expect(bad).rejects.toThrow('gone');
    gate.release(CHANGELOG, 1);
    expect(await good).toBe(true);
  });

  it('ends with the task whose store fails, and with no other', async () => {
    await produce(0, records(5));
    await produce(1, records(5));
    const failing = watching(() => {
      throw new Error('no room');
    });
    const bad = task(failing, 0);
    const good = task(watching(), 1);
    const failed = reader.restore(bad, nothing);
    const restored = reader.restore(good, nothing);
    await expect(failed).rejects.toThrow('no room');
    expect(await restored).toBe(true);
    // Nobody knows how much of the batch the first one holds.
    expect([watched(bad).commits, watched(good).commits]).toEqual([[], [5]]);
  });

  it('asks for the offsets of each task alone when it is told none of all together', async () => {
    await produce(1, records(5));
    const bad = reader.restore(task(keeping(), 7), nothing);
    const good = task(keeping(), 1);
    const restored = reader.restore(good, nothing);
    await expect(bad).rejects.toThrow(/UNKNOWN_TOPIC_OR_PARTITION/);
    expect(await restored).toBe(true);
    expect(position(good)).toBe(5);
  });

  it('ends by position, where the last offset is the marker of a transaction', async () => {
    await produce(0, records(3));
    appendMarker(cluster, CHANGELOG, 0);
    const marked = task(keeping());
    expect(await reader.restore(marked, nothing)).toBe(true);
    expect(position(marked)).toBe(4);
    appendMarker(cluster, CHANGELOG, 1);
    const empty = task(keeping(), 1);
    expect(await reader.restore(empty, nothing)).toBe(true);
    expect(position(empty)).toBe(1);
  });

  it.each([
    ['ahead of its changelog', 99, 0],
    ['behind the beginning of its changelog', 1, 3],
  ])('wipes a store that is %s', async (_where, at, beginning) => {
    await produce(0, records(5));
    await broker.admin().deleteRecords([{ topic: CHANGELOG, partition: 0, offset: beginning }]);
    const wiped = task(watching());
    wiped.stores.advance(watched(wiped), at);
    watched(wiped).offsets = [1_000];
    const warnings: string[] = [];
    options = { ...options, log: { ...silentLog, warn: (_fields, message) => void warnings.push(message) } };
    reader = newReader();
    expect(await reader.restore(wiped, nothing)).toBe(true);
    expect(offsetsOf(wiped)).toEqual(upTo(5).slice(beginning));
    expect(warnings).toEqual([]);
  });

  it('begins anew when its position falls out of the log meanwhile', async () => {
    await begin(1, { partitionFetchBytesMax: 1_024 });
    for (let batch = 0; batch < 10; batch += 1) await produce(0, records(50, batch * 50));
    gate.hold(CHANGELOG, 0);
    let trimmed = false;
    const trimming = watching(() => {
      if (trimmed) return;
      trimmed = true;
      cluster.log(CHANGELOG, 0)?.deleteBefore(400);
    });
    const restoring = task(trimming);
    const done = reader.restore(restoring, nothing);
    gate.release(CHANGELOG, 0);
    expect(await done).toBe(true);
    expect(offsetsOf(restoring)).toEqual(upTo(500).slice(400));
    expect(position(restoring)).toBe(500);
  });

  it('reads a source topic that serves as changelog as far as it was committed', async () => {
    const topology = sourceTable();
    cluster.createTopic('in', 1);
    await produceText(brokerOf(cluster), 'in', 0, records(10));
    const table = task(topology);
    expect(await reader.restore(table, new Map([['in-0', { offset: 4, metadata: '' }]]))).toBe(true);
    expect([kept(table, 'k3'), kept(table, 'k4'), position(table)]).toEqual(['v3', undefined, 4]);
  });

  it('gives everybody else a turn every few milliseconds', async () => {
    let nowMs = 0;
    let rows = 0;
    let rowsAtOnce = 0;
    // Each look at the clock costs a millisecond: what happens between two turns can be counted.
    const clock = {
      ...systemClock,
      monotonicMs: () => nowMs++,
      yield(callback: () => void) {
        rowsAtOnce = Math.max(rowsAtOnce, rows);
        rows = 0;
        systemClock.yield(callback);
      },
    };
    await begin(1, { clock });
    await produce(0, records(20_000));
    const count = (_store: unknown, offsets: readonly number[]): void => {
      rows += offsets.length;
    };
    const restoring = task(watching(count));
    expect(await reader.restore(restoring, nothing)).toBe(true);
    expect(offsetsOf(restoring)).toEqual(upTo(20_000));
    expect(rowsAtOnce).toBeGreaterThan(0);
    expect(rowsAtOnce).toBeLessThanOrEqual(6 * 64);
  });

  it('reads the shortest changelogs first, a limited number at a time', async () => {
    const partitions = 40;
    await begin(partitions);
    const topology = watching();
    const restored: number[] = [];
    const done: Promise<unknown>[] = [];
    for (let partition = 0; partition < partitions; partition += 1) {
      await produce(partition, records(partitions - partition));
      gate.hold(CHANGELOG, partition);
      done.push(reader.restore(task(topology, partition), nothing).then(() => restored.push(partition)));
    }
    await until(() => gate.paused.size === 8, 'the longest to wait');
    expect([...gate.paused].sort()).toEqual(upTo(8).map((partition) => `${CHANGELOG}-${partition}`));
    gate.release(CHANGELOG, 39);
    await until(() => gate.paused.size === 7, 'the next one to be read');
    expect(restored).toEqual([39]);
    for (let partition = 0; partition < partitions; partition += 1) gate.release(CHANGELOG, partition);
    await Promise.all(done);
    expect(restored).toHaveLength(partitions);
  });

  it('does not give a task what was fetched for its former life', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs++ };
    await begin(2, { clock, partitionFetchBytesMax: 1_024 });
    for (let batch = 0; batch < 4; batch += 1) await produce(1, records(500, batch * 500));
    await produce(0, records(1_000));
    const former = task(watching(), 1);
    const next = task(watching(), 1);
    let nextDone: Promise<boolean> | undefined;
    // The shorter one is applied first, and takes several turns.
    const meddling = watching(() => {
      if (nextDone !== undefined) return;
      reader.remove(former);
      nextDone = reader.restore(next, nothing);
    });
    gate.hold(CHANGELOG, 0);
    gate.hold(CHANGELOG, 1, 1);
    const formerDone = reader.restore(former, nothing);
    const meddled = reader.restore(task(meddling, 0), nothing);
    await until(() => position(former) === 500, 'a part of the former life');
    gate.release(CHANGELOG, 1);
    gate.release(CHANGELOG, 0);
    expect(await meddled).toBe(true);
    expect(await formerDone).toBe(false);
    expect(await nextDone).toBe(true);
    expect(offsetsOf(next)).toEqual(upTo(2_000));
  });

  it('counts per task what was restored and what remains', async () => {
    const { restores, remaining, metrics } = counting();
    await begin(2, { metrics });
    await produce(0, records(7));
    await produce(1, records(2));
    await Promise.all([0, 1].map((partition) => reader.restore(task(keeping(), partition), nothing)));
    expect(restores.sort()).toEqual([
      ['0_0', 7],
      ['0_1', 2],
    ]);
    expect([...remaining]).toEqual(
      expect.arrayContaining([
        ['0_0', 0],
        ['0_1', 0],
      ]),
    );
  });

  describe('that follows', () => {
    const follow = { committed: async () => nothing, onError: () => {} };

    it('goes on after the end, with a lag that can be read, until the task is removed', async () => {
      await produce(0, records(3));
      const standby = task(keeping());
      expect(await reader.follow(standby, follow)).toBe(true);
      expect(position(standby)).toBe(3);
      gate.hold(CHANGELOG, 0);
      await produce(0, records(4, 3));
      await until(() => reader.lag(standby).get(`${CHANGELOG}-0`) === 4, 'the lag to be known');
      expect(kept(standby, 'k6')).toBeUndefined();
      gate.release(CHANGELOG, 0);
      await until(() => reader.lag(standby).get(`${CHANGELOG}-0`) === 0, 'the end');
      expect([kept(standby, 'k6'), position(standby)]).toEqual(['v6', 7]);
      reader.remove(standby);
      await produce(0, records(1, 7));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(position(standby)).toBe(7);
      expect(reader.lag(standby)).toEqual(new Map());
    });

    it('follows a task with an empty changelog', async () => {
      const standby = task(keeping());
      expect(await reader.follow(standby, follow)).toBe(true);
      await produce(0, records(2));
      await until(() => kept(standby, 'k1') === 'v1', 'what was written later');
    });

    it('becomes a restoration like any other when the task is to be active', async () => {
      await produce(0, records(3));
      const standby = task(keeping());
      await reader.follow(standby, follow);
      gate.hold(CHANGELOG, 0);
      await produce(0, records(2, 3));
      const promoted = reader.restore(standby, nothing);
      gate.release(CHANGELOG, 0);
      expect(await promoted).toBe(true);
      expect([kept(standby, 'k4'), position(standby)]).toEqual(['v4', 5]);
      expect(reader.progress()).toEqual([]);
    });

    it('tells of an error after the end, and follows no longer', async () => {
      await produce(0, records(3));
      const errors: unknown[] = [];
      const standby = task(keeping());
      await reader.follow(standby, { ...follow, onError: (error) => errors.push(error) });
      gate.failNext(CHANGELOG, 0, new BrokerError('gone', { kafkaCode: 3, retriable: false }));
      await until(() => errors.length === 1, 'the error');
      expect(reader.progress()).toEqual([]);
    });

    it('reads a source topic that serves as changelog no further than it is committed, again and again', async () => {
      cluster.createTopic('in', 1);
      await produceText(brokerOf(cluster), 'in', 0, records(10));
      let offset = 4;
      const standby = task(sourceTable());
      const committed = async () => new Map([['in-0', { offset, metadata: '' }]]);
      expect(await reader.follow(standby, { ...follow, committed })).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect([kept(standby, 'k3'), kept(standby, 'k4'), position(standby)]).toEqual(['v3', undefined, 4]);
      expect([...gate.paused]).toEqual(['in-0']);
      offset = 9;
      await until(() => position(standby) === 9, 'what was committed meanwhile');
      expect([kept(standby, 'k8'), kept(standby, 'k9')]).toEqual(['v8', undefined]);
      expect(reader.lag(standby)).toEqual(new Map([['in-0', 1]]));
    });
  });
});

function counting() {
  const restores: [string, number][] = [];
  const remaining = new Map<string, number>();
  const metrics: StreamsOptions['metrics'] = {
    ...noMetrics,
    count: (name, tags, delta) => {
      if (name === 'restore-total') restores.push([tags['task-id'] ?? '', delta]);
    },
    gauge: (name, tags, value) => {
      if (name === 'restore-remaining-records-total') remaining.set(tags['task-id'] ?? '', value);
    },
  };
  return { restores, remaining, metrics };
}

/** A table's store whose changelog is its source topic. */
function sourceTable(): Topology {
  const builder = new StreamsBuilder();
  builder.table('in', { key: string(), value: string(), materialized: { name: 'kept', store: 'memory' } });
  return builder.build({ topologyOptimization: 'all' });
}

/** What a committed transaction leaves at the end of a log. */
function appendMarker(cluster: MemoryCluster, topic: string, partition: number): void {
  const writer = new RecordBatchWriter(topic, partition, new BufferPool(1_024));
  const key = Buffer.from([0, 0, 0, 1]);
  writer.append(0, key, 0, key.length, Buffer.alloc(6), 0, 6, []);
  const { bytes } = writer.finish('none');
  bytes.writeInt16BE(bytes.readInt16BE(layout.attributes) | CONTROL_BIT | TRANSACTIONAL_BIT, layout.attributes);
  cluster.log(topic, partition)?.append(bytes, 1);
}
