import { afterEach, describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../../src/kstream/streams-builder.ts';
import { Headers } from '../../src/processor/headers.ts';
import type { Processor, ProcessorContext } from '../../src/processor/processor.ts';
import { Record } from '../../src/processor/record.ts';
import { long, string } from '../../src/serde/primitives.ts';
import type { AsyncReadOnlyKeyValueStore } from '../../src/state/key-value-store.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { brokerOf, produceText, readAll, until } from '../support/memory-cluster-harness.ts';
import { clusterWith, streamsOn } from '../support/streams-harness.ts';

const texts = { key: string(), value: string() };
const drivers: TopologyTestDriver[] = [];

function driverOf(topology: Topology, statestoreCacheMaxBytes?: number): TopologyTestDriver {
  const size = statestoreCacheMaxBytes === undefined ? {} : { statestoreCacheMaxBytes };
  const driver = new TopologyTestDriver(topology, { applicationId: 'app', ...size });
  drivers.push(driver);
  return driver;
}

afterEach(async () => {
  for (const driver of drivers.splice(0)) await driver.close();
});

/** Several updates within the commit of one record. */
class Letters implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }

  process(record: Record<string, string>): void {
    for (const letter of record.value) {
      this.#context.forward(new Record(record.key, letter, record.timestamp, new Headers().add('letter', letter)));
    }
  }
}

function joinedLetters(options: { cachingEnabled?: boolean } = {}): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .processValues(() => new Letters())
    .groupByKey(texts)
    .reduce((aggregate, value) => aggregate + value, { materialized: { name: 'r', store: 'memory', ...options } })
    .toStream()
    .to('out', texts);
  return builder.build();
}

const outputs = (driver: TopologyTestDriver) => {
  const out = driver.createOutputTopic('out', string(), string());
  return out.readRecordsToList().map(({ key, value }) => `${key}=${value}`);
};

describe('tables with record caches', () => {
  it('forward and log one update a key and commit, of the last record', () => {
    const driver = driverOf(joinedLetters());
    driver.createInputTopic('in', string(), string()).pipeInput('k', 'abc', 5);
    const [written] = driver.readRaw('out');
    expect(written?.value?.toString()).toBe('abc');
    expect(written?.headers.map(({ key, value }) => [key, value?.toString()])).toEqual([['letter', 'c']]);
    expect(driver.readChangelog('app-r-changelog')).toHaveLength(1);
  });

  it('forward every update where the cache is switched off, for the table or for all', () => {
    for (const driver of [driverOf(joinedLetters({ cachingEnabled: false })), driverOf(joinedLetters(), 0)]) {
      driver.createInputTopic('in', string(), string()).pipeInput('k', 'abc', 5);
      expect(outputs(driver)).toEqual(['k=a', 'k=ab', 'k=abc']);
      expect(driver.readChangelog('app-r-changelog')).toHaveLength(3);
    }
  });

  it('forward every update through a cache that is too small for one', () => {
    const driver = driverOf(joinedLetters(), 1);
    driver.createInputTopic('in', string(), string()).pipeInput('k', 'abc', 5);
    expect(outputs(driver)).toEqual(['k=a', 'k=ab', 'k=abc']);
  });

  it('tell the value before the commit as the old one', () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', texts)
      .processValues(() => new Letters())
      .groupByKey(texts)
      .reduce((aggregate, value) => aggregate + value, { materialized: { name: 'r', store: 'memory' } })
      .groupBy((_key, value) => ['all', value] as const, { ...texts, name: 'all' })
      .aggregate(
        () => '',
        (_key, value, aggregate) => `${aggregate}+${value}`,
        (_key, value, aggregate) => `${aggregate}-${value}`,
        { value: string(), materialized: { name: 'g', store: 'memory' } },
      )
      .toStream()
      .to('out', texts);
    const driver = driverOf(builder.build());
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('k', 'ab', 1);
    input.pipeInput('k', 'cd', 2);
    expect(outputs(driver)).toEqual(['all=+ab', 'all=+ab-ab+abcd']);
  });

  it('flush after a wall-clock punctuator has run, too', () => {
    class Ticking implements Processor<string, string, string, string> {
      init(context: ProcessorContext<string, string>): void {
        context.schedule({
          intervalMs: 10,
          type: 'WALL_CLOCK_TIME',
          callback: (nowMs) => {
            context.forward(new Record('tick', 'a', nowMs));
            context.forward(new Record('tick', 'b', nowMs));
          },
        });
      }
      process(): void {}
    }
    const builder = new StreamsBuilder();
    builder
      .stream('in', texts)
      .process(() => new Ticking())
      .toTable({ ...texts, materialized: { name: 't', store: 'memory', ...texts } })
      .toStream()
      .to('out', texts);
    const driver = driverOf(builder.build());
    driver.advanceWallClockTimeMs(10);
    expect(outputs(driver).at(-1)).toBe('tick=b');
  });

  it('hold updates back until the commit of a running application, and lose none when it closes', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', texts)
      .groupByKey()
      .count({ materialized: { name: 'c', store: 'memory' } })
      .toStream()
      .to('out', { key: string(), value: long() });
    const cluster = await clusterWith({ in: 1, out: 1 });
    const broker = brokerOf(cluster);
    const options = { commitIntervalMs: 3_600_000, statestoreCacheMaxBytes: 1_000_000 };
    const streams = streamsOn(brokerOf(cluster), builder.build(), options);
    await streams.start();
    await produceText(
      broker,
      'in',
      0,
      Array.from({ length: 10 }, (_, i) => [`k${i % 2}`, 'v'] as const),
    );
    const counts = () => streams.store<AsyncReadOnlyKeyValueStore<string, number>>('c');
    await until(async () => (await counts().get('k1')) === 5, 'all counted');
    expect(await readAll(broker, 'out')).toEqual([]);
    await streams.close();
    const written = (await readAll(broker, 'out')).map(({ key, value }) => [
      String(key),
      Number((value as Buffer).readBigInt64BE()),
    ]);
    expect(written).toEqual([
      ['k0', 5],
      ['k1', 5],
    ]);
  });

  it('hand what they hold to asynchronous operators, whose records are not committed before they are done', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', texts)
      .groupByKey()
      .count({ materialized: { name: 'c', store: 'memory' } })
      .toStream()
      .mapAsync(
        async ({ value }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return String(value);
        },
        { concurrency: 8 },
      )
      .to('out', texts);
    const cluster = await clusterWith({ in: 1, out: 1 });
    const broker = brokerOf(cluster);
    const streams = streamsOn(brokerOf(cluster), builder.build(), { statestoreCacheMaxBytes: 1_000_000 });
    await streams.start();
    await produceText(
      broker,
      'in',
      0,
      Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v'] as const),
    );
    await until(async () => (await readAll(broker, 'out')).length === 50, 'all written');
    await streams.close();
    expect(await readAll(broker, 'out')).toHaveLength(50);
  });
});
