import { describe, expect, it } from 'vitest';
import { StreamsError } from '../../src/base/errors.ts';
import type { Broker } from '../../src/broker/broker.ts';
import type { MemoryCluster } from '../../src/broker/memory/memory-cluster.ts';
import type { KafkaStreams } from '../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../src/kstream/streams-builder.ts';
import { SessionWindows } from '../../src/kstream/windows/session-windows.ts';
import { TimeWindows } from '../../src/kstream/windows/time-windows.ts';
import { WAITING_QUERIES_MAX } from '../../src/runtime/task/query-queue.ts';
import { string } from '../../src/serde/primitives.ts';
import type { Serde } from '../../src/serde/serde.ts';
import type { AsyncReadOnlyKeyValueStore, KeyValueStore } from '../../src/state/key-value-store.ts';
import { Stores } from '../../src/state/stores.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { collect } from '../support/collect.ts';
import { brokerOf, produceText, until } from '../support/memory-cluster-harness.ts';
import { acknowledgingAfter, clusterWith, pause, processing, streamsOn } from '../support/streams-harness.ts';

const texts = { key: string(), value: string() };
const retriable = { code: 'INVALID_STATE_STORE', recovery: 'retry' };
/** Nothing but a read wakes an instance that polls for so long. */
const idle = { pollMs: 60_000, commitIntervalMs: 60_000 };

/** Puts the value of each record under its key, and under its key with a stroke: a read must never see one without the other. */
function pairing(duringRecord: (value: string) => void = () => {}, loggingEnabled = false): Topology {
  const store = Stores.keyValueStoreBuilder({ name: 'pairs', ...texts, store: 'memory', loggingEnabled });
  return processing(
    ({ key, value }, context) => {
      const pairs = context.getStateStore<KeyValueStore<string, string>>('pairs');
      pairs.put(key, value);
      duringRecord(value);
      pairs.put(`${key}'`, value);
    },
    [store],
  );
}

async function started(
  cluster: MemoryCluster,
  topology: Topology,
  options: Parameters<typeof streamsOn>[2] = {},
  broker: Broker = brokerOf(cluster),
) {
  const streams = streamsOn(broker, topology, options);
  await streams.start();
  return { streams, pairs: streams.keyValueStore<string, string>('pairs') };
}

