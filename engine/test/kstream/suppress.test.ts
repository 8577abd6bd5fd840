import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  BufferConfig,
  Headers,
  KafkaStreams,
  type RecordMetadata,
  StreamsBuilder,
  type StreamsOptions,
  Suppressed,
  string,
  TimeWindows,
  type Topology,
  TopologyError,
  windowed,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';
import { brokerOf, newCluster, produceText, readAll, until } from '../support/memory-cluster-harness.ts';

const strings = { key: string(), value: string() };
const drivers: TopologyTestDriver[] = [];

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});

function drive(topology: Topology, options: Partial<Omit<StreamsOptions, 'clock'>> = {}) {
  const driver = new TopologyTestDriver(topology, { applicationId: 'app', ...options });
  drivers.push(driver);
  const input = driver.createInputTopic('in', string(), string());
  const output = driver.createOutputTopic('out', string(), string());
  return { driver, input, output };
}

function limited(buffer: BufferConfig, waitMs = 10): Topology {
  const builder = new StreamsBuilder();
  builder
    .table('in', { ...strings, materialized: { name: 'src', store: 'memory' } })
    .suppress(Suppressed.untilTimeLimit(waitMs, buffer, { name: 'rate' }))
    .toStream()
    .to('out');
  return builder.build();
}

