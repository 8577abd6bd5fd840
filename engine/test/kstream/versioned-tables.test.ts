import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  BufferConfig,
  NOT_PUT,
  Stores,
  StreamsBuilder,
  Suppressed,
  silentLog,
  string,
  TimeWindows,
  type Topology,
  TopologyError,
  VALID_TO_UNDEFINED,
  type VersionedKeyValueStore,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };
const joined = (left: string | null, right: string | null) => `${left}|${right}`;
const memory = { store: 'memory' } as const;

let driver: TopologyTestDriver | undefined;
afterEach(async () => {
  await driver?.close();
  driver = undefined;
});

type Input = readonly [topic: string, key: string, value: string | null, timestampMs: number];

/** What comes out, as `key=value@time`. */
function run(topology: Topology, inputs: readonly Input[]): string[] {
  driver = new TopologyTestDriver(topology, { applicationId: 'app', statestoreCacheMaxBytes: 0 });
  for (const [topic, key, value, timestampMs] of inputs) {
    driver.createInputTopic(topic, string(), string()).pipeInput(key, value as string, timestampMs);
  }
  return driver
    .createOutputTopic('out', string(), string())
    .readRecordsToList()
    .map(({ key, value, timestampMs }) => `${key}=${value}@${timestampMs}`);
}

function versionedTable(builder: StreamsBuilder, topic: string, name: string, historyRetentionMs = 100) {
  return builder.table(topic, { ...strings, materialized: { name, historyRetentionMs, ...memory } });
}

describe('a versioned table', () => {
  test('forwards late updates that it keeps as history, and none that come after the history', () => {
    const builder = new StreamsBuilder();
    versionedTable(builder, 'in', 't').toStream().to('out');
    const out = run(builder.build(), [
      ['in', 'a', 'new', 200],
      ['in', 'a', 'late', 150],
      ['in', 'a', 'too late', 99],
    ]);
    expect(out).toEqual(['a=new@200', 'a=late@150']);
    const store = driver?.getVersionedKeyValueStore<string, string>('t');
    expect(store?.get('a')).toEqual({ value: 'new', timestampMs: 200, validToMs: undefined });
    expect(store?.get('a', 199)).toEqual({ value: 'late', timestampMs: 150, validToMs: 200 });
    expect(store?.fetch('a', undefined, undefined, 'descending').map(({ value }) => value)).toEqual(['new', 'late']);
  });

  test('is joined by a stream with what it held at the time of the record', () => {
    const builder = new StreamsBuilder();
    const table = versionedTable(builder, 'right', 't');
    builder.stream('left', strings).leftJoin(table, joined).to('out', strings);
    const out = run(builder.build(), [
      ['right', 'k', 'a', 10],
      ['right', 'k', 'b', 20],
      ['left', 'k', '1', 15],
      ['left', 'k', '2', 20],
      ['left', 'k', '3', 5],
    ]);
    expect(out).toEqual(['k=1|a@15', 'k=2|b@20', 'k=3|null@5']);
  });

  test('keeps changes of the past out of joins of tables and of aggregates', () => {
    const builder = new StreamsBuilder();
    const table = versionedTable(builder, 'in', 't');
    table
      .groupBy((_key, value) => ['all', value] as const, { ...strings, name: 'all' })
      .reduce(
        (sum, value) => `${sum}+${value}`,
        (sum, value) => `${sum}-${value}`,
        { materialized: memory },
      )
      .toStream()
      .to('out', strings);
    expect(
      run(builder.build(), [
        ['in', 'a', '1', 20],
        ['in', 'a', 'late', 10],
        ['in', 'a', '2', 30],
      ]),
    ).toEqual(['all=1@20', 'all=1-1+2@30']);
  });

  test('is a matter of key-value tables: global and windowed ones refuse the option', () => {
    const builder = new StreamsBuilder();
    const materialized = { name: 'g', historyRetentionMs: 10 };
    expect(() => builder.globalTable('g', { ...strings, materialized })).toThrow(TopologyError);
    expect(
      () => builder.table('t', { ...strings, materialized: { historyRetentionMs: -1, name: 'n' } }) && builder.build(),
    ).toThrow('historyRetentionMs is -1');
  });

  test('can be neither windowed nor suppressed', () => {
    const builder = new StreamsBuilder();
    const grouped = builder.stream('in', strings).groupByKey();
    const windows = TimeWindows.ofSizeWithNoGrace(10);
    const materialized = { name: 'w', historyRetentionMs: 10 };
    expect(() => grouped.windowedBy(windows).count({ materialized })).toThrow('windows keep no versions');
    const filtered = versionedTable(builder, 'right', 't').filter(() => true);
    const suppressed = Suppressed.untilTimeLimit(5, BufferConfig.unbounded());
    expect(() => filtered.suppress(suppressed)).toThrow('below versioned table');
  });

  test('has a changelog that is compacted only when the history has passed', () => {
    const builder = new StreamsBuilder();
    versionedTable(builder, 'in', 't', 1_000);
    const internal = builder
      .build()
      .resolve('app')
      .subTopologies.flatMap((part) => part.internalTopics);
    expect(internal[0]?.configs).toMatchObject({ 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '86401000' });
  });
});

