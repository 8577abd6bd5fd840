import { describe, expect, it } from 'vitest';
import {
  avro,
  BufferConfig,
  double,
  JoinWindows,
  json,
  long,
  MemorySchemaRegistry,
  type Serde,
  StreamsBuilder,
  type StreamsOptions,
  Suppressed,
  string,
  TimeWindows,
  uuid,
  windowed,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

// What gets into state can be read again, and has one form: rows E2, E3, E5, E6 and E12 of the faults that users reported.

const memory = (name: string) => ({ materialized: { name, store: 'memory' as const } });
const text = (buffer: Buffer | null | undefined) => buffer?.toString() ?? null;

function driverOf(builder: StreamsBuilder, options: Partial<StreamsOptions> = {}): TopologyTestDriver {
  return new TopologyTestDriver(builder.build(), {
    applicationId: 'app',
    statestoreCacheMaxBytes: 0,
    deserializationExceptionHandler: () => 'continue',
    deadLetterQueueTopicName: 'dlq',
    ...options,
  });
}

const dropped = (driver: TopologyTestDriver): number =>
  driver
    .metrics()
    .filter(({ name }) => name === 'dropped-records-total')
    .reduce((sum, { value }) => sum + value, 0);

describe('E2: bytes that cannot be decoded', () => {
  for (const cacheBytes of [0, 1_000_000]) {
    it(`are dropped where a table reads them, with caches of ${cacheBytes} bytes`, async () => {
      const builder = new StreamsBuilder();
      const table = builder.table('table', { key: string(), value: json<{ n: number }>(), ...memory('t') });
      builder
        .stream('in', { key: string(), value: string() })
        .join(table, (left, right) => `${left}:${right.n}`)
        .to('out', { key: string(), value: string() });
      const driver = driverOf(builder, { statestoreCacheMaxBytes: cacheBytes });
      const rows = driver.createInputTopic('table', string(), string());
      rows.pipeInput('a', '{"n":1}', 0);
      rows.pipeInput('b', 'not json', 0);
      const questions = driver.createInputTopic('in', string(), string());
      questions.pipeInput('b', '20', 1);
      questions.pipeInput('a', '10', 2);
      expect(driver.readRaw('out').map(({ value }) => text(value))).toEqual(['10:1']);
      expect(driver.readRaw('dlq').map(({ value }) => text(value))).toEqual(['not json']);
      expect(dropped(driver)).toBe(1);
      expect(driver.readChangelog('app-t-changelog').map(({ key }) => text(key))).toEqual(['a']);
      await driver.close();
    });
  }

  it('do not enter as keys: a store can be walked after them', async () => {
    const builder = new StreamsBuilder();
    builder.stream('in', { key: long(), value: string() }).groupByKey().count(memory('counts'));
    builder.table('table', { key: long(), value: string(), ...memory('t') });
    const driver = driverOf(builder);
    for (const topic of ['in', 'table']) {
      const input = driver.createInputTopic(topic, long(), string());
      input.pipeInput(7, 'x', 0);
      input.pipeRaw(Buffer.from([1, 2, 3]), Buffer.from('x'), 0);
    }
    expect([...driver.getKeyValueStore<number, number>('counts').all()].map(({ key }) => key)).toEqual([7]);
    expect([...driver.getKeyValueStore<number, string>('t').all()].map(({ key }) => key)).toEqual([7]);
    expect(driver.readRaw('dlq')).toHaveLength(2);
    await driver.close();
  });

  it('do not enter global tables', async () => {
    const builder = new StreamsBuilder();
    const global = builder.globalTable('rates', { key: string(), value: json<number>(), ...memory('rates') });
    builder
      .stream('in', { key: string(), value: string() })
      .join(
        global,
        (key) => key,
        (left, right) => `${left}:${right}`,
      )
      .to('out', { key: string(), value: string() });
    const driver = driverOf(builder);
    const rates = driver.createInputTopic('rates', string(), string());
    rates.pipeInput('a', '1', 0);
    rates.pipeInput('b', 'x1', 0);
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('b', 'q', 1);
    input.pipeInput('a', 'q', 1);
    expect(driver.readRaw('out').map(({ value }) => text(value))).toEqual(['q:1']);
    expect(driver.readRaw('dlq')).toEqual([]);
    await driver.close();
  });

  it('do not become the first value of a reduce', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: string(), value: json<number>() })
      .groupByKey()
      .reduce((sum, value) => sum + value, memory('sums'))
      .toStream()
      .to('out', { key: string(), value: json() });
    const driver = driverOf(builder);
    const input = driver.createInputTopic('in', string(), string());
    for (const value of ['no', '2', '3']) input.pipeInput('a', value, 0);
    expect(driver.readRaw('out').map(({ value }) => text(value))).toEqual(['2', '5']);
    expect(driver.readRaw('dlq').map(({ value }) => text(value))).toEqual(['no']);
    await driver.close();
  });

  it('meet no partner in a join of streams, whichever side they come from', async () => {
    const builder = new StreamsBuilder();
    const source = { key: string(), value: json<number>() };
    builder
      .stream('left', source)
      .outerJoin(
        builder.stream('right', source),
        (left, right) => `${left}:${right}`,
        JoinWindows.ofTimeDifferenceWithNoGrace(100),
        { key: string(), value: json<number>(), otherValue: json<number>(), store: 'memory' },
      )
      .to('out', { key: string(), value: string() });
    const driver = driverOf(builder);
    const left = driver.createInputTopic('left', string(), string());
    const right = driver.createInputTopic('right', string(), string());
    left.pipeInput('a', 'bad', 0);
    right.pipeInput('a', '1', 1);
    right.pipeInput('a', 'worse', 2);
    left.pipeInput('a', '2', 3);
    left.pipeInput('z', '0', 10_000);
    driver.advanceWallClockTimeMs(2_000);
    right.pipeInput('y', '9', 20_000);
    expect(driver.readRaw('out').map(({ value }) => text(value))).toEqual(['2:1', '0:null']);
    expect(driver.readRaw('dlq').map(({ value }) => text(value))).toEqual(['bad', 'worse']);
    await driver.close();
  });

  it('are told at either side of a foreign-key join', async () => {
    const builder = new StreamsBuilder();
    const left = builder.table('left', { key: string(), value: json<{ fk: string }>() });
    const right = builder.table('right', { key: string(), value: json<number>() });
    left
      .join(
        right,
        ({ fk }) => fk,
        (l, r) => `${l.fk}:${r}`,
      )
      .toStream()
      .to('out', { key: string(), value: string() });
    const driver = driverOf(builder);
    const lefts = driver.createInputTopic('left', string(), string());
    const rights = driver.createInputTopic('right', string(), string());
    lefts.pipeInput('k', '{"fk":"f"}', 0);
    rights.pipeInput('f', '{', 1);
    lefts.pipeInput('k2', '{', 2);
    rights.pipeInput('f', '5', 3);
    expect(driver.readRaw('out').map(({ value }) => text(value))).toEqual(['f:5']);
    expect(driver.readRaw('dlq').map(({ value }) => text(value))).toEqual(['{', '{']);
    await driver.close();
  });

  it('are not held back by suppress', async () => {
    const builder = new StreamsBuilder();
    builder
      .table('in', { key: string(), value: json<number>() })
      .suppress(Suppressed.untilTimeLimit(10, BufferConfig.maxRecords(100)))
      .toStream()
      .to('out', { key: string(), value: json() });
    const driver = driverOf(builder);
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('a', 'bad', 0);
    input.pipeInput('b', '1', 1);
    input.pipeInput('c', '2', 100);
    expect(driver.readRaw('out').map(({ value }) => text(value))).toEqual(['1']);
    expect(driver.readRaw('dlq').map(({ value }) => text(value))).toEqual(['bad']);
    await driver.close();
  });
});

