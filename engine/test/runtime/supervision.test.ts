import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { StreamsOptions } from '../../src/base/config.ts';
import { StreamsError } from '../../src/base/errors.ts';
import type { Broker, BrokerProducer } from '../../src/broker/broker.ts';
import type { MemoryCluster } from '../../src/broker/memory/memory-cluster.ts';
import { KafkaStreams } from '../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../src/kstream/streams-builder.ts';
import type { OffsetStoringSink, Processor, ProcessorContext } from '../../src/processor/processor.ts';
import type { Record } from '../../src/processor/record.ts';
import { long, string } from '../../src/serde/primitives.ts';
import type { Serde } from '../../src/serde/serde.ts';
import type { KeyValueStore } from '../../src/state/key-value-store.ts';
import type { StateStore, StoreBuilder } from '../../src/state/state-store.ts';
import { Stores } from '../../src/state/stores.ts';
import { Topology } from '../../src/topology/topology.ts';
import { brokerOf, newCluster, produceText, readAll, until } from '../support/memory-cluster-harness.ts';

const running: KafkaStreams[] = [];
const directories: string[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((streams) => streams.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  directories.push(directory);
  return directory;
}

function streamsOn(broker: Broker, topology: Topology, options: Partial<StreamsOptions> = {}): KafkaStreams {
  const streams = new KafkaStreams(topology, {
    applicationId: 'app',
    commitIntervalMs: 20,
    pollMs: 20,
    heartbeatIntervalMs: 20,
    sessionTimeoutMs: 5_000,
    stateDir: options.stateDir ?? newDirectory(),
    ...options,
    broker,
  });
  running.push(streams);
  return streams;
}

async function clusterWith(topics: { readonly [topic: string]: number }): Promise<MemoryCluster> {
  const cluster = newCluster();
  const specs = Object.entries(topics).map(([topic, partitions]) => ({
    topic,
    partitions,
    replicationFactor: 1,
    configs: {},
  }));
  await brokerOf(cluster).admin().createTopics(specs);
  return cluster;
}

/** One source `in`, one processor. */
function processing(
  process: (record: Record<string, string>, context: ProcessorContext) => void,
  stores: readonly StoreBuilder<StateStore>[] = [],
  init?: (context: ProcessorContext) => void,
): Topology {
  const topology = new Topology().addSource('source', 'in', { key: string(), value: string() });
  const supplier = {
    stores: () => stores,
    get(): Processor<string, string> {
      let context: ProcessorContext;
      return {
        init(given) {
          context = given;
          init?.(given);
        },
        process: (record) => process(record, context),
      };
    },
  };
  return topology.addProcessor('processor', supplier, 'source');
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a task that does not start', () => {
  it('stops the instance with the error that its processor’s init threw', async () => {
    const cluster = await clusterWith({ in: 1 });
    const topology = processing(
      () => {},
      [],
      () => {
        throw new Error('no init');
      },
    );
    const streams = streamsOn(brokerOf(cluster), topology);
    await expect(streams.start()).rejects.toThrow('no init');
    expect(streams.state).toBe('ERROR');
  });

  it('wipes its own damaged store and nobody else’s', async () => {
    const cluster = await clusterWith({ in: 2 });
    const stateDir = newDirectory();
    const seen = Stores.keyValueStoreBuilder({ name: 'seen', key: string(), value: string(), loggingEnabled: false });
    const topology = () =>
      processing(
        (record, context) => context.getStateStore<KeyValueStore<string, string>>('seen').put(record.key, record.value),
        [seen],
      );
    const first = streamsOn(brokerOf(cluster), topology(), { stateDir });
    await first.start();
    await produceText(brokerOf(cluster), 'in', 0, [['a', 'x']]);
    await produceText(brokerOf(cluster), 'in', 1, [['b', 'y']]);
    const store = first.keyValueStore<string, string>('seen');
    await until(() => store.get('a') === 'x' && store.get('b') === 'y', 'both records');
    await first.close();
    writeFileSync(join(stateDir, 'app', '0_1', 'seen', 'data.mdb'), 'not lmdb');
    const second = streamsOn(brokerOf(cluster), topology(), { stateDir });
    await second.start();
    const again = second.keyValueStore<string, string>('seen');
    expect(again.get('a')).toBe('x');
    expect(again.get('b')).toBeUndefined();
  });
});

