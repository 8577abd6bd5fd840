import { describe, expect, test } from 'vitest';
import { avro, MemorySchemaRegistry, StreamsBuilder, string, TopologyError } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';
import { brokerOf, produceText, readAll, until } from '../support/memory-cluster-harness.ts';
import { clusterWith, streamsOn } from '../support/streams-harness.ts';

const strings = { key: string(), value: string() };
const memory = { materialized: { store: 'memory' as const } };
const pointsTo = (value: string): string | null => (value.startsWith('-') ? null : value.slice(0, 2));
const joiner = (left: string, right: string | null) => `${left}/${right}`;
/** A partitioner of the user's own: the digit at the end of the key. */
const lastDigit = (key: string, partitions: number) => Number(key.at(-1)) % partitions;

/** The newest value of each key of a topic. */
async function contentOf(cluster: Awaited<ReturnType<typeof clusterWith>>, topic: string) {
  const content = new Map<string, string>();
  for (const { key, value } of await readAll(brokerOf(cluster), topic)) {
    if (value === null) content.delete(String(key));
    else content.set(String(key), String(value));
  }
  return content;
}

describe('a foreign-key join over several partitions', () => {
  test.each([
    ['by the hash of the foreign key', false],
    ['by partitioners of the user', true],
  ])('finds its way %s, and back to where the left entry lies', async (_how, custom) => {
    const widths = { left: 3, right: 5 };
    const cluster = await clusterWith({ ...widths, out: 1 });
    const broker = brokerOf(cluster);
    const builder = new StreamsBuilder();
    const left = builder.table('left', { ...strings, ...memory });
    const right = builder.table('right', { ...strings, ...memory });
    const options = {
      name: 'fk',
      materialized: { ...strings, name: 'result', store: 'memory' as const },
      ...(custom
        ? {
            partitioner: (_topic: string, key: string, _none: null, count: number) => lastDigit(key, count),
            otherPartitioner: (_topic: string, key: string, _none: null, count: number) => [lastDigit(key, count)],
          }
        : {}),
    };
    left.leftJoin(right, pointsTo, joiner, options).toStream().to('out', strings);
    await streamsOn(broker, builder.build()).start();
    const send = (topic: 'left' | 'right', key: string, value: string | null, partition: number) =>
      produceText(broker, topic, partition, [[key, value]]);
    // Left entries never lie where a hash would put them: answers go back to the partition that asked.
    const leftAt = (key: string) => lastDigit(key, widths.left);
    const producer = custom ? lastDigit : await hashOf(widths.right);
    const rightAt = (key: string) => producer(key, widths.right);

    for (const key of ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'])
      await send('left', key, `f${key.at(-1)}:${key}`, leftAt(key));
    for (const key of ['f0', 'f1', 'f2', 'f3']) await send('right', key, key.toUpperCase(), rightAt(key));
    const expected = new Map([
      ['k0', 'f0:k0/F0'],
      ['k1', 'f1:k1/F1'],
      ['k2', 'f2:k2/F2'],
      ['k3', 'f3:k3/F3'],
      ['k4', 'f4:k4/null'],
      ['k5', 'f5:k5/null'],
    ]);
    const settles = async (what: string) => {
      await until(async () => {
        const content = await contentOf(cluster, 'out');
        return content.size === expected.size && [...expected].every(([key, value]) => content.get(key) === value);
      }, what);
    };
    await settles('all results');

    await send('left', 'k0', '-gone', leftAt('k0'));
    expected.set('k0', '-gone/null');
    await send('left', 'k1', null, leftAt('k1'));
    expected.delete('k1');
    await send('left', 'k2', 'f3:moved', leftAt('k2'));
    expected.set('k2', 'f3:moved/F3');
    await settles('moved entries');
    await send('right', 'f3', 'changed', rightAt('f3'));
    expected.set('k2', 'f3:moved/changed').set('k3', 'f3:k3/changed');
    await send('right', 'f2', 'nobody asks', rightAt('f2'));
    await send('right', 'f1', null, rightAt('f1'));
    await settles('changed foreign values');
  });
});

/** Kafka's default partitioner. */
async function hashOf(_partitions: number): Promise<(key: string, partitions: number) => number> {
  const { partitionForBytes } = await import('../../src/broker/partitioner.ts');
  return (key, partitions) => {
    const bytes = Buffer.from(key);
    return partitionForBytes(bytes, 0, bytes.length, partitions);
  };
}

describe('a foreign-key join', () => {
  test('hands the key to an extractor that wants it', async () => {
    const builder = new StreamsBuilder();
    builder
      .table('left', { ...strings, ...memory })
      .join(builder.table('right', { ...strings, ...memory }), (_value, key) => key.slice(1), joiner)
      .toStream()
      .to('out', strings);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('right', string(), string()).pipeInput('f', 'R', 9);
    driver.createInputTopic('left', string(), string()).pipeInput('kf', 'L', 5);
    const output = driver.createOutputTopic('out', string(), string());
    expect(output.readRecordsToList()).toMatchObject([{ key: 'kf', value: 'L/R', timestampMs: 9 }]);
    await driver.close();
  });

  test('drops the answer to a left value that has changed since', async () => {
    const builder = new StreamsBuilder();
    const left = builder.table('left', { ...strings, ...memory });
    left
      .join(builder.table('right', { ...strings, ...memory }), pointsTo, joiner, { name: 'fk' })
      .toStream()
      .to('out', strings);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('left', string(), string()).pipeInput('k', 'f1:new', 1);
    const answers = driver.createInputTopic('app-fk-subscription-response-topic', string(), string());
    const ofOldValue = Buffer.concat([Buffer.alloc(17), Buffer.from('R')]);
    answers.pipeRaw(Buffer.from('k'), ofOldValue, 2);
    expect(driver.createOutputTopic('out', string(), string()).isEmpty).toBe(true);
    await driver.close();
  });

  test('keeps headers of the left record on the way there and back', async () => {
    const builder = new StreamsBuilder();
    const left = builder.table('left', { ...strings, ...memory });
    left
      .leftJoin(builder.table('right', { ...strings, ...memory }), pointsTo, joiner)
      .toStream()
      .to('out', strings);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver
      .createInputTopic('left', string(), string())
      .pipeInput('k', 'f1:v', 1, [{ key: 'h', value: Buffer.from('1') }]);
    const [record] = driver.createOutputTopic('out', string(), string()).readRecordsToList();
    expect(record?.headers.lastHeader('h')?.value?.toString()).toBe('1');
    await driver.close();
  });

  test('works with schemas from a registry, which learns them under the names that Kafka Streams uses', async () => {
    const registry = new MemorySchemaRegistry();
    const keys = avro<{ id: string }>(
      { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] },
      { registry },
    );
    const values = avro<{ to: string }>(
      { type: 'record', name: 'Left', fields: [{ name: 'to', type: 'string' }] },
      { registry },
    );
    const builder = new StreamsBuilder();
    builder
      .table('left', { key: string(), value: values, ...memory })
      .join(
        builder.table('right', { key: keys, value: string(), ...memory }),
        (value) => ({ id: value.to }),
        (left, right) => `${left.to}/${right}`,
        { name: 'fk' },
      )
      .toStream()
      .to('out', strings);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    const lefts = driver.createInputTopic('left', string(), values);
    const rights = driver.createInputTopic('right', keys, string());
    lefts.pipeInput('k1', { to: 'r1' }, 1);
    rights.pipeInput({ id: 'r1' }, 'R', 2);
    lefts.pipeInput('k2', { to: 'r1' }, 3);
    lefts.pipeInput('k1', { to: 'none' }, 4);
    const output = driver.createOutputTopic('out', string(), string());
    expect(output.readKeyValuesToList()).toEqual([
      { key: 'k1', value: 'r1/R' },
      { key: 'k2', value: 'r1/R' },
      { key: 'k1', value: null },
    ]);
    const topic = 'app-fk-subscription-registration-topic';
    expect(await registry.versions(`${topic}-vh-value`)).toHaveLength(1);
    await driver.close();
  });

  test('needs serdes of both tables, and says where to give them', () => {
    const builder = new StreamsBuilder();
    const left = builder.table('left', strings);
    const right = builder.table('right', strings);
    expect(() => left.mapValues((value) => value).join(right, pointsTo, joiner)).toThrow(TopologyError);
    expect(() => left.mapValues((value) => value).join(right, pointsTo, joiner)).toThrow(
      /value serde of the left table.*materialized: \{ value/,
    );
    expect(() =>
      left.join(
        right.mapValues((value) => value),
        pointsTo,
        joiner,
      ),
    ).toThrow(/value serde of the right/);
  });

  test('refuses to keep a result without a value serde', () => {
    const builder = new StreamsBuilder();
    const result = builder
      .table('left', strings)
      .join(builder.table('right', strings), pointsTo, joiner, { materialized: { name: 'kept' } });
    expect(result.queryableStoreName).toBe('kept');
    expect(() => builder.build()).toThrow(/Table store kept needs a value serde/);
  });

  test('refuses a name twice', () => {
    const builder = new StreamsBuilder();
    const left = builder.table('left', strings);
    const right = builder.table('right', strings);
    left.join(right, pointsTo, joiner, { name: 'fk' });
    left.join(right, pointsTo, joiner, { name: 'fk' });
    expect(() => builder.build()).toThrow(/fk-subscription-registration-topic exists already/);
  });

  test('refuses a partitioner that answers several partitions', async () => {
    const builder = new StreamsBuilder();
    const left = builder.table('left', { ...strings, ...memory });
    left
      .join(builder.table('right', { ...strings, ...memory }), pointsTo, joiner, { otherPartitioner: () => [0, 0] })
      .toStream()
      .to('out', strings);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    expect(() => driver.createInputTopic('left', string(), string()).pipeInput('k', 'f1:v', 1)).toThrow(
      /must answer one/,
    );
    await driver.close().catch(() => {});
  });
});