describe('E3: Avro in state', () => {
  const versions = (registry: MemorySchemaRegistry) => {
    const fields = [{ name: 'n', type: 'int' }];
    const newer = [...fields, { name: 'note', type: 'string', default: '' }];
    return {
      v1: () => avro<{ n: number }>({ type: 'record', name: 'R', fields }, { registry }),
      v2: () => avro<{ n: number; note: string }>({ type: 'record', name: 'R', fields: newer }, { registry }),
    };
  };

  /** A registry that knows only what somebody asked for: what real ones do, behind a network. */
  class SlowRegistry extends MemorySchemaRegistry {
    override schemaByIdSync(): undefined {
      return undefined;
    }

    override async schemaById(id: number): Promise<string | undefined> {
      return super.schemaByIdSync(id);
    }
  }

  it('is in the schema of the store, so that another serde of that schema reads what one serde read', async () => {
    const registry = new MemorySchemaRegistry();
    const { v1, v2 } = versions(registry);
    const builder = new StreamsBuilder();
    builder.table('t', { key: string(), value: v2(), materialized: { name: 't', store: 'memory', value: v2() } });
    const driver = driverOf(builder);
    driver.createInputTopic('t', string(), v1()).pipeInput('k', { n: 3 }, 0);
    expect(driver.getKeyValueStore<string, { n: number; note: string }>('t').get('k')).toEqual({ n: 3, note: '' });
    const [change] = driver.readChangelog('app-t-changelog');
    const ownId = registry.registerSync('app-t-changelog-value', schemaTextOf(registry, v2()));
    expect(change?.value?.readUInt32BE(1)).toBe(ownId);
    await driver.close();
  });

  it('is written in the sink’s own schema id on its way through', async () => {
    const registry = new MemorySchemaRegistry();
    const { v1, v2 } = versions(registry);
    const builder = new StreamsBuilder();
    const value = v2();
    builder.stream('in', { key: string(), value }).to('out', { key: string(), value });
    const driver = driverOf(builder);
    driver.createInputTopic('in', string(), v1()).pipeInput('k', { n: 3 }, 0);
    const [record] = driver.readRaw('out');
    expect(record?.value?.readUInt32BE(1)).toBe(registry.registerSync('out-value', schemaTextOf(registry, v2())));
    await driver.close();
  });

  it('needs no registry for what this program wrote', async () => {
    const registry = new SlowRegistry();
    const { v2 } = versions(registry);
    const serde = v2();
    await serde.configure?.({ topic: 't', side: 'value', reads: false, writes: true });
    const bytes = serde.serialize({ n: 1, note: 'x' }, 't');
    expect(serde.deserialize(bytes, 0, bytes.length, 't')).toEqual({ n: 1, note: 'x' });
  });
});

