import { filter, map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type OffsetStoringSink, StreamsBuilder, string } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };

async function settled(program: (builder: StreamsBuilder) => void, keys: readonly string[]) {
  const builder = new StreamsBuilder();
  program(builder);
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
  try {
    const input = driver.createInputTopic('in', string(), string());
    for (const [index, key] of keys.entries()) input.pipeInput(key, `v${index}`, index);
    await driver.settle();
    const records = driver.createOutputTopic('out', string(), string()).readRecordsToList();
    return records.map((record) => `${record.key}=${record.value}@${record.timestampMs}`);
  } finally {
    await driver.close();
  }
}

describe('asynchronous operators of a stream', () => {
  test('mapAsync keeps keys, timestamps and order, and drops undefined', async () => {
    const out = await settled(
      (b) =>
        b
          .stream('in', strings)
          .mapAsync(async ({ key, value }) => (key === 'b' ? undefined : value.toUpperCase()), { concurrency: 2 })
          .to('out', { value: string() }),
      ['a', 'b', 'c'],
    );
    expect(out).toEqual(['a=V0@0', 'c=V2@2']);
  });

  test('microBatch hands over batches of the preferred sizes', async () => {
    const sizes: number[] = [];
    const out = await settled(
      (b) =>
        b
          .stream('in', strings)
          .microBatch({ preferredSizes: [2, 4], maxDelayMs: 5 }, async (items) => {
            sizes.push(items.length);
            return items.map(({ value }) => `${value}!`);
          })
          .to('out', { value: string() }),
      ['a', 'b', 'c', 'd', 'e', 'f'],
    );
    expect(out).toEqual(['a=v0!@0', 'b=v1!@1', 'c=v2!@2', 'd=v3!@3', 'e=v4!@4', 'f=v5!@5']);
    expect(sizes.every((size) => size === 2 || size === 4)).toBe(true);
  });

  test('pipe runs RxJS operators', async () => {
    const out = await settled(
      (b) =>
        b
          .stream('in', strings)
          .pipe(
            filter(({ key }) => key !== 'b'),
            map(({ key, value }) => ({ key: `${key}${key}`, value })),
          )
          .to('out', strings),
      ['a', 'b', 'c'],
    );
    expect(out.map((text) => text.split('@')[0])).toEqual(['aa=v0', 'cc=v2']);
  });

  test('toExternal hands records and positions to the sink', async () => {
    const written: string[] = [];
    const committed: number[] = [];
    const sink: OffsetStoringSink<string, string> = {
      open: async () => new Map(),
      write: (record, metadata) => void written.push(`${record.key}=${record.value}#${metadata.offset}`),
      isFull: false,
      commit: async (positions) => void committed.push(positions.get('in-0') as number),
      close: async () => {},
    };
    await settled((b) => b.stream('in', strings).toExternal(() => sink, { name: 'external' }), ['a', 'b']);
    expect(written).toEqual(['a=v0#0', 'b=v1#1']);
    expect(committed.at(-1)).toBe(2);
  });

  test('stand in the topology as processors', () => {
    const builder = new StreamsBuilder();
    builder
      .stream('in', strings)
      .mapAsync(async ({ value }) => value, { concurrency: 1, name: 'fetch' })
      .toExternal(() => undefined as never, { name: 'rows' });
    expect(String(builder.build().describe())).toBe(
      [
        'Topologies:',
        '   Sub-topology: 0',
        '    Source: KSTREAM-SOURCE-0000000000 (topics: [in])',
        '      --> fetch',
        '    Processor: fetch (stores: [])',
        '      --> rows',
        '      <-- KSTREAM-SOURCE-0000000000',
        '    Processor: rows (stores: [])',
        '      --> none',
        '      <-- fetch',
        '',
        '',
      ].join('\n'),
    );
  });
});