describe('a task that failed', () => {
  it('is not created again for a partition that went elsewhere meanwhile', async () => {
    const cluster = await clusterWith({ in: 2 });
    const closes: (() => void)[] = [];
    let fails = true;
    const sink = (): OffsetStoringSink<string, string> => ({
      open: async () => new Map(),
      write() {},
      full: false,
      async commit() {
        if (fails) throw new StreamsError('away', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' });
      },
      close: () => (fails ? new Promise((resolve) => closes.push(resolve)) : Promise.resolve()),
    });
    const builder = new StreamsBuilder();
    builder.stream('in', { key: string(), value: string() }).toExternal(sink, { name: 'outside' });
    const topology = builder.build();
    const first = streamsOn(brokerOf(cluster), topology);
    await first.start();
    await produceText(brokerOf(cluster), 'in', 0, [['a', 'x']]);
    await produceText(brokerOf(cluster), 'in', 1, [['b', 'y']]);
    await until(() => closes.length === 2, 'both tasks failed and are being closed');
    const second = streamsOn(brokerOf(cluster), topology);
    const started = second.start();
    await pause(300);
    fails = false;
    for (const close of closes) close();
    await started;
    await until(() => first.state === 'RUNNING' && second.state === 'RUNNING', 'both run');
    await pause(200);
    expect([...first.tasks, ...second.tasks].map(({ taskId }) => taskId).sort()).toEqual(['0_0', '0_1']);
    expect(first.lag.size).toBe(1);
  });

  it('restores what it had logged before it failed, also what the broker had not acknowledged', async () => {
    const cluster = await clusterWith({ in: 1 });
    const store = Stores.keyValueStoreBuilder({ name: 'last', key: string(), value: string(), store: 'memory' });
    let failures = 0;
    const topology = processing(
      (record, context) => {
        const last = context.getStateStore<KeyValueStore<string, string>>('last');
        if (record.value === 'bad' && failures > 0) return;
        last.put('k', record.value);
        if (record.value !== 'bad') return;
        failures += 1;
        throw new StreamsError('later', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' });
      },
      [store],
    );
    const streams = streamsOn(slowlyAcknowledging(brokerOf(cluster), 300), topology, { commitIntervalMs: 1_000 });
    await streams.start();
    const committed = async () =>
      (
        await brokerOf(cluster)
          .admin()
          .committedOffsets('app', [{ topic: 'in', partition: 0 }])
      ).get('in-0')?.offset;
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'good']]);
    await until(async () => (await committed()) === 1, 'the first record committed');
    await produceText(brokerOf(cluster), 'in', 0, [['k', 'bad']]);
    await until(async () => (await committed()) === 2, 'both records committed');
    const logged = (await readAll(brokerOf(cluster), 'app-last-changelog')).at(-1)?.value?.toString();
    expect(streams.keyValueStore<string, string>('last').get('k')).toBe(logged);
  });
});

/** A broker that writes what is produced only after a while. */
function slowlyAcknowledging(broker: Broker, delayMs: number): Broker {
  const slow: Pick<Broker, 'producer'> = {
    producer(options) {
      const inner = broker.producer(options);
      let before: Promise<unknown> = Promise.resolve();
      const producer: BrokerProducer = {
        produce(batches) {
          const turn = before.then(() => pause(delayMs));
          const done = turn.then(() => inner.produce(batches));
          before = done;
          return done;
        },
        get inFlight() {
          return inner.inFlight;
        },
        transactions: undefined,
        close: () => inner.close(),
      };
      return producer;
    },
  };
  return {
    admin: () => broker.admin(),
    consumer: (options) => broker.consumer(options),
    groupConsumer: (options) => broker.groupConsumer(options),
    producer: slow.producer,
    close: () => broker.close(),
  };
}