/** The text under which a serde's schema is registered: the newest that was. */
function schemaTextOf(registry: MemorySchemaRegistry, serde: Serde<{ n: number; note: string }>): string {
  const bytes = serde.serialize({ n: 0, note: '' }, 'any');
  return registry.schemaByIdSync(bytes.readUInt32BE(1)) as string;
}

describe('E5: one key in two forms', () => {
  const small = '0d9f33a5-3d22-4c5b-9d2b-6a7e3d2a1f00';

  it('is one row: UUIDs in capitals and small', async () => {
    const builder = new StreamsBuilder();
    builder.stream('in', { key: uuid(), value: string() }).groupByKey().count(memory('counts'));
    const table = builder.table('table', { key: uuid(), value: string(), ...memory('t') });
    builder
      .stream('asked', { key: uuid(), value: string() })
      .join(table, (left, right) => `${left}:${right}`)
      .to('out', { key: uuid(), value: string() });
    const driver = driverOf(builder);
    const counted = driver.createInputTopic('in', string(), string());
    counted.pipeInput(small, 'x', 0);
    counted.pipeInput(small.toUpperCase(), 'x', 0);
    expect([...driver.getKeyValueStore<string, number>('counts').all()]).toEqual([{ key: small, value: 2 }]);
    const rows = driver.createInputTopic('table', string(), string());
    rows.pipeInput(small.toUpperCase(), 'row', 0);
    driver.createInputTopic('asked', string(), string()).pipeInput(small, 'q', 1);
    expect(driver.readRaw('out').map(({ key, value }) => [text(key), text(value)])).toEqual([[small, 'q:row']]);
    rows.pipeInput(small, null, 2);
    expect([...driver.getKeyValueStore<string, string>('t').all()]).toEqual([]);
    await driver.close();
  });

  it('is one row: JSON with and without blanks, inside windows too', async () => {
    const builder = new StreamsBuilder();
    const stream = builder.stream('in', { key: json<{ id: number }>(), value: string() });
    stream.groupByKey().count(memory('counts'));
    stream
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeWithNoGrace(1_000))
      .count(memory('windows'))
      .toStream()
      .to('out', { key: windowed(json<{ id: number }>(), 1_000), value: long() });
    const driver = driverOf(builder);
    const input = driver.createInputTopic('in', string(), string());
    for (const key of ['{"id":1}', '{"id": 1}', ' {"id":1} ']) input.pipeInput(key, 'x', 0);
    const counts = driver.getKeyValueStore<{ id: number }, number>('counts');
    expect([...counts.all()]).toEqual([{ key: { id: 1 }, value: 3 }]);
    expect(counts.get({ id: 1 })).toBe(3);
    const out = driver.readRaw('out');
    expect(out.map(({ value }) => Number(value?.readBigInt64BE()))).toEqual([1, 2, 3]);
    expect(new Set(out.map(({ key }) => key?.toString('hex'))).size).toBe(1);
    await driver.close();
  });

  it('is one row: text with bytes that are not UTF-8, as in Kafka Streams', async () => {
    const builder = new StreamsBuilder();
    builder.stream('in', { key: string(), value: string() }).groupByKey().count(memory('counts'));
    const driver = driverOf(builder);
    const input = driver.createInputTopic('in', string(), string());
    input.pipeRaw(Buffer.from([0x61, 0xff]), Buffer.from('x'), 0);
    input.pipeInput('a\ufffd', 'x', 0);
    expect([...driver.getKeyValueStore<string, number>('counts').all()]).toEqual([{ key: 'a\ufffd', value: 2 }]);
    await driver.close();
  });

  it('is written anew for a serde that says nothing of forms', async () => {
    const trimmed: Serde<string> = {
      format: 'trimmed',
      serialize: (value) => Buffer.from(value.trim()),
      deserialize: (buffer, start, end) => buffer.toString('utf8', start, end).trim(),
    };
    const builder = new StreamsBuilder();
    builder.stream('in', { key: trimmed, value: string() }).groupByKey().count(memory('counts'));
    const driver = driverOf(builder);
    const input = driver.createInputTopic('in', string(), string());
    for (const key of ['a', ' a', 'a ']) input.pipeInput(key, 'x', 0);
    expect([...driver.getKeyValueStore<string, number>('counts').all()]).toEqual([{ key: 'a', value: 3 }]);
    await driver.close();
  });
});

