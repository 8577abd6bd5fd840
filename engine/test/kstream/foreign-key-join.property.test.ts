import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KTable, StreamsBuilder, string } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };
type Content = Map<string, string>;

interface Input {
  readonly topic: 'left' | 'right';
  readonly key: string;
  readonly value: string | null;
  readonly timestampMs: number;
  /** How often it comes. */
  readonly times: number;
}

const leftInput: fc.Arbitrary<Input> = fc.record({
  topic: fc.constant('left' as const),
  key: fc.constantFrom('a', 'b', 'ab', ''),
  // The foreign key and a text; '-' points nowhere, 'z' to what never is.
  value: fc.option(
    fc.tuple(fc.constantFrom('x', 'y', 'xy', 'z', '-'), fc.constantFrom('1', '2')).map((parts) => parts.join(':')),
    { freq: 5 },
  ),
  timestampMs: fc.integer({ min: 0, max: 50 }),
  times: fc.constantFrom(1, 1, 1, 2, 3),
});
const rightInput: fc.Arbitrary<Input> = fc.record({
  topic: fc.constant('right' as const),
  key: fc.constantFrom('x', 'y', 'xy'),
  value: fc.option(fc.constantFrom('1', '2', '3'), { freq: 4 }),
  timestampMs: fc.integer({ min: 0, max: 50 }),
  times: fc.constantFrom(1, 1, 1, 2, 3),
});

const pointsTo = (value: string): string | null => (value.startsWith('-') ? null : value.slice(0, value.indexOf(':')));
const joiner = (left: string, right: string | null) => `${left}/${right}`;

/** The join of two whole tables. */
function joined(left: Content, right: Content, keepsLeft: boolean): Content {
  const result: Content = new Map();
  for (const [key, value] of left) {
    const found = right.get(pointsTo(value) ?? '') ?? null;
    if (found !== null || keepsLeft) result.set(key, joiner(value, found));
  }
  return result;
}

function put(content: Content, key: string, value: string | null): void {
  if (value === null) content.delete(key);
  else content.set(key, value);
}

describe.each([false, true])('a foreign-key join (left: %s)', (keepsLeft) => {
  test.each([true, false])('has for each entry what it points to, after each record (kept: %s)', async (kept) => {
    const builder = new StreamsBuilder();
    const left: KTable<string, string> = builder.table('left', { ...strings, materialized: { store: 'memory' } });
    const right = builder.table('right', { ...strings, materialized: { store: 'memory' } });
    const options = {
      name: 'fk',
      materialized: { ...strings, store: 'memory' as const, ...(kept ? { name: 'result' } : {}) },
    };
    const result = keepsLeft
      ? left.leftJoin(right, pointsTo, joiner, options)
      : left.join(right, pointsTo, joiner, options);
    result.toStream().to('out', strings);
    const topology = builder.build();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(leftInput, rightInput), { maxLength: 40 }), async (inputs) => {
        const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
        const contents = { left: new Map(), right: new Map() };
        const seen: Content = new Map();
        try {
          for (const { topic, key, value, timestampMs, times } of inputs) {
            for (let i = 0; i < times; i += 1) {
              driver.createInputTopic(topic, string(), string()).pipeInput(key, value, timestampMs);
            }
            put(contents[topic], key, value);
            const out = driver.createOutputTopic('out', string(), string());
            for (const each of out.readRecordsToList()) put(seen, each.key, each.value as string | null);
            expect(seen).toEqual(joined(contents.left, contents.right, keepsLeft));
          }
          if (kept) {
            const entries = [...driver.getTimestampedKeyValueStore<string, string>('result').all()];
            expect(new Map(entries.map((entry) => [entry.key, entry.value.value]))).toEqual(seen);
          }
        } finally {
          await driver.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