/** A promise and what settles it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a read of a running application', () => {
  it('comes between two records, never in the middle of one', async () => {
    const cluster = await clusterWith({ in: 1 });
    const asked: Promise<{ key: string; value: string }[]>[] = [];
    let pairs: AsyncReadOnlyKeyValueStore<string, string> | undefined;
    const topology = pairing(() => {
      // Asked in the middle of a record: answered behind it.
      if (pairs !== undefined) asked.push(collect(pairs.all()));
    });
    const { streams } = await started(cluster, topology);
    pairs = streams.keyValueStore<string, string>('pairs');
    await produceText(
      brokerOf(cluster),
      'in',
      0,
      Array.from({ length: 2_000 }, (_, i) => ['k', `${i}`] as const),
    );
    while ((await pairs.get('k')) !== '1999') {
      // One page is of one moment.
      const entries = await collect(pairs.all());
      expect(new Set(entries.map(({ value }) => value)).size).toBe(Math.min(entries.length, 1));
      expect(entries.length === 1).toBe(false);
    }
    const answers = await Promise.all(asked);
    expect(answers).toHaveLength(2_000);
    for (const [index, [point, stroke]] of answers.entries()) {
      expect(stroke?.value).toBe(point?.value);
      // It sees its own record, too.
      expect(Number(point?.value)).toBeGreaterThanOrEqual(index);
    }
  });

  it('wakes an instance that has nothing to do', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { pairs } = await started(cluster, pairing(), idle);
    await pause(50);
    const before = performance.now();
    expect(await pairs.get('k')).toBeUndefined();
    expect(await collect(pairs.all())).toEqual([]);
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('does not wait for the others: thousands at once are answered in a few turns', async () => {
    const cluster = await clusterWith({ in: 4 });
    for (const partition of [0, 1, 2, 3]) {
      await produceText(brokerOf(cluster), 'in', partition, [[`k${partition}`, `v${partition}`]]);
    }
    const { streams, pairs } = await started(cluster, pairing());
    await until(() => streams.lag.size === 4 && [...streams.lag.values()].every((lag) => lag === 0), 'all records');
    let turns = 0;
    let counting = true;
    const count = () => {
      turns += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const answers = await Promise.all(Array.from({ length: 4_000 }, (_, i) => pairs.get(`k${i % 4}`)));
    counting = false;
    expect(answers).toEqual(Array.from({ length: 4_000 }, (_, i) => `v${i % 4}`));
    expect(turns).toBeLessThan(400);
  });

  it('that takes long lets other things of the process run before the next one, of whatever task', async () => {
    const cluster = await clusterWith({ in: 4 });
    for (const partition of [0, 1, 2, 3]) await produceText(brokerOf(cluster), 'in', partition, [['k', 'v']]);
    let loopTurns = 0;
    const turnsOfReads: number[] = [];
    /** Decoding takes longer than a thread may work without a pause. */
    const slow: Serde<string> = {
      format: 'slow',
      serialize: (value, topic) => string().serialize(value, topic),
      deserialize: (buffer, start, end, topic) => {
        const endMs = performance.now() + 7;
        while (performance.now() < endMs);
        turnsOfReads.push(loopTurns);
        return string().deserialize(buffer, start, end, topic);
      },
    };
    const store = Stores.keyValueStoreBuilder({ name: 'slow', key: string(), value: slow, store: 'memory' });
    const topology = processing(
      ({ key, value }, context) => context.getStateStore<KeyValueStore<string, string>>('slow').put(key, value),
      [store],
    );
    const streams = streamsOn(brokerOf(cluster), topology);
    await streams.start();
    await until(() => streams.lag.size === 4 && [...streams.lag.values()].every((lag) => lag === 0), 'all records');
    const partitions = streams.keyValueStorePartitions<string, string>('slow');
    let counting = true;
    const count = () => {
      loopTurns += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const reads = partitions.flatMap((partition) => [partition.get('k'), partition.get('k')]);
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 8 }, () => 'v'));
    counting = false;
    expect(new Set(turnsOfReads).size).toBe(8);
  });

  it('is refused when too many wait already, and taken again afterwards', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { pairs } = await started(cluster, pairing(), idle);
    const taken = Array.from({ length: WAITING_QUERIES_MAX }, () => pairs.get('k'));
    await expect(pairs.get('k')).rejects.toMatchObject(retriable);
    await Promise.all(taken);
    expect(await pairs.get('k')).toBeUndefined();
  });

  it('is answered while a commit hangs, though no record is processed then', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { open, opened } = gate();
    const { streams, pairs } = await started(
      cluster,
      pairing(() => {}, true),
      {},
      acknowledgingAfter(brokerOf(cluster), () => opened),
    );
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'first']]);
    await until(async () => (await pairs.get('k')) === 'first', 'the first record');
    await pause(100);
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'second']]);
    await until(() => streams.lag.get('in-0') === 1, 'the second record to wait for the commit');
    for (let i = 0; i < 20; i += 1) expect(await pairs.get("k'")).toBe('first');
    expect(streams.lag.get('in-0')).toBe(1);
    open();
    await until(async () => (await pairs.get('k')) === 'second', 'the second record');
  });
});