describe('suppress', () => {
  test('passes a change on with the timestamp, headers and origin of its last update', () => {
    const seen: [string, string, number, number, string | undefined][] = [];
    const builder = new StreamsBuilder();
    builder
      .table('in', strings)
      .suppress(Suppressed.untilTimeLimit(10, BufferConfig.unbounded()))
      .toStream()
      .process(() => {
        let metadata: () => RecordMetadata | undefined = () => undefined;
        return {
          init(context) {
            metadata = () => context.recordMetadata();
          },
          process({ key, value, timestamp, headers }) {
            seen.push([key, value, timestamp, metadata()?.offset ?? -1, headers.lastHeader('n')?.value?.toString()]);
          },
        };
      });
    const { input } = drive(builder.build());
    input.pipeInput('a', '1', 0, new Headers().add('n', 'first'));
    input.pipeInput('b', '2', 3);
    input.pipeInput('a', '3', 5, new Headers().add('n', 'third'));
    expect(seen).toEqual([]);
    input.pipeInput('c', '4', 14, new Headers().add('n', 'fourth'));
    expect(seen).toEqual([
      ['a', '3', 5, 2, 'third'],
      ['b', '2', 3, 1, undefined],
    ]);
  });

  test('lets asynchronous operators below hold what it emits, with its origin', async () => {
    const seen: (readonly [string, number])[] = [];
    const builder = new StreamsBuilder();
    builder
      .table('in', strings)
      .suppress(Suppressed.untilTimeLimit(10, BufferConfig.unbounded()))
      .toStream()
      .mapAsync(async ({ value }) => `${value}!`, { concurrency: 2 })
      .process(() => {
        let metadata: () => RecordMetadata | undefined = () => undefined;
        return {
          init(context) {
            metadata = () => context.recordMetadata();
          },
          process({ value }) {
            seen.push([value, metadata()?.offset ?? -1]);
          },
        };
      });
    const { driver, input } = drive(builder.build());
    input.pipeInput('a', '1', 0);
    input.pipeInput('b', '2', 3);
    input.pipeInput('c', '3', 20);
    await driver.settle();
    expect(seen).toEqual([
      ['1!', 0],
      ['2!', 1],
    ]);
  });

  test('tells the error handler where a record that fails below came from', () => {
    const failed: number[] = [];
    const builder = new StreamsBuilder();
    builder
      .table('in', strings)
      .suppress(Suppressed.untilTimeLimit(10, BufferConfig.unbounded()))
      .toStream()
      .foreach(() => {
        throw new Error('no');
      });
    const { input } = drive(builder.build(), {
      processingExceptionHandler: ({ offset }) => {
        failed.push(offset);
        return 'continue';
      },
    });
    for (const [at, key] of ['a', 'b', 'c'].entries()) input.pipeInput(key, '1', at * 10);
    expect(failed).toEqual([0, 1]);
  });

  test('emits the oldest early beyond a limit of records', () => {
    const { input, output } = drive(limited(BufferConfig.maxRecords(2)));
    for (const key of ['a', 'b', 'c']) input.pipeInput(key, '1', 0);
    expect(output.readKeyValuesToList().map(({ key }) => key)).toEqual(['a']);
  });

  test('fails beyond a limit when it shall shut down, and names the node and the remedy', () => {
    const { input } = drive(limited(BufferConfig.maxBytes(60).shutDownWhenFull()));
    input.pipeInput('a', '1', 0);
    expect(() => input.pipeInput('b', 'x'.repeat(30), 0)).toThrow(/buffer of rate is full.*Raise the limit/s);
  });

  test('counts what it emits', () => {
    const counted: { [name: string]: number } = {};
    const metrics = {
      count: (name: string, _tags: object, delta: number) => {
        counted[name] = (counted[name] ?? 0) + delta;
      },
      gauge: (name: string, _tags: object, value: number) => {
        counted[name] = value;
      },
      observe() {},
    };
    const { input } = drive(limited(BufferConfig.unbounded()), { metrics });
    for (const [at, key] of ['a', 'b', 'c'].entries()) input.pipeInput(key, '1', at * 10);
    expect(counted).toMatchObject({ 'suppression-emit-total': 2, 'suppression-buffer-count': 1 });
    expect(counted['suppression-buffer-size']).toBeGreaterThan(0);
  });

  test('gives a joining stream the value that was let through last', () => {
    const builder = new StreamsBuilder();
    const table = builder
      .table('in', { ...strings, materialized: { name: 'src', store: 'memory' } })
      .suppress(Suppressed.untilTimeLimit(10, BufferConfig.unbounded()));
    builder
      .stream('left', strings)
      .leftJoin(table, (left, right) => `${left}|${right}`)
      .to('out', strings);
    const { driver, input, output } = drive(builder.build());
    const left = driver.createInputTopic('left', string(), string());
    const ask = (at: number) => {
      left.pipeInput('a', 'l', at);
      return output.readValue();
    };
    input.pipeInput('a', '1', 0);
    expect(ask(0)).toBe('l|null');
    input.pipeInput('b', '2', 10);
    expect(ask(10)).toBe('l|1');
    input.pipeInput('a', '3', 11);
    expect(ask(11)).toBe('l|1');
    input.pipeInput('b', '4', 21);
    expect(ask(21)).toBe('l|3');
  });
});

describe('suppress refuses while the topology is built', () => {
  const table = () => new StreamsBuilder().table('in', strings);

  test.each([
    ['final results without a window', () => table().suppress(Suppressed.untilWindowCloses() as never), /not windowed/],
    [
      'final results with a buffer that emits early',
      () => Suppressed.untilWindowCloses(BufferConfig.maxRecords(1) as never),
      /does not emit early/,
    ],
    ['a negative time limit', () => Suppressed.untilTimeLimit(-1, BufferConfig.unbounded()), /0 or more, not -1/],
    ['a limit of records that is no number', () => BufferConfig.maxRecords(Number.NaN), /limit of records/],
    ['a negative limit of bytes', () => BufferConfig.unbounded().withMaxBytes(-5), /limit of bytes/],
    [
      'a table whose value has no serde',
      () =>
        table()
          .mapValues((value) => value.length)
          .suppress(Suppressed.untilTimeLimit(1, BufferConfig.unbounded(), { name: 'rate' })),
      /rate.*value serde.*materialized/,
    ],
    [
      'a versioned table',
      () =>
        new StreamsBuilder()
          .table('in', { ...strings, materialized: { name: 'v', historyRetentionMs: 100 } })
          .suppress(Suppressed.untilTimeLimit(1, BufferConfig.unbounded())),
      /versioned/,
    ],
  ])('%s', (_what, build, message) => {
    expect(build).toThrow(TopologyError);
    expect(build).toThrow(message);
  });
});

