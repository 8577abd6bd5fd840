import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../../src/kstream/streams-builder.ts';
import { TimeWindows } from '../../src/kstream/windows/time-windows.ts';
import type { Processor, ProcessorContext } from '../../src/processor/processor.ts';
import type { Record } from '../../src/processor/record.ts';
import { long, string } from '../../src/serde/primitives.ts';
import type { KeyValueStore } from '../../src/state/key-value-store.ts';
import { Stores } from '../../src/state/stores.ts';
import { TopologyTestDriver } from '../../src/testing/driver/topology-test-driver.ts';
import { Topology } from '../../src/topology/topology.ts';

class Upper implements Processor<string, string, string, string> {
  #context: ProcessorContext<string, string> | undefined;
  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }
  process(record: Record<string, string>): void {
    if (record.value === 'boom') throw new Error('boom');
    this.#context?.forward(record.withValue(record.value.toUpperCase()));
  }
}

class Count implements Processor<string, string, string, number> {
  #context: ProcessorContext<string, number> | undefined;
  #store: KeyValueStore<string, number> | undefined;
  init(context: ProcessorContext<string, number>): void {
    this.#context = context;
    this.#store = context.getStateStore('counts');
  }
  process(record: Record<string, string>): void {
    const count = (this.#store?.get(record.key) ?? 0) + 1;
    this.#store?.put(record.key, count);
    this.#context?.forward(record.withValue(count));
  }
}

function countTopology(): Topology {
  const store = Stores.keyValueStoreBuilder({ name: 'counts', key: string(), value: long(), store: 'memory' });
  return new Topology()
    .addSource('source', 'in', { key: string(), value: string() })
    .addProcessor('upper', () => new Upper(), 'source')
    .addProcessor('count', { get: () => new Count(), stores: () => [store] }, 'upper')
    .addSink('sink', 'out', 'count', { key: string(), value: long() });
}

describe('TopologyTestDriver', () => {
  it('runs each record to completion before pipeInput returns', async () => {
    const driver = new TopologyTestDriver(countTopology(), { applicationId: 'app' });
    const input = driver.createInputTopic('in', string(), string());
    const output = driver.createOutputTopic('out', string(), long());
    input.pipeInput('a', 'x', 5);
    expect(output.readRecord()).toMatchObject({ key: 'a', value: 1, timestampMs: 5 });
    input.pipeInput('a', 'x', 7);
    input.pipeInput('b', 'x', 8);
    expect(output.readKeyValuesToList()).toEqual([
      { key: 'a', value: 2 },
      { key: 'b', value: 1 },
    ]);
    expect(output.isEmpty).toBe(true);
    expect(driver.getKeyValueStore<string, number>('counts').get('a')).toBe(2);
    expect(driver.producedTopicNames).toEqual(new Set(['out', 'app-counts-changelog']));
    await driver.close();
  });

  it('captures changelog bytes as Kafka Streams writes them', async () => {
    const driver = new TopologyTestDriver(countTopology(), { applicationId: 'app' });
    driver.createInputTopic('in', string(), string()).pipeInput('k', 'x', 42);
    const [record] = driver.readChangelog('app-counts-changelog');
    expect(record?.key?.toString()).toBe('k');
    expect(record?.value?.toString('hex')).toBe('0000000000000001');
    expect(record?.timestampMs).toBe(42);
    await driver.close();
  });

  it('skips a failing record when the handler says continue and writes it to the dead letter queue', async () => {
    const driver = new TopologyTestDriver(countTopology(), {
      applicationId: 'app',
      deadLetterQueueTopicName: 'dlq',
      processingExceptionHandler: () => 'continue',
    });
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('a', 'boom', 3);
    input.pipeInput('a', 'fine', 4);
    expect(driver.createOutputTopic('out', string(), long()).readValuesToList()).toEqual([1]);
    const letter = driver.createOutputTopic('dlq', string(), string()).readRecord();
    expect(letter).toMatchObject({ key: 'a', value: 'boom', timestampMs: 3 });
    const header = (name: string) => letter.headers.lastHeader(`__streams.errors.${name}`)?.value?.toString();
    expect(header('exception')).toBe('Error: boom');
    expect(header('message')).toBe('boom');
    expect(header('topic')).toBe('in');
    expect(header('partition')).toBe('0');
    expect(header('offset')).toBe('0');
    expect(header('stacktrace')).toContain('topology-test-driver');
    await driver.close();
  });

  it('names node, topic and offset of a record that fails', async () => {
    const driver = new TopologyTestDriver(countTopology(), { applicationId: 'app' });
    const input = driver.createInputTopic('in', string(), string());
    expect(() => input.pipeInput('a', 'boom')).toThrow(/Node upper of task 0_0 failed at in-0@0: boom/);
    await driver.close();
  });

  it('gives an undecodable record to the deserialization handler and goes on', async () => {
    const seen: string[] = [];
    const topology = new Topology()
      .addSource('source', 'in', { key: string(), value: long() })
      .addProcessor('count', { get: () => new Upper() as never }, 'source')
      .addSink('sink', 'out', 'count', { key: string(), value: string() });
    const driver = new TopologyTestDriver(topology, {
      applicationId: 'app',
      deserializationExceptionHandler: (context) => {
        seen.push(`${context.topic}-${context.partition}@${context.offset}`);
        return 'continue';
      },
    });
    driver.createInputTopic('in', string(), long()).pipeRaw(Buffer.from('k'), Buffer.from('abc'), 1);
    expect(seen).toEqual(['in-0@0']);
    await driver.close();
  });

  it('fires stream-time punctuators from 0 on and once after a gap, wall-clock ones when time is advanced', async () => {
    const fired: string[] = [];
    const topology = new Topology().addSource('source', 'in', { key: string(), value: string() }).addProcessor(
      'p',
      () => ({
        init(context) {
          context.schedule({ intervalMs: 10, type: 'STREAM_TIME', callback: (ms) => fired.push(`s${ms}`) });
          context.schedule({ intervalMs: 10, type: 'WALL_CLOCK_TIME', callback: (ms) => fired.push(`w${ms}`) });
        },
        process() {},
      }),
      'source',
    );
    const driver = new TopologyTestDriver(topology, { applicationId: 'app', initialWallClockMs: 100 });
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('a', 'x', 3);
    input.pipeInput('a', 'x', 9);
    input.pipeInput('a', 'x', 35);
    input.pipeInput('a', 'x', 39);
    input.pipeInput('a', 'x', 40);
    driver.advanceWallClockTimeMs(9);
    driver.advanceWallClockTimeMs(1);
    driver.advanceWallClockTimeMs(25);
    expect(fired).toEqual(['s3', 's35', 's40', 'w110', 'w135']);
    await driver.close();
  });

  it('shows tables with their timestamps and without, and lists every store', async () => {
    const builder = new StreamsBuilder();
    const grouped = builder.stream('in', { key: string(), value: string() }).groupByKey();
    grouped.count({ materialized: { name: 'total' } });
    grouped.windowedBy(TimeWindows.ofSizeWithNoGrace(10)).count({ materialized: { name: 'by-window' } });
    builder.addStateStore(Stores.keyValueStoreBuilder({ name: 'plain', key: string(), value: long() }));
    builder
      .stream('other', { key: string(), value: string() })
      .process(() => ({ process() {} }), { stores: ['plain'] });
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('in', string(), string()).pipeInput('a', 'x', 7);
    expect([...driver.getAllStateStores().keys()].sort()).toEqual(['by-window', 'plain', 'total']);
    expect(driver.getKeyValueStore('total').get('a')).toBe(1);
    expect([...driver.getKeyValueStore('total').all()]).toEqual([{ key: 'a', value: 1 }]);
    expect(driver.getTimestampedKeyValueStore('total').get('a')).toEqual({ value: 1, timestampMs: 7 });
    expect(driver.getWindowStore('by-window').fetch('a', 0)).toBe(1);
    expect(driver.getTimestampedWindowStore('by-window').fetch('a', 0)).toEqual({ value: 1, timestampMs: 7 });
    expect(() => driver.getTimestampedKeyValueStore('plain')).toThrow(/'plain' keeps no timestamps.*keyValueStore/);
    driver.createInputTopic('in', string(), string()).pipeInput(null, 'x', 8);
    const dropped = driver.metrics().filter(({ name }) => name === 'dropped-records-total');
    expect(dropped.map(({ value }) => value)).toEqual([1, 1]);
    await driver.close();
  });

  it('gives records that are piped without a time that of their topic', async () => {
    const driver = new TopologyTestDriver(countTopology(), { applicationId: 'app', initialWallClockMs: 5 });
    const output = driver.createOutputTopic('out', string(), long());
    const times = () => output.readRecordsToList().map(({ timestampMs }) => timestampMs);
    driver.createInputTopic('in', string(), string()).pipeKeyValueList([
      ['a', 'x'],
      ['a', 'x', 9],
    ]);
    expect(times()).toEqual([5, 9]);
    const stepping = driver.createInputTopic('in', string(), string(), { startTimestampMs: 100, autoAdvanceMs: 10 });
    stepping.pipeRecordList([
      { key: 'a', value: 'x' },
      { key: 'a', value: 'x', timestampMs: 3 },
      { key: 'a', value: 'x' },
    ]);
    stepping.advanceTimeMs(50);
    stepping.pipeInput('a', 'x');
    expect(times()).toEqual([100, 3, 110, 170]);
    expect(() => stepping.advanceTimeMs(-1)).toThrow("can't go back");
    await driver.close();
  });

  it('anchors punctuators at a start time and shows processors the configuration', async () => {
    const fired: string[] = [];
    const topology = new Topology().addSource('source', 'in', { key: string(), value: string() }).addProcessor(
      'punctuated',
      () => ({
        init(context) {
          const callback = (nowMs: number) => fired.push(`${context.config.commitIntervalMs}@${nowMs}`);
          context.schedule({ intervalMs: 10, type: 'WALL_CLOCK_TIME', startTimeMs: 3, callback });
          const bad = { intervalMs: 10, type: 'STREAM_TIME', startTimeMs: -1, callback } as const;
          expect(() => context.schedule(bad)).toThrow(/Processor punctuated .* start time/);
        },
        process() {},
      }),
      'source',
    );
    const options = { applicationId: 'app', commitIntervalMs: 77, initialWallClockMs: 20 };
    const driver = new TopologyTestDriver(topology, options);
    driver.advanceWallClockTimeMs(2);
    driver.advanceWallClockTimeMs(1);
    driver.advanceWallClockTimeMs(10);
    expect(fired).toEqual(['77@23', '77@33']);
    await driver.close();
  });

  it('settles asynchronous operators in input order', async () => {
    const topology = new Topology()
      .addSource('source', 'in', { key: string(), value: string() })
      .addAsync(
        'async',
        {
          kind: 'mapAsync',
          map: async (item) => {
            await new Promise((resolve) => setTimeout(resolve, item.value === 'slow' ? 20 : 1));
            if (item.value === 'drop') return undefined;
            return `${item.value}!`;
          },
          options: { concurrency: 4 },
        },
        'source',
      )
      .addSink('sink', 'out', 'async', { key: string(), value: string() });
    const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
    const input = driver.createInputTopic('in', string(), string());
    for (const value of ['slow', 'b', 'drop', 'd', 'e', 'f']) input.pipeInput('k', value, 1);
    const output = driver.createOutputTopic('out', string(), string());
    expect(output.isEmpty).toBe(true);
    await driver.settle();
    expect(output.readValuesToList()).toEqual(['slow!', 'b!', 'd!', 'e!', 'f!']);
    await driver.close();
  });
});