describe('a store that can not be read now', () => {
  it('rejects while it is restored, and answers afterwards', async () => {
    const cluster = await clusterWith({ in: 1 });
    const topology = () => pairing(() => {}, true);
    const first = await started(cluster, topology());
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'v']]);
    await until(async () => (await first.pairs.get('k')) === 'v', 'the record');
    await first.streams.close();

    const { open, opened } = gate();
    const streams = streamsOn(restoringAfter(brokerOf(cluster), opened), topology());
    const pairs = streams.keyValueStore<string, string>('pairs');
    await expect(pairs.get('k')).rejects.toMatchObject({ ...retriable, message: expect.stringContaining('CREATED') });
    const done = streams.start();
    await until(() => streams.tasks[0]?.state === 'RESTORING', 'the restore to begin');
    await expect(pairs.get('k')).rejects.toMatchObject({
      ...retriable,
      message: "State store 'pairs' of task 0_0 is being restored",
    });
    await expect(collect(pairs.all())).rejects.toMatchObject(retriable);
    open();
    await done;
    expect(await pairs.get('k')).toBe('v');
  });

  it('rejects what waits when the application closes, and everything after', async () => {
    const cluster = await clusterWith({ in: 2 });
    const { streams, pairs } = await started(cluster, pairing());
    const waiting = Promise.allSettled([pairs.get('k'), pairs.approximateNumEntries(), pairs.all().next()]);
    const closed = streams.close();
    for (const each of await waiting) expect(each).toMatchObject({ status: 'rejected', reason: retriable });
    await expect(pairs.get('k')).rejects.toMatchObject({ ...retriable, message: expect.stringContaining('it is ') });
    await closed;
    await expect(pairs.get('k')).rejects.toMatchObject(retriable);
    expect(() => streams.keyValueStorePartitions('pairs')).toThrow('it is NOT_RUNNING');
  });

  it('rejects what waits at once when the application closes, however long its last commit hangs', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { open, opened } = gate();
    const logging = pairing(() => {}, true);
    const hanging = acknowledgingAfter(brokerOf(cluster), () => opened);
    const { streams, pairs } = await started(cluster, logging, {}, hanging);
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'v']]);
    await until(async () => (await pairs.get('k')) === 'v', 'the record');
    await pause(100);
    const waiting = pairs.get('k');
    let isClosed = false;
    const closed = streams.close().then(() => {
      isClosed = true;
    });
    await expect(waiting).rejects.toMatchObject(retriable);
    await pause(50);
    expect(isClosed).toBe(false);
    open();
    await closed;
  });

  it('rejects what waits when its task fails in the middle of a record, whose half is never seen', async () => {
    const cluster = await clusterWith({ in: 1 });
    let failures = 1;
    const asked: Promise<unknown>[] = [];
    let pairs: AsyncReadOnlyKeyValueStore<string, string> | undefined;
    const topology = pairing(() => {
      if (failures === 0) return;
      failures -= 1;
      asked.push((pairs as NonNullable<typeof pairs>).get('k'));
      throw new StreamsError('once', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' });
    }, true);
    const running = await started(cluster, topology);
    pairs = running.pairs;
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'v']]);
    await until(() => failures === 0, 'the failure');
    expect(await Promise.allSettled(asked)).toMatchObject([{ status: 'rejected', reason: retriable }]);
    await until(async () => (await pairs.get("k'").catch(() => undefined)) === 'v', 'the record after the restart');
  });

  it('answers or rejects every read while partitions move to another instance and back', async () => {
    const cluster = await clusterWith({ in: 4 });
    for (const partition of [0, 1, 2, 3]) {
      await produceText(brokerOf(cluster), 'in', partition, [[`k${partition}`, 'v']]);
    }
    const topology = () => pairing(() => {}, true);
    const { streams, pairs } = await started(cluster, topology());
    await until(() => streams.lag.size === 4 && [...streams.lag.values()].every((lag) => lag === 0), 'all records');
    let asking = true;
    const reads: Promise<unknown>[] = [];
    const other: string[] = [];
    const ask = () => {
      const read = Promise.all([pairs.get('k0'), collect(pairs.all())]);
      const checked = read.catch((error: StreamsError) => {
        if (error.recovery !== 'retry' || error.code !== 'INVALID_STATE_STORE') other.push(error.message);
      });
      reads.push(checked);
      if (asking) setImmediate(ask);
    };
    ask();
    const second = streamsOn(brokerOf(cluster), topology());
    await second.start();
    await until(() => streams.tasks.length === 2 && second.tasks.length === 2, 'two tasks each');
    await second.close();
    await until(() => streams.tasks.length === 4 && streams.state === 'RUNNING', 'all tasks again');
    asking = false;
    await Promise.all(reads);
    expect(other).toEqual([]);
    expect(reads.length).toBeGreaterThan(5);
    expect(await collect(pairs.all())).toHaveLength(8);
  });

  it('says so where none of its partitions is here', async () => {
    const cluster = await clusterWith({ in: 1 });
    const { streams } = await started(cluster, pairing());
    const second = await started(cluster, pairing());
    const [without] = [streams, second.streams].filter(({ tasks }) => tasks.length === 0) as [KafkaStreams];
    const pairs = without.keyValueStore<string, string>('pairs');
    await expect(pairs.get('k')).rejects.toMatchObject({
      ...retriable,
      message: "No partition of state store 'pairs' is here",
    });
  });
});