describe('a commit', () => {
  it('never passes a record on which its task failed, however often commits are due', async () => {
    const cluster = await clusterWith({ in: 1 });
    const topology = processing((record) => {
      if (record.value === 'bad') throw new Error('no');
    });
    const streams = streamsOn(brokerOf(cluster), topology, { commitIntervalMs: 0 });
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [
      ['k', 'good'],
      ['k', 'bad'],
      ['k', 'good'],
    ]);
    await until(() => streams.state === 'ERROR', 'the error state');
    const committed = await brokerOf(cluster)
      .admin()
      .committedOffsets('app', [{ topic: 'in', partition: 0 }]);
    expect(committed.get('in-0')?.offset ?? 0).toBeLessThan(2);
  });

  it('is made early when a store asks for it', async () => {
    const cluster = await clusterWith({ in: 1 });
    let writes = 0;
    let commits = 0;
    const store = (): StateStore => {
      let isOpen = false;
      return {
        name: 'big',
        persistent: false,
        get isOpen() {
          return isOpen;
        },
        restoredOffset: undefined,
        open() {
          isOpen = true;
        },
        restore() {},
        flush() {},
        commit() {
          commits += 1;
          writes = 0;
        },
        rollback: () => false,
        get wantsCommit() {
          return writes >= 3;
        },
        close() {
          isOpen = false;
        },
        wipe() {},
      };
    };
    const builder: StoreBuilder<StateStore> = {
      name: 'big',
      kind: 'key-value',
      persistent: false,
      loggingEnabled: false,
      loggingConfig: {},
      cachingEnabled: false,
      build: store,
    };
    const topology = processing(() => {
      writes += 1;
    }, [builder]);
    const streams = streamsOn(brokerOf(cluster), topology, { commitIntervalMs: 3_600_000 });
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [
      ['k', '1'],
      ['k', '2'],
    ]);
    await pause(100);
    expect(commits).toBe(0);
    await produceText(brokerOf(cluster), 'in', 0, [['k', '3']]);
    await until(() => commits === 1, 'the commit that the store wants', 2_000);
  });

  it('of a source whose log began anew never passes what was processed', async () => {
    const cluster = await clusterWith({ in: 1 });
    const seen: string[] = [];
    const topology = () => processing((record) => seen.push(record.value));
    const values = (count: number, name: string) =>
      Array.from({ length: count }, (_, index) => ['k', `${name}${index}`] as const);
    await produceText(brokerOf(cluster), 'in', 0, values(20, 'old'));
    const streams = streamsOn(brokerOf(cluster), topology());
    await streams.start();
    const committed = async () =>
      (
        await brokerOf(cluster)
          .admin()
          .committedOffsets('app', [{ topic: 'in', partition: 0 }])
      ).get('in-0')?.offset;
    await until(async () => (await committed()) === 20, 'the old log committed');
    await streams.close();
    cluster.deleteTopic('in');
    cluster.createTopic('in', 1);
    await produceText(brokerOf(cluster), 'in', 0, values(5, 'new'));
    const second = streamsOn(brokerOf(cluster), topology());
    await second.start();
    await until(() => seen.length === 25, 'the new log');
    await pause(100);
    await second.close();
    expect(await committed()).toBe(5);
  });

  it('keeps what was restored, so that nothing is restored twice', async () => {
    const cluster = await clusterWith({ in: 1, out: 1 });
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: string() })
      .groupByKey({ key: string(), value: string() })
      .count({ materialized: { name: 'counts', store: 'persistent' } })
      .toStream()
      .to('out', { key: string(), value: long() });
    const topology = builder.build();
    const first = streamsOn(brokerOf(cluster), topology);
    await first.start();
    await produceText(brokerOf(cluster), 'in', 0, [
      ['a', 'x'],
      ['b', 'x'],
    ]);
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 2, 'two counts');
    await first.close();
    const stateDir = newDirectory();
    const restored = (streams: KafkaStreams): number =>
      streams.metrics().find(({ name }) => name === 'restore-total')?.value ?? 0;
    for (const expected of [2, 0]) {
      const streams = streamsOn(brokerOf(cluster), topology, { stateDir });
      await streams.start();
      await until(() => streams.state === 'RUNNING', 'running');
      expect(restored(streams)).toBe(expected);
      await streams.close();
    }
  });
});

