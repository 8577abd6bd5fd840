import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avro, json, MemorySchemaRegistry, type Serde, StreamsBuilder, string } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const record = (name: string, ...fields: unknown[]) => ({ type: 'record', name, fields });
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more });

/** Reads `payload`, written as `writer` says, by a serde of `reader`. */
function reading(writer: unknown, reader: unknown, payload: readonly number[]): unknown {
  const registry = new MemorySchemaRegistry();
  const id = registry.registerSync('t-value', JSON.stringify(writer));
  const bytes = Buffer.from([0, 0, 0, 0, id, ...payload]);
  return avro(reader as never, { registry }).deserialize(bytes, 0, bytes.length, 't');
}

describe('E4: damaged Avro in fields that the reader skips', () => {
  const ints = { type: 'array', items: 'int' };
  const intMap = { type: 'map', values: 'int' };
  const nested = { type: 'array', items: { type: 'map', values: ints } };

  it.each([
    ['an array, its block of negative length', ints, [0x01, 0x03]],
    ['a map, its block of negative length', intMap, [0x01, 0x03]],
    ['an array with more items than bytes', ints, [0xfe, 0xff, 0xff, 0xff, 0x0f, 0x02]],
    ['an array of nulls without end', { type: 'array', items: 'null' }, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a map with more entries than bytes', intMap, [0xfe, 0xff, 0xff, 0xff, 0x0f, 0x02]],
    ['a block that is longer than the record', ints, [0x01, 0x40]],
    ['an array of maps of arrays', nested, [0x02, 0x02, 0x02, 0x61, 0x01, 0x03]],
    ['an array inside a record inside a union', ['null', record('Inner', field('x', ints))], [0x02, 0x01, 0x03]],
  ])('%s is an error at once', (_name, type, payload) => {
    const writer = record('R', field('a', type), field('b', 'int'));
    const reader = record('R', field('b', 'int'));
    expect(() => reading(writer, reader, payload)).toThrow(/not a Avro R|schema id/);
  });

  it('whole blocks are skipped, with and without their length', () => {
    const writer = record('R', field('a', ints), field('m', intMap), field('b', 'int'));
    const reader = record('R', field('b', 'int'));
    const array = [0x04, 0x02, 0x04, 0x03, 0x04, 0x02, 0x04, 0x00];
    const map = [0x02, 0x02, 0x61, 0x02, 0x00];
    expect(reading(writer, reader, [...array, ...map, 0x0a])).toEqual({ b: 5 });
  });

  it('any bytes end, whatever they are', () => {
    const writer = record('R', field('a', nested), field('s', 'string'), field('b', 'int'));
    const reader = record('R', field('b', 'int'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
        try {
          reading(writer, reader, [...payload]);
        } catch (error) {
          expect((error as Error).message).toContain('schema id');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('E9: a schema that moved to another namespace', () => {
  it.each([
    [
      'of a record',
      { type: 'record', name: 'a.R', fields: [field('n', 'int')] },
      { type: 'record', name: 'b.R', fields: [field('n', 'int')] },
      [0x06],
      { n: 3 },
    ],
    [
      'of a nested enum',
      record('R', field('e', { type: 'enum', name: 'a.E', symbols: ['X', 'Y'] })),
      record('R', field('e', { type: 'enum', name: 'b.E', symbols: ['X', 'Y'] })),
      [0x02],
      { e: 'Y' },
    ],
    [
      'of a fixed',
      record('R', field('f', { type: 'fixed', name: 'a.F', size: 2 })),
      record('R', field('f', { type: 'fixed', name: 'b.F', size: 2 })),
      [1, 2],
      { f: Buffer.from([1, 2]) },
    ],
    [
      'of a record in a union',
      record('R', field('u', ['null', { type: 'record', name: 'a.I', fields: [field('n', 'int')] }])),
      record('R', field('u', ['null', { type: 'record', name: 'b.I', fields: [field('n', 'int')] }])),
      [0x02, 0x06],
      { u: { n: 3 } },
    ],
  ])('%s is read', (_name, writer, reader, payload, value) => {
    expect({ ...(reading(writer, reader, payload) as object) }).toEqual(value);
  });

  it('is not another one where full names tell two apart', () => {
    const inner = (name: string, type: string) => ({ type: 'record', name, fields: [field('v', type)] });
    const union = record('R', field('u', [inner('a.I', 'string'), inner('b.I', 'string')]));
    const read = reading(union, { ...union, doc: 'newer' }, [0x02, 0x02, 0x78]) as { u: object };
    expect(JSON.parse(JSON.stringify(read.u))).toEqual({ 'b.I': { v: 'x' } });
  });

  it('stays another one where the names themselves differ', () => {
    const named = (name: string) => ({ type: 'record', name, fields: [field('n', 'int')] });
    expect(() => reading(named('a.R'), named('a.S'), [0x06])).toThrow(/can't be read with ours/);
  });
});

describe('E10: serdes that are not the same', () => {
  const through = async (source: Serde<never>, sink: Serde<never>, input: Serde<never>, value: unknown) => {
    const builder = new StreamsBuilder();
    builder.stream('in', { key: string(), value: source }).to('out', { key: string(), value: sink });
    const driver = new TopologyTestDriver(builder.build(), {
      applicationId: 'app',
      deserializationExceptionHandler: () => 'continue',
    });
    driver.createInputTopic('in', string(), input).pipeInput('k', value as never, 0);
    const out = driver.readRaw('out');
    await driver.close();
    return out;
  };

  it('a logical type makes another schema: the sink writes its own id', async () => {
    const registry = new MemorySchemaRegistry();
    const plain = avro<number>('"long"', { registry });
    const millis = avro<number>({ type: 'long', logicalType: 'timestamp-millis' }, { registry });
    const [out] = await through(plain as never, millis as never, plain as never, 5);
    const id = registry.registerSync('out-value', JSON.stringify({ type: 'long', logicalType: 'timestamp-millis' }));
    expect(out?.value?.readUInt32BE(1)).toBe(id);
  });

  it('a check is asked on the way from a source straight to a sink', async () => {
    const checked = json<{ n: number }>({
      validate: (value) => {
        if (typeof (value as { n?: unknown }).n !== 'number') throw new Error('n is no number');
        return value as { n: number };
      },
    });
    expect(await through(checked as never, checked as never, string() as never, '{"n":"x"}')).toEqual([]);
    const [out] = await through(checked as never, checked as never, string() as never, '{"n": 1}');
    expect(out?.value?.toString()).toBe('{"n":1}');
    const other = json<{ n: number }>({ validate: (value) => ({ n: (value as { n: number }).n + 1 }) });
    const [converted] = await through(other as never, json() as never, string() as never, '{"n": 1}');
    expect(converted?.value?.toString()).toBe('{"n":2}');
  });
});
