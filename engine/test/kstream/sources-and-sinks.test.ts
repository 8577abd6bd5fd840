import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noMetrics } from '../../src/base/metrics.ts';
import {
  failOnInvalidTimestamp,
  logAndSkipOnInvalidTimestamp,
  long,
  type Processor,
  type ProcessorWrapper,
  Record,
  Stores,
  StreamsBuilder,
  string,
  type TimestampExtractor,
  TopologyError,
  usePartitionTimeOnInvalidTimestamp,
  wallclockTimestampExtractor,
} from '../../src/index.ts';
import { MetricsRegistry } from '../../src/runtime/client/metrics-registry.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };

/** A driver that counts its metrics. */
function counting(builder: StreamsBuilder) {
  const metrics = new MetricsRegistry(noMetrics);
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app', initialWallClockMs: 5_000, metrics });
  return { driver, dropped: () => droppedOf(metrics) };
}

/** Node, reason and number of the records that were dropped. */
function droppedOf(metrics: MetricsRegistry) {
  return metrics
    .snapshot()
    .filter(({ name }) => name === 'dropped-records-total')
    .map(({ tags, value }) => [tags['processor-node-id'], tags['reason'], value]);
}

function timed(timestampExtractor: TimestampExtractor | undefined) {
  const builder = new StreamsBuilder();
  builder.stream('in', { ...strings, name: 'src', timestampExtractor }).to('out');
  const { driver, dropped } = counting(builder);
  const input = driver.createInputTopic('in', string(), string());
  const times = () =>
    driver
      .createOutputTopic('out', string(), string())
      .readRecordsToList()
      .map(({ timestampMs }) => timestampMs);
  return { driver, dropped, input, times };
}

describe('a record with a negative timestamp', () => {
  test.each([
    ['by default', undefined],
    ['with failOnInvalidTimestamp', failOnInvalidTimestamp],
  ])('ends the task %s', async (_how, extractor) => {
    const { driver, input } = timed(extractor);
    expect(() => input.pipeInput('k', 'v', -1)).toThrow(/negative timestamp/);
    await driver.close();
  });

  // E13: the handler is about records that can't be decoded; Kafka Streams asks nobody about what an extractor throws.
  test.each([
    ['by default', undefined],
    ['with failOnInvalidTimestamp', failOnInvalidTimestamp],
    [
      'with an extractor that throws',
      {
        extract: () => {
          throw new Error('a negative timestamp');
        },
      },
    ],
  ])('ends the task %s, whatever the deserialization handler says', async (_how, timestampExtractor) => {
    const builder = new StreamsBuilder();
    builder.stream('in', { ...strings, timestampExtractor }).to('out');
    const driver = new TopologyTestDriver(builder.build(), {
      applicationId: 'app',
      deserializationExceptionHandler: () => 'continue',
    });
    expect(() => driver.createInputTopic('in', string(), string()).pipeInput('k', 'v', -1)).toThrow(
      /negative timestamp/,
    );
    await driver.close();
  });

  test('that an extractor answers is skipped and counted', async () => {
    const { driver, dropped, input, times } = timed({ extract: ({ value }) => (value === 'bad' ? -5 : 7) });
    input.pipeInput('k', 'bad', 1);
    input.pipeInput('k', 'v', 1);
    expect(times()).toEqual([7]);
    expect(dropped()).toEqual([['src', 'negative-timestamp', 1]]);
    await driver.close();
  });

  test('is skipped and counted with logAndSkipOnInvalidTimestamp', async () => {
    const { driver, dropped, input, times } = timed(logAndSkipOnInvalidTimestamp);
    input.pipeInput('k', 'v', -1);
    input.pipeInput('k', 'v', 7);
    expect(times()).toEqual([7]);
    expect(dropped()).toEqual([['src', 'negative-timestamp', 1]]);
    await driver.close();
  });

  test('gets the highest timestamp of its partition with usePartitionTimeOnInvalidTimestamp, if there is one', async () => {
    const { driver, input, times } = timed(usePartitionTimeOnInvalidTimestamp);
    input.pipeInput('k', 'v', 9);
    input.pipeInput('k', 'v', 4);
    input.pipeInput('k', 'v', -1);
    expect(times()).toEqual([9, 4, 9]);
    await driver.close();
    const fresh = timed(usePartitionTimeOnInvalidTimestamp);
    expect(() => fresh.input.pipeInput('k', 'v', -1)).toThrow(/negative timestamp/);
    await fresh.driver.close();
  });

  test('does not matter to wallclockTimestampExtractor', async () => {
    const { driver, input, times } = timed(wallclockTimestampExtractor);
    input.pipeInput('k', 'v', -1);
    driver.advanceWallClockTimeMs(10);
    input.pipeInput('k', 'v', 3);
    expect(times()).toEqual([5_000, 5_010]);
    await driver.close();
  });
});