describe('a rebalance', () => {
  const collecting = (source: string | RegExp, seen: Set<string>): Topology =>
    new Topology().addSource('source', source, { key: string(), value: string() }).addProcessor(
      'processor',
      () => ({
        process({ value }: Record<string, string>) {
          seen.add(value);
        },
      }),
      'source',
    );

  it('hands out topics that match a pattern since the others started', async () => {
    const cluster = await clusterWith({ 'in-a': 1 });
    const seen = new Set<string>();
    const first = streamsOn(brokerOf(cluster), collecting(/^in-/g, seen));
    await first.start();
    cluster.createTopic('in-b', 2);
    cluster.createTopic('__in-c', 1);
    const second = streamsOn(brokerOf(cluster), collecting(/^in-/g, seen));
    await second.start();
    await produceText(brokerOf(cluster), 'in-a', 0, [['k', 'a0']]);
    await produceText(brokerOf(cluster), 'in-b', 0, [['k', 'b0']]);
    await produceText(brokerOf(cluster), 'in-b', 1, [['k', 'b1']]);
    await until(() => seen.size === 3, 'a record of each partition');
  });

  it('hands out partitions that a topic got since its readers started', async () => {
    const cluster = await clusterWith({ in: 1 });
    const seen = new Set<string>();
    const first = streamsOn(brokerOf(cluster), collecting('in', seen));
    await first.start();
    cluster.deleteTopic('in');
    cluster.createTopic('in', 4);
    await streamsOn(brokerOf(cluster), collecting('in', seen)).start();
    for (let partition = 0; partition < 4; partition += 1) {
      await produceText(brokerOf(cluster), 'in', partition, [['k', `${partition}`]]);
    }
    await until(() => seen.size === 4, 'a record of each partition');
  });

  it('stops an instance with state when a topic got more partitions than its changelog has', async () => {
    const cluster = await clusterWith({ in: 1 });
    const counting = (): Topology => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', { key: string(), value: string() })
        .groupByKey()
        .count({ materialized: { name: 'counts', store: 'memory' } });
      return builder.build();
    };
    const first = streamsOn(brokerOf(cluster), counting());
    await first.start();
    cluster.deleteTopic('in');
    cluster.createTopic('in', 4);
    const rebalancing = streamsOn(brokerOf(cluster), collecting('in', new Set()));
    await rebalancing.start();
    await until(() => first.state === 'ERROR', 'the error state');
    expect(first.failure?.message).toMatch(/app-counts-changelog has 1 partitions where the topology needs 4/);
  });
});

describe('a global store', () => {
  it('passes no record over when its thread is replaced after an error', async () => {
    const cluster = await clusterWith({ in: 1, names: 1 });
    let failures = 1;
    const store = Stores.keyValueStoreBuilder({
      name: 'names',
      key: string(),
      value: string(),
      store: 'memory',
      loggingEnabled: false,
    });
    const topology = processing(() => {}).addGlobalStore({
      store,
      sourceName: 'names-source',
      topic: 'names',
      key: string(),
      value: string(),
      processorName: 'names-processor',
      supplier: () => {
        let names: KeyValueStore<string, string>;
        return {
          init(context) {
            names = context.getStateStore('names');
          },
          process({ key, value }) {
            if (key === 'b' && failures > 0) {
              failures -= 1;
              throw new Error('once');
            }
            names.put(key, value);
          },
        };
      },
    });
    const streams = streamsOn(brokerOf(cluster), topology);
    streams.setUncaughtExceptionHandler(() => 'replace-thread');
    await streams.start();
    await produceText(brokerOf(cluster), 'names', 0, [
      ['a', 'Ada'],
      ['b', 'Bob'],
    ]);
    const names = streams.keyValueStore<string, string>('names');
    await until(() => names.get('a') === 'Ada' && names.get('b') === 'Bob', 'both names', 5_000);
  });
});

describe('a registry outage', () => {
  const needing = (prepare: NonNullable<Serde<string>['prepare']>): Serde<string> => ({
    format: 'prepared',
    serialize: (value, topic) => string().serialize(value, topic),
    deserialize: (buffer, start, end, topic) => string().deserialize(buffer, start, end, topic),
    prepare,
  });

  it('holds a global store up and ends with the outage', async () => {
    const cluster = await clusterWith({ in: 1, names: 1 });
    await produceText(brokerOf(cluster), 'names', 0, [['a', 'Ada']]);
    let failures = 2;
    const serde = needing(() => {
      if (failures === 0) return undefined;
      failures -= 1;
      return Promise.reject(new StreamsError('away', { code: 'SCHEMA_REGISTRY', recovery: 'retry' }));
    });
    const builder = new StreamsBuilder();
    builder.globalTable('names', { key: string(), value: serde, materialized: { name: 'names', store: 'memory' } });
    builder.stream('in', { key: string(), value: string() }).foreach(() => {});
    const streams = streamsOn(brokerOf(cluster), builder.build());
    await streams.start();
    failures = 1;
    await produceText(brokerOf(cluster), 'names', 0, [['b', 'Bob']]);
    const names = streams.keyValueStore<string, { value: string }>('names');
    await until(() => names.get('b') !== undefined, 'the record after the outage');
    expect(streams.state).toBe('RUNNING');
  });

  it('that ends with an undecodable record stops the instance with an error, not the process', async () => {
    const cluster = await clusterWith({ in: 1 });
    let known = false;
    const serde = needing(() => {
      if (known) return undefined;
      known = true;
      return Promise.resolve();
    });
    const builder = new StreamsBuilder();
    builder
      .stream('in', {
        key: string(),
        value: serde,
        timestampExtractor: {
          extract() {
            throw new Error('no time in it');
          },
        },
      })
      .foreach(() => {});
    const streams = streamsOn(brokerOf(cluster), builder.build());
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [['a', 'x']]);
    await until(() => streams.state === 'ERROR', 'the error state', 3_000);
    expect(streams.failure?.message).toMatch(/no time in it/);
  });
});

