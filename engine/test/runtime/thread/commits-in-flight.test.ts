import { describe, expect, it } from 'vitest';
import { StreamsError, TaskMigratedError } from '../../../src/base/errors.ts';
import type { MemoryCluster } from '../../../src/broker/memory/memory-cluster.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { Serde } from '../../../src/serde/serde.ts';
import { CommitGate, committingThrough } from '../../support/commit-gate.ts';
import { brokerOf, produceText, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, pause, processing, streamsOn } from '../../support/streams-harness.ts';

const text = { key: string(), value: string() };

async function committed(cluster: MemoryCluster, partition = 0): Promise<number> {
  const offsets = await brokerOf(cluster)
    .admin()
    .committedOffsets('app', [{ topic: 'in', partition }]);
  return offsets.get(`in-${partition}`)?.offset ?? 0;
}

const produce = (cluster: MemoryCluster, value: string, partition = 0) =>
  produceText(brokerOf(cluster), 'in', partition, [['k', value]]);

/** One instance that notes what it processes, its commits behind a gate. */
async function noting(cluster: MemoryCluster, gate = new CommitGate()) {
  const seen: string[] = [];
  const topology = () => processing((record) => seen.push(record.value));
  const streams = streamsOn(committingThrough(gate, brokerOf(cluster)), topology());
  await streams.start();
  return { gate, seen, streams, topology };
}