describe('final results', () => {
  function finals(graceMs: number): Topology {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace(10, graceMs))
      .aggregate(
        () => '',
        (_key, value, aggregate) => aggregate + value,
        {
          value: string(),
          materialized: { name: 'win', store: 'memory', retentionMs: 1_000_000 },
        },
      )
      .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
      .toStream()
      .to('out');
    return builder.build();
  }

  test('are the whole of each closed window, once, by window end and key, whatever the order of the input', () => {
    const arbitrary = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 0, max: 120 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(arbitrary, fc.constantFrom(0, 5, 30), (records, graceMs) => {
        const { driver, input } = drive(finals(graceMs));
        const output = driver.createOutputTopic('out', windowed(string(), 10), string());
        const windows = new Map<string, { end: number; value: string }>();
        const emitted: string[] = [];
        let streamTimeMs = -1;
        const expected: string[] = [];
        for (const [index, { key, at }] of records.entries()) {
          input.pipeInput(key, `${index},`, at);
          streamTimeMs = Math.max(streamTimeMs, at);
          const start = at - (at % 10);
          if (start + 10 > streamTimeMs - graceMs) {
            const id = `${String(start + 10).padStart(4, '0')}${key}`;
            windows.set(id, { end: start + 10, value: `${windows.get(id)?.value ?? ''}${index},` });
          }
          for (const id of [...windows.keys()].sort()) {
            const { end, value } = windows.get(id) as { end: number; value: string };
            if (end > streamTimeMs - graceMs) continue;
            expected.push(`${id}=${value}`);
            windows.delete(id);
          }
          for (const { key: out, value } of output.readKeyValuesToList()) {
            emitted.push(`${String(out.window.endMs).padStart(4, '0')}${out.key}=${value}`);
          }
        }
        expect(emitted).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('come after a restart on another machine, from the changelog', async () => {
    const cluster = newCluster();
    const broker = brokerOf(cluster);
    const spec = (topic: string) => ({ topic, partitions: 1, replicationFactor: 1, configs: {} });
    await broker.admin().createTopics([spec('in'), spec('out')]);
    const directories: string[] = [];
    const start = async (): Promise<KafkaStreams> => {
      const stateDir = mkdtempSync(join(tmpdir(), 'millrace-suppress-'));
      directories.push(stateDir);
      const options = { commitIntervalMs: 20, pollMs: 20, heartbeatIntervalMs: 20, sessionTimeoutMs: 10_000 };
      const streams = new KafkaStreams(finals(0), {
        applicationId: 'app',
        stateDir,
        ...options,
        broker: brokerOf(cluster),
      });
      await streams.start();
      return streams;
    };
    const first = await start();
    await produceText(broker, 'in', 0, [
      ['a', '1', 1],
      ['b', '2', 2],
      ['a', '3', 4],
    ]);
    const buffered = 'app-final-store-changelog';
    await until(async () => (await readAll(broker, buffered)).length >= 2, 'what is buffered is in the changelog');
    await first.close();

    const second = await start();
    await produceText(broker, 'in', 0, [['c', '4', 12]]);
    await until(async () => (await readAll(broker, 'out')).length >= 2, 'both results are out');
    await second.close();
    const out = await readAll(broker, 'out');
    expect(out.map(({ value, timestampMs }) => [value?.toString(), timestampMs])).toEqual([
      ['13', 4],
      ['2', 2],
    ]);
    const log = await readAll(broker, buffered);
    expect(log[0]?.headers.map(({ key, value }) => [key, value?.toString('hex')])).toEqual([['v', '03']]);
    // The producer's wall clock, not the record's time.
    expect(log[0]?.timestampMs).toBeGreaterThan(1_000_000);
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
});
