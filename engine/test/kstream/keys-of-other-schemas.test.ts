import { describe, expect, it } from 'vitest';
import { avro, long, MemorySchemaRegistry, StreamsBuilder, string } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

interface Key {
  readonly id: string;
}

/** Two versions of one key schema: the newer one says more about it, and writes the same after another schema id. */
function versions() {
  const registry = new MemorySchemaRegistry();
  const fields = [{ name: 'id', type: 'string' }];
  const older = avro<Key>({ type: 'record', name: 'Key', fields }, { registry });
  const newer = avro<Key>({ type: 'record', name: 'Key', doc: 'A chip', fields }, { registry });
  return { older, newer };
}

describe('a key that somebody wrote with another version of its schema', () => {
  it('is the same key of a table', async () => {
    const { older, newer } = versions();
    const builder = new StreamsBuilder();
    const table = builder.table('table', {
      key: newer,
      value: string(),
      materialized: { name: 'table', store: 'memory' },
    });
    builder
      .stream('asked', { key: newer, value: string() })
      .leftJoin(table, (question, answer) => `${question}:${answer}`)
      .to('out', { key: newer, value: string() });
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app', statestoreCacheMaxBytes: 0 });
    driver.createInputTopic('table', older, string()).pipeInput({ id: 'a' }, 'old', 1);
    driver.createInputTopic('table', newer, string()).pipeInput({ id: 'a' }, 'new', 2);
    driver.createInputTopic('asked', older, string()).pipeInput({ id: 'a' }, 'q', 3);
    driver.createInputTopic('asked', newer, string()).pipeInput({ id: 'a' }, 'q', 4);
    const [first, second] = driver.readRaw('out');
    expect([first, second].map((record) => String(record?.value))).toEqual(['q:new', 'q:new']);
    // A sink chooses the partition by the key's bytes: they are the same, too.
    expect(first?.key).toEqual(second?.key);
    expect(new Set(driver.readChangelog('app-table-changelog').map(({ key }) => key?.toString('hex'))).size).toBe(1);
    expect([...driver.getKeyValueStore<Key, string>('table').all()]).toHaveLength(1);
    await driver.close();
  });

  it('is counted with the others', async () => {
    const { older, newer } = versions();
    const builder = new StreamsBuilder();
    builder
      .stream('in', { key: newer, value: string() })
      .groupByKey()
      .count({ materialized: { name: 'counts', store: 'memory' } })
      .toStream()
      .to('out', { key: newer, value: long() });
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app', statestoreCacheMaxBytes: 0 });
    for (const serde of [older, newer, older]) {
      driver.createInputTopic('in', serde, string()).pipeInput({ id: 'a' }, 'x', 1);
    }
    const counts = driver.createOutputTopic('out', newer, long()).readValuesToList();
    expect(counts).toEqual([1, 2, 3]);
    await driver.close();
  });

  it('leaves a sink as the bytes it came in where its version is ours', async () => {
    const { newer } = versions();
    const builder = new StreamsBuilder();
    builder.stream('in', { key: newer, value: string() }).to('out');
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('in', newer, string()).pipeInput({ id: 'a' }, 'x', 1);
    expect(driver.readRaw('out').map(({ key }) => key?.toString('hex'))).toEqual([
      newer.serialize({ id: 'a' }, 'in').toString('hex'),
    ]);
    await driver.close();
  });
});