test('records that operations drop are counted by node and reason', async () => {
  const builder = new StreamsBuilder();
  const table = builder.table('t', { ...strings, name: 'tab', materialized: { name: 'st' } });
  const stream = builder.stream('in', strings);
  stream.groupByKey().count({ name: 'cnt' });
  stream.join(table, (left, right) => left + right, { name: 'jn' }).to('out', strings);
  const { driver, dropped } = counting(builder);
  driver.createInputTopic('t', string(), string()).pipeInput(null, 'v', 1);
  driver.createInputTopic('in', string(), string()).pipeKeyValueList([
    [null, 'v', 1],
    ['k', null, 2],
  ]);
  expect(dropped()).toEqual(
    expect.arrayContaining([
      ['tab', 'null-key', 1],
      ['cnt', 'null-key', 1],
      ['cnt', 'null-value', 1],
      ['jn', 'null-join-key', 1],
    ]),
  );
  await driver.close();
});

test('an undecodable record is counted, and skipped where the handler says so', async () => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { key: string(), value: long(), name: 'src' })
    .mapValues((value) => String(value))
    .to('out', strings);
  for (const answer of ['continue', 'fail'] as const) {
    const metrics = new MetricsRegistry(noMetrics);
    const deserializationExceptionHandler = () => answer;
    const driver = new TopologyTestDriver(builder.build(), {
      applicationId: 'app',
      metrics,
      deserializationExceptionHandler,
    });
    const input = driver.createInputTopic('in', string(), string());
    if (answer === 'fail') expect(() => input.pipeInput('k', 'short', 1)).toThrow(/can't decode the record at in-0@0/);
    else input.pipeInput('k', 'short', 1);
    expect(droppedOf(metrics)).toEqual([['src', 'undecodable', 1]]);
    await driver.close();
  }
});

describe('patterns', () => {
  test('read every topic that matches, each with a queue of its own', async () => {
    const builder = new StreamsBuilder();
    builder.stream(/^in-[0-9]$/, strings).to('out');
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('in-1', string(), string()).pipeInput('a', '1', 1);
    driver.createInputTopic('in-2', string(), string()).pipeInput('b', '2', 2);
    driver.createInputTopic('in-1', string(), string()).pipeInput('c', '3', 3);
    expect(driver.createOutputTopic('out', string(), string()).readValuesToList()).toEqual(['1', '2', '3']);
    const other = driver.createInputTopic('in-10', string(), string());
    expect(() => other.pipeInput('a', 'x', 1)).toThrow(/reads no topic 'in-10'/);
    await driver.close();
  });

  test('of the same text share a source', () => {
    const builder = new StreamsBuilder();
    builder.stream(/^a/, strings).to('o1');
    builder.stream(/^a/, strings).to('o2');
    const sources = builder
      .build()
      .describe()
      .subTopologies.flatMap(({ nodes }) => nodes)
      .filter(({ kind }) => kind === 'source');
    expect(sources.map(({ detail }) => detail)).toEqual(['topics: ^a']);
  });

  test('may not both match one topic', async () => {
    const builder = new StreamsBuilder();
    builder.stream(/^in/, strings).to('o1');
    builder.stream(/^in-/, strings).to('o2');
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    const input = driver.createInputTopic('in-1', string(), string());
    expect(() => input.pipeInput('k', 'v', 1)).toThrow(TopologyError);
    expect(() => input.pipeInput('k', 'v', 1)).toThrow(/in-1 matches the patterns of sources .*0 and .*: narrow one/);
    await driver.close();
  });
});

