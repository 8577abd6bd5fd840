import { describe, expect, test, vi } from 'vitest';
import {
  Headers,
  json,
  type KeyValueStore,
  long,
  type Processor,
  type ProcessorContext,
  Record,
  type Serde,
  Stores,
  StreamsBuilder,
  string,
  TopologyError,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };
type In = readonly [key: string | null, value: string | null, timestampMs?: number];

/** Pipes records through a program and answers what came out as `key=value@timestamp`. */
async function through(
  program: (builder: StreamsBuilder) => void,
  inputs: readonly In[],
  value: Serde<unknown> = string() as Serde<unknown>,
): Promise<string[]> {
  const builder = new StreamsBuilder();
  program(builder);
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
  try {
    driver.createInputTopic('in', string(), string()).pipeKeyValueList(inputs);
    const records = driver.createOutputTopic('out', string(), value).readRecordsToList();
    return records.map((record) => `${record.key}=${JSON.stringify(record.value)}@${record.timestampMs}`);
  } finally {
    await driver.close();
  }
}

describe('stateless operations', () => {
  test('filter and filterNot keep the two halves', async () => {
    const inputs: In[] = [
      ['a', '1', 1],
      ['b', '2', 2],
    ];
    const isA = (key: string) => key === 'a';
    expect(await through((b) => b.stream('in', strings).filter(isA).to('out'), inputs)).toEqual(['a="1"@1']);
    expect(await through((b) => b.stream('in', strings).filterNot(isA).to('out'), inputs)).toEqual(['b="2"@2']);
  });

  test('map, flatMap and flatMapValues make new records with the old timestamp', async () => {
    const out = await through(
      (b) =>
        b
          .stream('in', strings)
          .map((key, value) => [value, key] as const)
          .flatMap((key, value) => [
            [key, value],
            [`${key}2`, value],
          ])
          .flatMapValues((value) => [value, value.toUpperCase()])
          .to('out', strings),
      [['k', 'v', 7]],
    );
    expect(out).toEqual(['v="k"@7', 'v="K"@7', 'v2="k"@7', 'v2="K"@7']);
  });

  test('mapValues sees nulls and may answer null', async () => {
    const out = await through(
      (b) =>
        b
          .stream('in', strings)
          .mapValues((value: string | null) => (value === null ? 'none' : null))
          .to('out', { value: string() }),
      [
        ['a', null, 1],
        ['b', 'x', 2],
      ],
    );
    expect(out).toEqual(['a="none"@1', 'b=null@2']);
  });

  test('peek passes on what it looks at, foreach ends the stream', async () => {
    const seen: string[] = [];
    const out = await through(
      (b) => {
        const stream = b.stream('in', strings).peek((key, value) => void seen.push(`peek ${key}${value}`));
        stream.foreach((key) => void seen.push(`each ${key}`));
        stream.to('out');
      },
      [['k', 'v', 1]],
    );
    expect(out).toEqual(['k="v"@1']);
    expect(seen).toEqual(['peek kv', 'each k']);
  });

  test('a split drops what no branch wants, and continues or hands over branches', async () => {
    const seen: string[] = [];
    const out = await through(
      (b) => {
        const branches = b
          .stream('in', strings)
          .split({ name: 's-' })
          .branch((key) => key === 'a', { name: 'a' })
          .branch((key) => key === 'b', { consume: (branch) => branch.foreach((key) => void seen.push(key)) })
          .noDefaultBranch();
        expect([...branches.keys()]).toEqual(['s-a']);
        branches.get('s-a')?.to('out');
      },
      [
        ['a', '1', 1],
        ['b', '2', 2],
        ['c', '3', 3],
      ],
    );
    expect(out).toEqual(['a="1"@1']);
    expect(seen).toEqual(['b']);
  });

  test('headers travel with records, also with rewritten ones', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .map((key, value) => [key, `${value}!`] as const)
      .to('out', strings);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('in', string(), string()).pipeInput('k', 'v', 1, new Headers().add('h', 'x'));
    const record = driver.createOutputTopic('out', string(), string()).readRecord();
    expect(record.headers.lastHeader('h')?.value?.toString()).toBe('x');
    await driver.close();
  });

  test('a sink may choose its topic for each record', async () => {
    const out = await through(
      (b) => b.stream('in', strings).to((key) => (key === 'a' ? 'out' : 'other')),
      [
        ['a', '1', 1],
        ['b', '2', 2],
      ],
    );
    expect(out).toEqual(['a="1"@1']);
  });
});

