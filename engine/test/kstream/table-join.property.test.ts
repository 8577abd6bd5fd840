import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KTable, StreamsBuilder, string } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };
const topics = ['left', 'right', 'third'] as const;
const kinds = ['inner', 'left', 'outer'] as const;
type Kind = (typeof kinds)[number];
type Texts = KTable<string, string>;
type Content = Map<string, string>;

interface Input {
  readonly topic: (typeof topics)[number];
  readonly key: string;
  readonly value: string | null;
  readonly timestampMs: number;
  /** How often it comes. */
  readonly times: number;
}

const input: fc.Arbitrary<Input> = fc.record({
  topic: fc.constantFrom(...topics),
  key: fc.constantFrom('a', 'b', 'c'),
  value: fc.option(fc.constantFrom('1', '2', '3'), { freq: 4 }),
  timestampMs: fc.integer({ min: 0, max: 50 }),
  times: fc.constantFrom(1, 1, 1, 2, 3),
});

const joiner = (left: string | null, right: string | null) => `(${left},${right})`;

function join(kind: Kind, left: Texts, right: Texts, name: string | undefined): Texts {
  const options = name === undefined ? {} : { materialized: { ...strings, name, store: 'memory' as const } };
  if (kind === 'inner') return left.join(right, joiner, options);
  return kind === 'left' ? left.leftJoin(right, joiner, options) : left.outerJoin(right, joiner, options);
}

/** The join of two whole tables. */
function joined(kind: Kind, left: Content, right: Content): Content {
  const keys = new Set([...left.keys(), ...(kind === 'outer' ? right.keys() : [])]);
  const result: Content = new Map();
  for (const key of keys) {
    if (kind === 'inner' && !right.has(key)) continue;
    result.set(key, joiner(left.get(key) ?? null, right.get(key) ?? null));
  }
  return result;
}

function put(content: Content, key: string, value: string | null): void {
  if (value === null) content.delete(key);
  else content.set(key, value);
}

describe.each(kinds)('(left %s right)', (first) => {
  describe.each(kinds)('%s third', (second) => {
    test.each([true, false])('is the join of the newest values after each record (kept: %s)', async (kept) => {
      const builder = new StreamsBuilder();
      const [left, right, third] = topics.map((topic) =>
        builder.table(topic, { ...strings, materialized: { store: 'memory' } }),
      ) as [Texts, Texts, Texts];
      const lower = join(first, left, right, kept ? 'lower' : undefined);
      const upper = join(second, lower, third, kept ? 'upper' : undefined);
      lower.toStream().to('lower', strings);
      upper.toStream().to('upper', strings);
      const topology = builder.build();
      await fc.assert(
        fc.asyncProperty(fc.array(input, { maxLength: 30 }), async (inputs) => {
          const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
          const contents = { left: new Map(), right: new Map(), third: new Map() };
          const seen = { lower: new Map<string, string>(), upper: new Map<string, string>() };
          try {
            for (const { topic, key, value, timestampMs, times } of inputs) {
              for (let i = 0; i < times; i += 1) {
                driver.createInputTopic(topic, string(), string()).pipeInput(key, value, timestampMs);
              }
              put(contents[topic], key, value);
              for (const of of ['lower', 'upper'] as const) {
                const out = driver.createOutputTopic(of, string(), string());
                for (const each of out.readRecordsToList()) put(seen[of], each.key, each.value as string | null);
              }
              const expectedLower = joined(first, contents.left, contents.right);
              expect(seen.lower).toEqual(expectedLower);
              expect(seen.upper).toEqual(joined(second, expectedLower, contents.third));
            }
          } finally {
            await driver.close();
          }
        }),
        { numRuns: 25 },
      );
    });
  });
});