describe('stores of every kind', () => {
  it('are read through their views', async () => {
    const builder = new StreamsBuilder();
    const stream = builder.stream('in', texts);
    const grouped = stream.groupByKey(texts);
    grouped.count({ materialized: { name: 'counts', store: 'memory' } });
    grouped
      .windowedBy(TimeWindows.ofSizeAndGrace(10, 1_000))
      .count({ materialized: { name: 'windows', store: 'persistent' } });
    grouped
      .windowedBy(SessionWindows.ofInactivityGapAndGrace(5, 1_000))
      .reduce((a, b) => a + b, { materialized: { name: 'sessions', store: 'memory' } });
    builder.table('rates', { ...texts, materialized: { name: 'rates', store: 'memory', historyRetentionMs: 1_000 } });
    const cluster = await clusterWith({ in: 2, rates: 2 });
    await produceText(brokerOf(cluster), 'in', 1, [
      ['k', 'a', 10],
      ['k', 'b', 12],
      ['k', 'c', 30],
    ]);
    await produceText(brokerOf(cluster), 'rates', 0, [
      ['r', '1', 10],
      ['r', '2', 20],
    ]);
    const streams = streamsOn(brokerOf(cluster), builder.build());
    await streams.start();
    const counts = streams.keyValueStore<string, number>('counts');
    await until(async () => (await counts.get('k')) === 3, 'all records');
    expect(await streams.timestampedKeyValueStore<string, number>('counts').get('k')).toEqual({
      value: 3,
      timestampMs: 30,
    });
    const windows = streams.windowStore<string, number>('windows');
    expect(await windows.fetch('k', 10)).toBe(2);
    expect(await collect(windows.fetch('k', 0, 100))).toEqual([
      { key: 10, value: 2 },
      { key: 30, value: 1 },
    ]);
    expect(await streams.timestampedWindowStore<string, number>('windows').fetch('k', 10)).toEqual({
      value: 2,
      timestampMs: 12,
    });
    const sessions = streams.sessionStore<string, string>('sessions');
    expect((await collect(sessions.fetch('k'))).map(({ value }) => value)).toEqual(['ab', 'c']);
    const rates = streams.versionedKeyValueStore<string, string>('rates');
    await until(async () => (await rates.get('r'))?.value === '2', 'both rates');
    expect((await rates.get('r', 15))?.value).toBe('1');
    const partitions = streams.keyValueStorePartitions<string, number>('counts');
    expect(await Promise.all(partitions.map((partition) => partition.get('k')))).toEqual([undefined, 3]);
    expect(() => streams.windowStore('counts')).toThrow('is a key-value store, not a window store');
    expect(() => streams.keyValueStore('none')).toThrow("There is no state store 'none'");
    expect(await streams.store<typeof windows>('windows').fetch('k', 30)).toBe(1);
  });

  it('are read when they are global, without a thread, but not before they are filled', async () => {
    const cluster = await clusterWith({ names: 2 });
    await produceText(brokerOf(cluster), 'names', 0, [['a', 'Ada']]);
    await produceText(brokerOf(cluster), 'names', 1, [['b', 'Bob']]);
    const builder = new StreamsBuilder();
    builder.globalTable('names', { ...texts, materialized: { name: 'names', store: 'memory' } });
    const { open, opened } = gate();
    const streams = streamsOn(restoringAfter(brokerOf(cluster), opened), builder.build());
    const names = streams.keyValueStore<string, string>('names');
    const done = streams.start();
    await pause(50);
    await expect(names.get('a')).rejects.toMatchObject(retriable);
    open();
    await done;
    expect(await names.get('a')).toBe('Ada');
    expect((await collect(names.all())).map(({ value }) => value)).toEqual(['Ada', 'Bob']);
    const waiting = Promise.allSettled([names.get('a')]);
    const closed = streams.close();
    const [last] = await waiting;
    expect(last).toSatisfy((result: PromiseSettledResult<string>) =>
      result.status === 'fulfilled' ? result.value === 'Ada' : result.reason.recovery === 'retry',
    );
    await closed;
    await expect(names.get('a')).rejects.toMatchObject(retriable);
  });

  it('tell of a global store what was applied, batch by batch, as it grows', async () => {
    const cluster = await clusterWith({ in: 1, names: 1 });
    const builder = new StreamsBuilder();
    builder.globalTable('names', { ...texts, materialized: { name: 'names', store: 'memory' } });
    builder.stream('in', texts).foreach(() => {});
    const streams = streamsOn(brokerOf(cluster), builder.build());
    await streams.start();
    const names = streams.keyValueStore<string, string>('names');
    expect(await names.get('a')).toBeUndefined();
    await produceText(brokerOf(cluster), 'names', 0, [['a', 'Ada']]);
    await until(async () => (await names.get('a')) === 'Ada', 'the update');
  });
});

/** A broker whose consumers outside groups (restores, global stores) hand out nothing before the gate is open. */
function restoringAfter(broker: Broker, opened: Promise<void>): Broker {
  return {
    admin: () => broker.admin(),
    groupConsumer: (options) => broker.groupConsumer(options),
    producer: (options) => broker.producer(options),
    close: () => broker.close(),
    consumer: (options) => {
      const consumer = broker.consumer(options);
      const poll = consumer.poll.bind(consumer);
      consumer.poll = async (timeoutMs) => {
        await opened;
        return poll(timeoutMs);
      };
      return consumer;
    },
  };
}