describe('decoding', () => {
  /** A serde that counts what it decodes. */
  function counting() {
    const inner = string();
    const deserialize = vi.fn(inner.deserialize.bind(inner));
    const serde: Serde<string> = { format: 'counted', serialize: inner.serialize.bind(inner), deserialize };
    return { serde, deserialize };
  }

  test('copies bytes from source to sink without decoding them', async () => {
    const { serde, deserialize } = counting();
    const out = await through(
      (b) =>
        b
          .stream('in', { key: string(), value: serde })
          .merge(b.stream('in', { key: string(), value: serde }))
          .to('out'),
      [['k', 'v', 1]],
    );
    // One source with one way to the merge, as in Kafka Streams.
    expect(out).toEqual(['k="v"@1']);
    expect(deserialize).not.toHaveBeenCalled();
  });

  test('writes keys anew whose serde says nothing of forms: partitions are chosen by their bytes', async () => {
    const { serde, deserialize } = counting();
    const out = await through((b) => b.stream('in', { key: serde, value: string() }).to('out'), [['k', 'v', 1]]);
    expect(out).toEqual(['k="v"@1']);
    expect(deserialize).toHaveBeenCalledTimes(1);
  });

  test('does not decode a value for a function that takes only the key', async () => {
    const { serde, deserialize } = counting();
    await through(
      (b) =>
        b
          .stream('in', { key: string(), value: serde })
          .filter((key) => key === 'k')
          .selectKey((key) => key)
          .groupByKey({ key: string() })
          .count({ materialized: { name: 'c', store: 'memory' } })
          .toStream()
          .to('out'),
      [['k', 'v', 1]],
      long() as Serde<unknown>,
    );
    expect(deserialize).not.toHaveBeenCalled();
  });

  test('gives everything to functions whose parameters it cannot count', async () => {
    const mapper = vi.fn((...args: unknown[]) => String(args.length));
    const out = await through((b) => b.stream('in', strings).mapValues(mapper).to('out', strings), [['k', 'v', 1]]);
    expect(mapper).toHaveBeenCalledWith('v', 'k');
    expect(out).toEqual(['k="2"@1']);
  });
});

describe('tables and joins', () => {
  test('a table that is not kept forwards every update', async () => {
    const builder = new StreamsBuilder();
    builder.table('in', strings).toStream().to('out');
    const topology = builder.build();
    expect(topology.resolve('app').subTopologies[0]?.stores).toEqual([]);
  });

  test('a join keeps the table without being asked', async () => {
    const builder = new StreamsBuilder();
    const table = builder.table('t', strings).mapValues((value) => value.length);
    builder
      .stream('in', strings)
      .join(table, (left, right) => `${left}${right}`)
      .to('out', strings);
    const topology = builder.build();
    expect(topology.resolve('app').subTopologies[0]?.copartitionGroups).toEqual([['in', 't']]);
    const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
    driver.createInputTopic('t', string(), string()).pipeInput('k', 'four', 1);
    driver.createInputTopic('in', string(), string()).pipeKeyValueList([
      ['k', 'v', 2],
      ['other', 'v', 3],
    ]);
    const records = driver.createOutputTopic('out', string(), string()).readKeyValuesToList();
    expect(records).toEqual([{ key: 'k', value: 'v4' }]);
    await driver.close();
  });

  test('a stream with a changed key is repartitioned before it is joined, once for two joins', () => {
    const builder = new StreamsBuilder();
    const table = builder.table('t', { ...strings, materialized: { name: 'tab' } });
    const stream = builder.stream('in', strings).selectKey((_key, value) => value);
    const options = { key: string(), value: string() };
    stream.join(table, (left, right) => left + right, options).to('o1', strings);
    stream.leftJoin(table, (left, right) => `${left}${right}`, options).to('o2', strings);
    const topics = builder
      .build()
      .resolve('app')
      .subTopologies.flatMap((part) => part.repartitionSourceTopics);
    expect(topics).toHaveLength(1);
  });

  test('counts of one named group share a repartition topic', () => {
    const builder = new StreamsBuilder();
    const group = builder.stream('in', strings).groupBy((_key, value) => value, { key: string(), name: 'g' });
    group.count({ materialized: { name: 'c' } });
    group.reduce((a, b) => a + b, { materialized: { name: 'r' } });
    const topics = builder
      .build()
      .resolve('app')
      .subTopologies.flatMap((part) => part.repartitionSourceTopics);
    expect(topics).toEqual(['app-g-repartition']);
  });

  test('a table regrouped and counted follows updates and deletions', async () => {
    const out = await through(
      (b) =>
        b
          .table('in', strings)
          .groupBy((key, value) => [value, key] as const, { ...strings, name: 'by-value' })
          .count({ materialized: { name: 'per-value', store: 'memory' } })
          .toStream()
          .to('out'),
      [
        ['a', 'red', 1],
        ['b', 'red', 2],
        ['a', 'blue', 3],
        ['b', null, 4],
      ],
      long() as Serde<unknown>,
    );
    expect(out).toEqual(['red=1@1', 'red=2@2', 'red=1@3', 'blue=1@3', 'red=0@4']);
  });

  test('a table regrouped and reduced takes old values out', async () => {
    const builder = new StreamsBuilder();
    builder
      .table('in', { key: string(), value: long() })
      .groupBy((_key, value) => ['all', value] as const, { key: string(), value: long(), name: 'all' })
      .reduce(
        (sum, value) => sum + value,
        (sum, value) => sum - value,
        { materialized: { name: 'sum', store: 'memory' } },
      )
      .toStream()
      .to('out');
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('in', string(), long()).pipeKeyValueList([
      ['a', 5, 1],
      ['b', 7, 2],
      ['a', 6, 3],
      ['b', null, 4],
    ]);
    const sums = driver.createOutputTopic('out', string(), long()).readValuesToList();
    expect(sums).toEqual([5, 12, 13, 6]);
    await driver.close();
  });

  test('aggregates objects through a serde of their own', async () => {
    const out = await through(
      (b) =>
        b
          .stream('in', strings)
          .groupByKey()
          .aggregate(
            () => ({ n: 0, last: '' }),
            (_key, value, { n }) => ({ n: n + 1, last: value }),
            { value: json<{ n: number; last: string }>(), materialized: { name: 'agg', store: 'memory' } },
          )
          .toStream()
          .mapValues((aggregate) => aggregate.n)
          .to('out', { value: long() }),
      [
        ['a', 'x', 1],
        ['a', 'y', 2],
      ],
      long() as Serde<unknown>,
    );
    expect(out).toEqual(['a=1@1', 'a=2@2']);
  });
});