describe('a join with grace', () => {
  function graceJoin(graceMs: number): Topology {
    const builder = new StreamsBuilder();
    const table = versionedTable(builder, 'right', 't');
    builder
      .stream('left', strings)
      .join(table, joined, { name: 'j', graceMs, ...memory })
      .to('out', strings);
    return builder.build();
  }

  test('waits for the table and joins what it held at the time of the record', () => {
    const out = run(graceJoin(10), [
      ['left', 'k', '1', 10],
      ['right', 'k', 'late but in time', 5],
      ['right', 'k', 'newer', 12],
      ['left', 'k', '2', 20],
      ['left', 'k', '3', 31],
    ]);
    expect(out).toEqual(['k=1|late but in time@10', 'k=2|newer@20']);
  });

  test('joins a record at once that comes after the grace', () => {
    const out = run(graceJoin(10), [
      ['right', 'k', 'a', 1],
      ['left', 'k', 'late is no longer waited for', 40],
      ['left', 'k', 'late', 29],
    ]);
    expect(out).toEqual(['k=late|a@29']);
  });

  test('passes the headers and the origin of the record that waited', () => {
    const seen: unknown[] = [];
    const builder = new StreamsBuilder();
    builder
      .stream('left', strings)
      .join(versionedTable(builder, 'right', 't'), joined, { name: 'j', graceMs: 5, ...memory })
      .process(() => {
        let metadata: () => unknown;
        return {
          init: (context) => {
            metadata = () => context.recordMetadata();
          },
          process: (record) => seen.push([record.value, record.headers.lastHeader('h')?.value?.toString(), metadata()]),
        };
      });
    driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('right', string(), string()).pipeInput('k', 'a', 1);
    const left = driver.createInputTopic('left', string(), string());
    left.pipeInput('k', 'first', 2, [{ key: 'h', value: Buffer.from('of the first') }]);
    left.pipeInput('k', 'second', 7);
    expect(seen).toMatchObject([['first|a', 'of the first', { topic: 'left', partition: 0, offset: 0 }]]);
  });

  test('meets null at once where a record of a left join has no key, and drops it from an inner join', () => {
    const builder = new StreamsBuilder();
    const table = versionedTable(builder, 'right', 't');
    const left = builder.stream('left', strings);
    left.leftJoin(table, joined, { name: 'l', graceMs: 10, ...memory }).to('out', strings);
    expect(run(builder.build(), [['left', null as unknown as string, '1', 5]])).toEqual(['null=1|null@5']);
    expect(run(graceJoin(10), [['left', null as unknown as string, '1', 5]])).toEqual([]);
  });

  test('is refused where the table keeps no versions, or forgets before the grace is over', () => {
    const builder = new StreamsBuilder();
    const left = builder.stream('left', strings);
    const plain = builder.table('plain', { ...strings, materialized: { name: 'p' } });
    const short = versionedTable(builder, 'short', 's', 10);
    expect(() => left.join(plain, joined, { name: 'j', graceMs: 5 })).toThrow(
      /Join j .* KTABLE-SOURCE.* keeps no versions/,
    );
    expect(() => left.join(short, joined, { name: 'k', graceMs: 11 })).toThrow(
      'make its historyRetentionMs 11 or more',
    );
    expect(() => left.join(short, joined, { name: 'l', graceMs: -1 })).toThrow('graceMs is -1');
    const forgetful = short.filter(() => true, { materialized: { name: 'unversioned' } });
    expect(() => left.join(forgetful, joined, { name: 'm', graceMs: 5 })).toThrow('keeps no versions');
  });
});

test('a table that is not versioned takes the last value, however old, and says so', () => {
  const warn = vi.fn();
  const builder = new StreamsBuilder();
  builder
    .table('in', { ...strings, materialized: { name: 't', ...memory } })
    .toStream()
    .to('out');
  driver = new TopologyTestDriver(builder.build(), { applicationId: 'app', log: { ...silentLog, warn } });
  const input = driver.createInputTopic('in', string(), string());
  input.pipeInput('a', 'new', 20);
  input.pipeInput('a', 'late', 10);
  input.pipeInput('a', 'later', 5);
  expect(driver.getTimestampedKeyValueStore('t').get('a')).toEqual({ value: 'later', timestampMs: 5 });
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[0]).toMatchObject({ beforeMs: 20, timestampMs: 10, topic: 'in', offset: 1 });
});

test('a processor uses a versioned store', () => {
  const answers: number[] = [];
  const builder = new StreamsBuilder();
  builder.addStateStore(
    Stores.versionedKeyValueStoreBuilder({ name: 'v', ...strings, historyRetentionMs: 50, ...memory }),
  );
  builder.stream('in', strings).process(
    () => {
      let store: VersionedKeyValueStore<string, string>;
      return {
        init: (context) => {
          store = context.getStateStore('v');
        },
        process: (record) => void answers.push(store.put(record.key, record.value, record.timestamp)),
      };
    },
    { stores: ['v'] },
  );
  run(builder.build(), [
    ['in', 'a', 'y', 20],
    ['in', 'a', 'x', 10],
    ['in', 'b', 'z', 100],
    ['in', 'a', 'gone', 49],
  ]);
  expect(answers).toEqual([VALID_TO_UNDEFINED, 20, VALID_TO_UNDEFINED, NOT_PUT]);
  expect(driver?.getVersionedKeyValueStore<string, string>('v').get('a')?.value).toBe('y');
});