describe('the dead letter queue', () => {
  it('gets the headers of a record that failed in an asynchronous operator', async () => {
    const cluster = await clusterWith({ in: 1, dead: 1 });
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: string() })
      .mapAsync(() => Promise.reject(new Error('no')), { concurrency: 1 })
      .foreach(() => {});
    const streams = streamsOn(brokerOf(cluster), builder.build(), {
      deadLetterQueueTopicName: 'dead',
      processingExceptionHandler: () => 'continue',
    });
    await streams.start();
    await produceText(brokerOf(cluster), 'in', 0, [['a', 'x']], [{ key: 'trace', value: Buffer.from('t') }]);
    await until(async () => (await readAll(brokerOf(cluster), 'dead')).length === 1, 'the dead letter');
    const [letter] = await readAll(brokerOf(cluster), 'dead');
    expect(letter?.headers.find(({ key }) => key === 'trace')?.value?.toString()).toBe('t');
  });
});

describe('a persistent store', () => {
  it('is restored whole when it missed so much time that Kafka may have forgotten tombstones', async () => {
    const cluster = await clusterWith({ in: 1 });
    const stateDir = newDirectory();
    const builder = new StreamsBuilder();
    builder.table('in', { key: string(), value: string(), materialized: { name: 'table', store: 'persistent' } });
    const topology = builder.build();
    const restored = async (options: Partial<StreamsOptions>): Promise<number> => {
      const streams = streamsOn(brokerOf(cluster), topology, options);
      await streams.start();
      await produceText(brokerOf(cluster), 'in', 0, [['k', 'x']]);
      const ends = async () => (await readAll(brokerOf(cluster), 'app-table-changelog')).length;
      const before = await ends();
      await until(async () => (await ends()) > before || streams.lag.get('in-0') === 0, 'the record');
      await streams.close();
      return streams.metrics().find(({ name }) => name === 'restore-total')?.value ?? 0;
    };
    const later = (hours: number): Clock => ({
      ...systemClock,
      nowMs: () => systemClock.nowMs() + hours * 3_600_000,
    });
    expect(await restored({ stateDir })).toBe(0);
    // Another instance writes one record that this state has not seen.
    expect(await restored({ stateDir: newDirectory() })).toBe(1);
    expect(await restored({ stateDir, clock: later(10) })).toBe(1);
    expect(await restored({ stateDir: newDirectory() })).toBe(3);
    expect(await restored({ stateDir, clock: later(40) })).toBe(4);
  });

  it('is durable in full after a clean close, however short before it was written', async () => {
    const cluster = await clusterWith({ in: 1, out: 1 });
    const stateDir = newDirectory();
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: string() })
      .groupByKey()
      .count({ materialized: { name: 'counts', store: 'persistent' } })
      .toStream()
      .to('out', { key: string(), value: long() });
    const topology = builder.build();
    const first = streamsOn(brokerOf(cluster), topology, { stateDir });
    await first.start();
    for (let i = 0; i < 20; i += 1) {
      await produceText(brokerOf(cluster), 'in', 0, [['a', `v${i}`, i]]);
      await until(
        async () => first.keyValueStore<string, unknown>('counts').get('a') !== undefined,
        'the count is there',
      );
    }
    await until(async () => (await readAll(brokerOf(cluster), 'out')).length === 20, 'all outputs are there');
    await until(
      async () =>
        (
          await brokerOf(cluster)
            .admin()
            .committedOffsets('app', [{ topic: 'in', partition: 0 }])
        ).get('in-0')?.offset === 20,
      'everything is committed',
    );
    await first.close();
    // Without the changelog, only what is on disk can answer.
    await brokerOf(cluster)
      .admin()
      .deleteRecords([{ topic: 'app-counts-changelog', partition: 0, offset: 20 }]);
    const second = streamsOn(brokerOf(cluster), topology, { stateDir });
    await second.start();
    await until(async () => second.tasks.every(({ state }) => state === 'RUNNING'), 'all tasks run');
    expect(JSON.stringify(second.keyValueStore('counts').get('a'))).toContain('20');
  });
});
