import { describe, expect, test } from 'vitest';
import {
  type KTable,
  Stores,
  StreamsBuilder,
  string,
  TopologyError,
  type ValueTransformer,
  type ValueTransformerContext,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };
const memory = { materialized: { store: 'memory' as const } };

function driverOf(builder: StreamsBuilder): TopologyTestDriver {
  return new TopologyTestDriver(builder.build(), { applicationId: 'app' });
}

function tables(builder: StreamsBuilder): [KTable<string, string>, KTable<string, string>] {
  return [builder.table('left', { ...strings, ...memory }), builder.table('right', { ...strings, ...memory })];
}

describe('a join of tables', () => {
  test('has the later of both timestamps, whichever side changes', async () => {
    const builder = new StreamsBuilder();
    const [left, right] = tables(builder);
    left
      .join(right, (a, b) => a + b)
      .toStream()
      .to('out', strings);
    const driver = driverOf(builder);
    const output = driver.createOutputTopic('out', string(), string());
    driver.createInputTopic('left', string(), string()).pipeInput('k', 'l', 20);
    driver.createInputTopic('right', string(), string()).pipeInput('k', 'r', 10);
    expect(output.readRecord()).toMatchObject({ value: 'lr', timestampMs: 20 });
    driver.createInputTopic('right', string(), string()).pipeInput('k', 's', 30);
    expect(output.readRecord()).toMatchObject({ value: 'ls', timestampMs: 30 });
    await driver.close();
  });

  test('answers a null of the joiner as a deletion', async () => {
    const builder = new StreamsBuilder();
    const [left, right] = tables(builder);
    left
      .join(right, (a, b) => (b === 'r' ? a : (null as unknown as string)), {
        materialized: { ...strings, name: 'kept', store: 'memory' },
      })
      .toStream()
      .to('out', strings);
    const driver = driverOf(builder);
    driver.createInputTopic('left', string(), string()).pipeInput('k', 'l', 1);
    const rights = driver.createInputTopic('right', string(), string());
    rights.pipeInput('k', 'r', 2);
    expect(driver.getTimestampedKeyValueStore('kept').get('k')).toMatchObject({ value: 'l', timestampMs: 2 });
    rights.pipeInput('k', 'other', 3);
    expect(driver.getKeyValueStore('kept').get('k')).toBeUndefined();
    expect(driver.createOutputTopic('out', string(), string()).readValuesToList()).toEqual(['l', null]);
    await driver.close();
  });

  test('needs a value serde to be kept, and says where to give it', () => {
    const [left, right] = tables(new StreamsBuilder());
    expect(() => left.join(right, (a, b) => a + b, { materialized: { name: 'kept' } })).toThrow(TopologyError);
    expect(() => left.join(right, (a, b) => a + b, { materialized: { name: 'kept' } })).toThrow(
      /materialized join 'kept' needs a value serde/,
    );
  });

  test('names its store for queries', () => {
    const [left, right] = tables(new StreamsBuilder());
    const join = (name: string | undefined) =>
      left.join(right, (a, b) => a + b, { materialized: { ...strings, name } }).queryableStoreName;
    expect(join('kept')).toBe('kept');
    expect(join(undefined)).toBe('KTABLE-MERGE-STATE-STORE-0000000009');
    expect(left.join(right, (a, b) => a + b).queryableStoreName).toBeUndefined();
  });
});

describe('transformValues', () => {
  test('sees deletions and has stores, but nothing to forward with', async () => {
    const seen: (string | null)[] = [];
    const refused: unknown[] = [];
    class Transformer implements ValueTransformer<string, string, string> {
      #context!: ValueTransformerContext;
      init(context: ValueTransformerContext): void {
        this.#context = context;
      }
      transform(key: string, value: string | null): string | undefined {
        seen.push(value);
        const store = this.#context.getStateStore<{ put(key: string, value: string): void }>('mine');
        store.put(key, value ?? 'gone');
        try {
          (this.#context as unknown as { forward(record: unknown): void }).forward(undefined);
        } catch (error) {
          refused.push((error as Error).message);
        }
        return value === null ? undefined : `${value}@${this.#context.recordMetadata()?.offset}`;
      }
    }
    const builder = new StreamsBuilder();
    builder.addStateStore(Stores.keyValueStoreBuilder({ name: 'mine', ...strings, store: 'memory' }));
    builder
      .table('in', { ...strings, ...memory })
      .transformValues(() => new Transformer(), { stores: ['mine'], name: 'tv' })
      .toStream()
      .to('out', strings);
    const driver = driverOf(builder);
    const input = driver.createInputTopic('in', string(), string());
    input.pipeInput('k', 'v', 1);
    input.pipeInput('k', null, 2);
    expect(seen).toEqual(['v', null]);
    expect(refused[0]).toMatch(/tv: a value transformer can't forward/);
    expect(driver.getKeyValueStore('mine').get('k')).toBe('gone');
    expect(driver.createOutputTopic('out', string(), string()).readValuesToList()).toEqual(['v@0', null]);
    await driver.close();
  });

  test('answers look-ups of operations below by transforming again, without a record', async () => {
    const offsets: (number | undefined)[] = [];
    let closed = 0;
    const make = (): ValueTransformer<string, string, string> => {
      let context: ValueTransformerContext;
      return {
        init(given) {
          context = given;
        },
        transform(_key, value) {
          offsets.push(context.recordMetadata()?.offset);
          return value === null ? null : `${value}!`;
        },
        close() {
          closed += 1;
        },
      };
    };
    const builder = new StreamsBuilder();
    const [left, right] = tables(builder);
    left
      .join(right.transformValues({ get: make }), (a, b) => a + b)
      .toStream()
      .to('out', strings);
    const driver = driverOf(builder);
    driver.createInputTopic('right', string(), string()).pipeInput('k', 'r', 1);
    driver.createInputTopic('left', string(), string()).pipeInput('k', 'l', 2);
    expect(driver.createOutputTopic('out', string(), string()).readValuesToList()).toEqual(['lr!']);
    expect(offsets).toEqual([0, undefined]);
    await driver.close();
    // That of the table, and that of the side of the join which looks into it.
    expect(closed).toBe(2);
  });
});

test('toStream with a selector rekeys, so that grouping repartitions', () => {
  const builder = new StreamsBuilder();
  builder
    .table('in', { ...strings, ...memory })
    .toStream((_key, value) => value, { name: 'updates' })
    .groupByKey({ ...strings, name: 'by-value' })
    .count();
  const text = String(builder.build().describe());
  expect(text).toMatch(/Processor: updates/);
  expect(text).toMatch(/topic: by-value-repartition/);
});