describe('while a commit is on its way', () => {
  it('its task stands still, and goes on when it ends', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { gate, seen, streams } = await noting(cluster);
    gate.hold();
    await produce(cluster, '1');
    await until(() => gate.waiting === 1, 'the commit');
    await produce(cluster, '2');
    await pause(100);
    expect(seen).toEqual(['1']);
    expect([streams.state, ...streams.tasks.map(({ state }) => state)]).toEqual(['RUNNING', 'RUNNING']);
    gate.release();
    await until(async () => (await committed(cluster)) === 2, 'both records committed');
    expect(seen).toEqual(['1', '2']);
  });

  it('a partition that is revoked waits for it, and the next owner repeats nothing', async () => {
    const cluster = await clusterWith({ in: 2 });
    const { gate, seen, streams, topology } = await noting(cluster);
    gate.hold();
    await produce(cluster, 'a', 0);
    await produce(cluster, 'b', 1);
    await until(() => gate.waiting === 1 && seen.length === 2, 'the commit');
    const second = streamsOn(brokerOf(cluster), topology());
    const started = second.start();
    await pause(200);
    expect(streams.tasks).toHaveLength(2);
    await produce(cluster, 'c', 0);
    await produce(cluster, 'd', 1);
    gate.release();
    await started;
    await until(() => seen.length >= 4 && second.tasks.length === 1, 'all records, and a task each');
    await until(
      async () => (await committed(cluster, 0)) === 2 && (await committed(cluster, 1)) === 2,
      'all committed',
    );
    expect([...seen].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('a task that fails stays failed when it ends, and no later commit passes what it failed on', async () => {
    const cluster = await clusterWith({ in: 1 });
    const gate = new CommitGate();
    let failures = 0;
    // A batch that waited for a schema is handed over between turns, whatever its task is doing.
    const serde: Serde<string> = {
      format: 'prepared',
      serialize: (value, topic) => string().serialize(value, topic),
      deserialize: (buffer, start, end, topic) => string().deserialize(buffer, start, end, topic),
      prepare: () => Promise.resolve(),
    };
    const seen: string[] = [];
    const builder = new StreamsBuilder();
    const timestampExtractor = {
      extract: ({ value }: { readonly value: unknown }) => {
        if (value === 'bad' && failures === 0) {
          failures += 1;
          throw new StreamsError('not now', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' });
        }
        return 0;
      },
    };
    builder
      .stream('in', { key: string(), value: serde, timestampExtractor })
      .foreach((_key, value) => seen.push(value));
    const streams = streamsOn(committingThrough(gate, brokerOf(cluster)), builder.build(), { commitIntervalMs: 1 });
    await streams.start();
    gate.hold();
    await produce(cluster, '1');
    await until(() => gate.waiting === 1, 'the commit');
    await produce(cluster, 'bad');
    await until(() => failures === 1, 'the failure');
    gate.release();
    await until(async () => (await committed(cluster)) === 1, 'the commit that was on its way');
    await produce(cluster, '3');
    await until(async () => (await committed(cluster)) === 3, 'everything committed');
    expect(seen).toEqual(['1', 'bad', '3']);
  });

  it('a close waits for it, for what asynchronous operators hold, and then commits that, too', async () => {
    const cluster = await clusterWith({ in: 1 });
    const gate = new CommitGate();
    const results = new Map<string, () => void>();
    const outputs: string[] = [];
    const builder = new StreamsBuilder();
    builder
      .stream('in', text)
      .mapAsync(({ value }) => new Promise<string>((resolve) => results.set(value, () => resolve(value))), {
        concurrency: 2,
      })
      .foreach((_key, value) => outputs.push(value));
    const streams = streamsOn(committingThrough(gate, brokerOf(cluster)), builder.build());
    await streams.start();
    await produce(cluster, '1');
    await produce(cluster, '2');
    await until(() => results.size === 2, 'both calls');
    await until(async () => gate.passed > 0, 'the commit of nothing yet');
    gate.hold();
    results.get('1')?.();
    await until(() => gate.waiting === 1, 'the commit of the first record');
    const closed = streams.close();
    await pause(50);
    results.get('2')?.();
    await pause(50);
    expect(outputs).toEqual(['1']);
    gate.release();
    await closed;
    expect(outputs).toEqual(['1', '2']);
    expect(await committed(cluster)).toBe(2);
  });

  it('an instance that gives up waits for it and commits nothing more', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { gate, seen, streams } = await noting(cluster);
    gate.hold();
    await produce(cluster, '1');
    await until(() => gate.waiting === 1, 'the commit');
    await produce(cluster, '2');
    let isOver = false;
    const over = streams.abandon().then(() => {
      isOver = true;
    });
    await pause(100);
    expect(isOver).toBe(false);
    gate.release();
    await over;
    expect(streams.tasks).toEqual([]);
    expect(seen).toEqual(['1']);
    expect(await committed(cluster)).toBe(1);
  });
});

describe('a commit that is refused', () => {
  it('lets its task begin again from the commit before', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { gate, seen } = await noting(cluster);
    await produce(cluster, '1');
    await until(async () => (await committed(cluster)) === 1, 'the first commit');
    gate.refuseNext(new StreamsError('away', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' }));
    await produce(cluster, '2');
    await until(async () => (await committed(cluster)) === 2, 'the commit after that');
    expect(seen).toEqual(['1', '2', '2']);
  });

  it('because the group is changing is made later by the same task', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { gate, seen } = await noting(cluster);
    gate.refuseNext(new TaskMigratedError('rebalancing'));
    await produce(cluster, '1');
    await until(async () => (await committed(cluster)) === 1, 'the later commit');
    expect(seen).toEqual(['1']);
  });
});

describe('a close', () => {
  it('never commits past a record whose processor asked for it and then failed', async () => {
    const cluster = await clusterWith({ in: 1 });
    let closed: Promise<void> | undefined;
    const topology = processing((record) => {
      if (record.value !== 'bad') return;
      closed = streams.close();
      throw new Error('no');
    });
    const streams = streamsOn(brokerOf(cluster), topology, { commitIntervalMs: 3_600_000 });
    await streams.start();
    await produce(cluster, 'bad');
    await until(() => closed !== undefined, 'the close');
    await closed;
    expect(await committed(cluster)).toBe(0);
  });

  it('never commits past a record on which a task fails while it drains', async () => {
    const cluster = await clusterWith({ in: 1 });
    let fail: (() => void) | undefined;
    const builder = new StreamsBuilder();
    builder
      .stream('in', text)
      .mapAsync(
        () =>
          new Promise((_resolve, reject) => {
            fail = () => reject(new Error('no'));
          }),
        { concurrency: 1 },
      )
      .foreach(() => {});
    const streams = streamsOn(brokerOf(cluster), builder.build());
    await streams.start();
    await produce(cluster, 'bad');
    await until(() => fail !== undefined, 'the call');
    const closed = streams.close();
    fail?.();
    await closed;
    expect(await committed(cluster)).toBe(0);
  });
});