describe('processors', () => {
  class Numbering implements Processor<string, string, string, string> {
    #context!: ProcessorContext<string, string>;
    #store!: KeyValueStore<string, number>;
    init(context: ProcessorContext<string, string>): void {
      this.#context = context;
      this.#store = context.getStateStore('n');
    }
    process(record: Record<string, string>): void {
      const count = (this.#store.get(record.key) ?? 0) + 1;
      this.#store.put(record.key, count);
      this.#context.forward(record.withValue(`${record.value}#${count}`));
    }
  }
  const numbers = Stores.keyValueStoreBuilder({ name: 'n', key: string(), value: long(), store: 'memory' });

  test('bring their stores along', async () => {
    const out = await through(
      (b) =>
        b
          .stream('in', strings)
          .process({ get: () => new Numbering(), stores: () => [numbers] })
          .to('out', strings),
      [
        ['a', 'x', 1],
        ['a', 'y', 2],
      ],
    );
    expect(out).toEqual(['a="x#1"@1', 'a="y#2"@2']);
  });

  test('use stores that the builder added', async () => {
    const out = await through(
      (b) =>
        b
          .addStateStore(numbers)
          .stream('in', strings)
          .processValues(() => new Numbering(), { stores: ['n'] })
          .to('out', { value: string() }),
      [['a', 'x', 1]],
    );
    expect(out).toEqual(['a="x#1"@1']);
  });

  test('processValues refuses another key', async () => {
    class Rekeying implements Processor<string, string, string, string> {
      #context!: ProcessorContext<string, string>;
      init(context: ProcessorContext<string, string>): void {
        this.#context = context;
      }
      process(record: Record<string, string>): void {
        this.#context.forward(new Record('other', record.value, record.timestamp));
      }
    }
    const program = (b: StreamsBuilder) =>
      b
        .stream('in', strings)
        .processValues(() => new Rekeying())
        .to('out', { value: string() });
    await expect(through(program, [['a', 'x', 1]])).rejects.toThrow();
  });
});

describe('building', () => {
  test.each<[string, (builder: StreamsBuilder) => unknown, RegExp]>([
    [
      'a sink with an unknown value serde',
      (b) =>
        b
          .stream('in', strings)
          .mapValues((v) => v.length)
          .to('out'),
      /to\('out'\) needs a value serde.*pass \{ value/,
    ],
    [
      'a count with an unknown key serde',
      (b) =>
        b
          .stream('in', strings)
          .selectKey((k) => k)
          .groupByKey()
          .count(),
      /count needs a key serde/,
    ],
    [
      'an aggregate without a serde',
      (b) =>
        b
          .stream('in', strings)
          .groupByKey()
          .aggregate(
            () => 0,
            () => 1,
          ),
      /aggregate needs a value serde/,
    ],
    [
      'a topic read as stream and table',
      (b) => [b.stream('in', strings), b.table('in', strings), b.build()],
      /Topic in is read by/,
    ],
    [
      'two serdes for one topic',
      (b) => [b.stream('in', strings), b.stream('in', { key: string(), value: long() }), b.build()],
      /different serdes/,
    ],
    [
      'retention for a table',
      (b) => [b.table('in', { ...strings, materialized: { name: 's', retentionMs: 5 } }), b.build()],
      /retentionMs is for window stores/,
    ],
  ])('refuses %s', (_what, program, message) => {
    const build = () => program(new StreamsBuilder());
    expect(build).toThrow(TopologyError);
    expect(build).toThrow(message);
  });

  test('shares one source between streams of the same topic', async () => {
    const builder = new StreamsBuilder();
    builder.stream('in', strings).to('o1');
    builder.stream('in', strings).to('o2');
    expect(builder.build().resolve('app').subTopologies).toHaveLength(1);
  });

  test('answers a new topology each time', () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .groupByKey()
      .count({ materialized: { name: 'c' } });
    expect(String(builder.build().describe())).toBe(String(builder.build().describe()));
  });
});