describe('print', () => {
  async function lines(program: (builder: StreamsBuilder) => void): Promise<void> {
    const builder = new StreamsBuilder();
    program(builder);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('in', string(), string()).pipeKeyValueList([
      ['k', 'v', 1],
      [null, 'w', 2],
    ]);
    await driver.close();
  }

  test('writes label, key and value of each record', async () => {
    const seen: string[] = [];
    const write = (line: string): unknown => seen.push(line);
    await lines((b) => {
      const stream = b.stream('in', strings);
      stream.print({ write });
      stream.print({ label: 'mine', format: (_key, value) => value.toUpperCase(), write });
    });
    expect(seen).toEqual([
      '[KSTREAM-SOURCE-0000000000]: k, v',
      '[mine]: V',
      '[KSTREAM-SOURCE-0000000000]: null, w',
      '[mine]: W',
    ]);
  });

  test('writes to a file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-print-'));
    const file = join(directory, 'lines.txt');
    await lines((b) => b.stream('in', strings).print({ file, label: 'in' }));
    expect(readFileSync(file, 'utf8')).toBe('[in]: k, v\n[in]: null, w\n');
    rmSync(directory, { recursive: true });
  });
});

test('a partitioner that chooses no partition drops the record', async () => {
  const builder = new StreamsBuilder();
  builder.stream('in', strings).to('out', { partitioner: (_topic, _key, value) => (value === 'no' ? [] : [0]) });
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
  driver.createInputTopic('in', string(), string()).pipeKeyValueList([
    ['k', 'yes', 1],
    ['k', 'no', 2],
  ]);
  expect(driver.createOutputTopic('out', string(), string()).readValuesToList()).toEqual(['yes']);
  await driver.close();
});

test('a wrapper stands around every processor and may bring stores', async () => {
  const seen: string[] = [];
  const marks = Stores.keyValueStoreBuilder({ name: 'marks', ...strings, store: 'memory' });
  const processorWrapper: ProcessorWrapper = (name, supplier) => ({
    stores: () => [...(supplier.stores?.() ?? []), marks],
    get(): Processor {
      const inner = supplier.get();
      return {
        init: (context) => inner.init?.(context),
        process(record) {
          seen.push(name);
          inner.process(record);
        },
      };
    },
  });
  const builder = new StreamsBuilder();
  builder
    .stream('in', strings)
    .filter(() => true, { name: 'flt' })
    .mapValues((value) => value, { name: 'mv' })
    .to('out', strings);
  const topology = builder.build({ processorWrapper });
  expect(String(topology.describe())).toContain('Processor: flt (stores: [marks])');
  const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
  driver.createInputTopic('in', string(), string()).pipeInput('k', 'v', 1);
  expect(seen).toEqual(['flt', 'mv']);
  await driver.close();
});

test('E15: a topic name extractor sees origin, timestamp and headers of the output record', async () => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', strings)
    .mapValues((value) => value.toUpperCase())
    .to((key, value, { topic, partition, offset, timestamp, headers }) => {
      const line = headers.lastHeader('line')?.value?.toString();
      return [key, value, topic, partition, offset, timestamp, line].join('-');
    }, strings);
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
  const input = driver.createInputTopic('in', string(), string());
  input.pipeInput('k', 'v', 7, [{ key: 'line', value: Buffer.from('L3') }]);
  expect([...driver.producedTopicNames]).toEqual(['k-V-in-0-0-7-L3']);
  await driver.close();
});

test('E15: a punctuator above an asynchronous operator is told that its records could be lost', async () => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', strings)
    .process<string, string>(() => ({
      init(context) {
        const record = new Record('k', 'v', 0);
        context.schedule({ intervalMs: 10, type: 'WALL_CLOCK_TIME', callback: () => context.forward(record) });
      },
      process() {},
    }))
    .mapAsync(async ({ value }) => value, { concurrency: 1 })
    .to('out', strings);
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
  expect(() => driver.advanceWallClockTimeMs(10)).toThrow(/got a record of a punctuator, which could be lost/);
  await driver.close();
});