describe('E6: bytes that read as null', () => {
  it('delete a row of a table, are not counted, and join with nothing', async () => {
    const builder = new StreamsBuilder();
    const table = builder.table('table', { key: string(), value: json<{ a: number }>(), ...memory('t') });
    const stream = builder.stream('in', { key: string(), value: json<{ a: number }>() });
    stream.groupByKey().count(memory('counts'));
    stream.join(table, (left, right) => `${left.a}:${right.a}`).to('out', { key: string(), value: string() });
    const driver = driverOf(builder);
    const rows = driver.createInputTopic('table', string(), string());
    rows.pipeInput('k', '{"a":1}', 0);
    rows.pipeInput('k', ' null\n', 1);
    expect([...driver.getKeyValueStore<string, unknown>('t').all()]).toEqual([]);
    expect(driver.readChangelog('app-t-changelog').map(({ value }) => text(value))).toEqual(['{"a":1}', null]);
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('k', 'null', 2);
    input.pipeInput('k', '{"a":2}', 3);
    expect(driver.getKeyValueStore<string, number>('counts').get('k')).toBe(1);
    expect(driver.readRaw('out')).toEqual([]);
    await driver.close();
  });

  it('are a tombstone of the sink, and a key that is null has no row', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: json<string>(), value: json<number>() })
      .to('out', { key: json<string>(), value: json<number>() });
    builder.stream('keys', { key: json<string>(), value: string() }).groupByKey().count(memory('counts'));
    const driver = driverOf(builder);
    driver.createInputTopic('in', string(), string()).pipeInput('"k"', 'null', 0);
    driver.createInputTopic('keys', string(), string()).pipeInput('null', 'x', 0);
    expect(driver.readRaw('out').map(({ value }) => value)).toEqual([null]);
    expect([...driver.getKeyValueStore<string, number>('counts').all()]).toEqual([]);
    await driver.close();
  });

  it('are the null of an Avro union', async () => {
    const registry = new MemorySchemaRegistry();
    const maybe = avro<number | null>(['null', 'int'] as never, { registry });
    const builder = new StreamsBuilder();
    builder.table('table', { key: string(), value: maybe as Serde<number>, ...memory('t') });
    const driver = driverOf(builder);
    const id = registry.registerSync('table-value', JSON.stringify(['null', 'int']));
    const header = Buffer.from([0, 0, 0, 0, id]);
    const rows = driver.createInputTopic('table', string(), string());
    rows.pipeRaw(Buffer.from('k'), Buffer.concat([header, Buffer.from([2, 8])]), 0);
    expect(driver.getKeyValueStore<string, number>('t').get('k')).toBe(4);
    rows.pipeRaw(Buffer.from('k'), Buffer.concat([header, Buffer.from([0])]), 1);
    expect([...driver.getKeyValueStore<string, number>('t').all()]).toEqual([]);
    await driver.close();
  });

  it('are what a check makes of them', async () => {
    const builder = new StreamsBuilder();
    const value = json<number>({ validate: (parsed) => (parsed === null ? 0 : Number(parsed)) });
    builder.table('table', { key: string(), value, ...memory('t') });
    const driver = driverOf(builder);
    driver.createInputTopic('table', string(), string()).pipeInput('k', 'null', 0);
    expect(driver.getKeyValueStore<string, number>('t').get('k')).toBe(0);
    await driver.close();
  });
});

