import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StreamsError } from '../../../src/base/errors.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import type { OffsetStoringSink } from '../../../src/processor/processor.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { Serde } from '../../../src/serde/serde.ts';
import type { KeyValueStore } from '../../../src/state/key-value-store.ts';
import { Stores } from '../../../src/state/stores.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import {
  clusterWith,
  newDirectory,
  pause,
  processing,
  slowlyAcknowledging,
  streamsOn,
} from '../../support/streams-harness.ts';

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
    const both = async () => (await store.get('a')) === 'x' && (await store.get('b')) === 'y';
    await until(both, 'both records');
    await first.close();
    writeFileSync(join(stateDir, 'app', '0_1', 'seen', 'data.mdb'), 'not lmdb');
    const second = streamsOn(brokerOf(cluster), topology(), { stateDir });
    await second.start();
    const again = second.keyValueStore<string, string>('seen');
    expect(await again.get('a')).toBe('x');
    expect(await again.get('b')).toBeUndefined();
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
      isFull: false,
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
    expect(await streams.keyValueStore<string, string>('last').get('k')).toBe(logged);
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
    const names = streams.keyValueStore<string, string>('names');
    await until(async () => (await names.get('b')) !== undefined, 'the record after the outage');
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