describe('E12: keys are equal where their bytes are', () => {
  it('0 and -0 are two groups', async () => {
    const builder = new StreamsBuilder();
    builder
      .table('in', { key: string(), value: json<readonly [string, number]>() })
      .groupBy((_key, [at, n]) => [Number(at), n], { key: double(), value: long() })
      .reduce(
        (sum, value) => sum + value,
        (sum, value) => sum - value,
        memory('sums'),
      );
    const driver = driverOf(builder);
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('a', '["0",5]', 0);
    input.pipeInput('b', '["-0",7]', 0);
    input.pipeInput('a', '["-0",5]', 0);
    const sums = driver.getKeyValueStore<number, number>('sums');
    // As Kafka Streams 4.3.1 has it.
    expect([sums.get(0), sums.get(-0)]).toEqual([0, 12]);
    await driver.close();
  });

  it('a foreign key that goes from 0 to -0 goes elsewhere', async () => {
    const builder = new StreamsBuilder();
    const right = builder.table('right', { key: double(), value: string() });
    builder
      .table('left', { key: string(), value: json<readonly [string]>() })
      .join(
        right,
        ([at]) => Number(at),
        ([at], name) => `${at}:${name}`,
      )
      .toStream()
      .to('out', { key: string(), value: string() });
    const driver = driverOf(builder);
    const rights = driver.createInputTopic('right', double(), string());
    rights.pipeInput(0, 'zero', 0);
    rights.pipeInput(-0, 'minus', 0);
    const lefts = driver.createInputTopic('left', string(), string());
    lefts.pipeInput('k', '["0"]', 1);
    lefts.pipeInput('k', '["-0"]', 2);
    expect(driver.readRaw('out').map(({ value }) => text(value))).toEqual(['0:zero', '-0:minus']);
    rights.pipeInput(0, 'nothing points here', 3);
    expect(driver.readRaw('out')).toEqual([]);
    await driver.close();
  });
});
