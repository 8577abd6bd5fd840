import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JoinWindows, StreamsBuilder, string } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

// Joins against a recompute that knows nothing of stores, lists and searches: every record is compared with every other one.

const strings = { key: string(), value: string() };
type Kind = 'inner' | 'left' | 'outer';

interface Input {
  readonly side: 'left' | 'right';
  readonly key: string | null;
  readonly value: string | null;
  readonly ms: number;
}

interface Windows {
  readonly before: number;
  readonly after: number;
  readonly grace: number;
}

/** Beyond every window: what is unmatched comes out. */
const END_MS = 1_000_000;
const FAR_KEY = '~';

const windowsArbitrary: fc.Arbitrary<Windows> = fc
  .record({
    before: fc.integer({ min: -4, max: 12 }),
    after: fc.integer({ min: -4, max: 12 }),
    grace: fc.constantFrom(0, 1, 5, 40),
  })
  .filter(({ before, after }) => before + after >= 0);

/** Shuffled, late and repeated: times go up and down, and some records come again as they are. */
const inputsArbitrary: fc.Arbitrary<readonly Input[]> = fc
  .array(
    fc.record({
      side: fc.constantFrom<Input['side']>('left', 'right'),
      key: fc.option(fc.constantFrom('A', 'B'), { freq: 20 }),
      value: fc.option(fc.constantFrom('x', 'y'), { freq: 10 }),
      step: fc.integer({ min: -12, max: 12 }),
      again: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    const inputs: Input[] = [];
    let nowMs = 40;
    for (const [index, { side, key, value, step, again }] of steps.entries()) {
      nowMs = Math.max(0, nowMs + step + 1);
      const input = { side, key, value: value === null ? null : `${value}${index}`, ms: nowMs };
      inputs.push(input);
      if (again && index % 3 === 0) inputs.push(input);
    }
    return inputs;
  });

function runEngine(kind: Kind, { before, after, grace }: Windows, inputs: readonly Input[], self = false): string[] {
  const builder = new StreamsBuilder();
  const windows = JoinWindows.ofTimeDifferenceAndGrace(Math.max(before, after), grace).before(before).after(after);
  const left = builder.stream('left', strings);
  const right = builder.stream(self ? 'left' : 'right', strings);
  const joiner = (a: string | null, b: string | null) => `${a}|${b}`;
  const options = { store: 'memory' } as const;
  const results =
    kind === 'inner'
      ? left.join(right, joiner, windows, options)
      : kind === 'left'
        ? left.leftJoin(right, joiner, windows, options)
        : left.outerJoin(right, joiner, windows, options);
  results.to('out', strings);
  const topology = builder.build({ topologyOptimization: self ? 'all' : 'none' });
  const driver = new TopologyTestDriver(topology, { applicationId: 'app', outerJoinEmitIntervalMs: 0 });
  try {
    const topics = { left: driver.createInputTopic('left', string(), string()) };
    const right = self ? topics.left : driver.createInputTopic('right', string(), string());
    for (const { side, key, value, ms } of inputs) (side === 'left' ? topics.left : right).pipeInput(key, value, ms);
    for (const topic of [topics.left, right]) topic.pipeInput(FAR_KEY, 'end', END_MS);
    return driver
      .createOutputTopic('out', string(), string())
      .readRecordsToList()
      .filter(({ key }) => key !== FAR_KEY)
      .map(({ key, value, timestampMs }) => `${key} ${value} ${timestampMs}`);
  } finally {
    // Nothing of this topology closes asynchronously.
    void driver.close();
  }
}

/** What a record that is still kept may be joined with when `later` comes. */
function pairs(windows: Windows, earlier: Input, later: Input): boolean {
  const [left, right] = later.side === 'left' ? [later, earlier] : [earlier, later];
  return left.ms - windows.before <= right.ms && right.ms <= left.ms + windows.after;
}

/**
 * By definition: an earlier record of the other side is met while the newest record of that side is not yet a window's length
 * and the grace period newer; a record of an outer side is alone when none was met and none came.
 */
function recompute(kind: Kind, windows: Windows, inputs: readonly Input[]): string[] {
  const retention = windows.before + windows.after + windows.grace;
  const newest = { left: -1, right: -1 };
  const kept: Input[] = [];
  const waiting = new Set<Input>();
  const results: string[] = [];
  let streamTime = -1;
  const outer = (side: Input['side']) => kind === 'outer' || (kind === 'left' && side === 'left');
  const result = (a: Input, b: Input | undefined) => {
    const [left, right] = a.side === 'left' ? [a, b] : [b, a];
    results.push(`${a.key} ${left?.value ?? null}|${right?.value ?? null} ${Math.max(a.ms, b?.ms ?? 0)}`);
  };
  for (const given of inputs) {
    const input = { ...given };
    streamTime = Math.max(streamTime, input.ms);
    const complete = input.key !== null && input.value !== null;
    if (input.key === null && input.value !== null && outer(input.side)) result(input, undefined);
    if (complete) {
      const otherSide = input.side === 'left' ? 'right' : 'left';
      const met = kept.filter(
        (other) =>
          other.side === otherSide &&
          other.key === input.key &&
          other.ms > newest[otherSide] - retention &&
          pairs(windows, other, input),
      );
      for (const other of met) {
        result(input, other);
        waiting.delete(other);
      }
      const windowEnd = Math.max(0, input.ms + (input.side === 'left' ? windows.after : windows.before));
      if (met.length === 0 && outer(input.side)) {
        if (windowEnd < streamTime) result(input, undefined);
        else waiting.add(input);
      }
    }
    if (input.key === null) continue;
    // Records without a value move the store's time, too.
    newest[input.side] = Math.max(newest[input.side], input.ms);
    if (complete && input.ms > newest[input.side] - retention) kept.push(input);
  }
  for (const input of waiting) result(input, undefined);
  return results;
}

const byText = (results: readonly string[]) => [...results].sort();

describe('a join of streams gives what a recompute gives', () => {
  test('for inner joins, in any windows', () => {
    fc.assert(
      fc.property(windowsArbitrary, inputsArbitrary, (windows, inputs) => {
        const away = inputs.map((input) => ({ ...input, ms: input.ms + 100 }));
        expect(byText(runEngine('inner', windows, away))).toEqual(byText(recompute('inner', windows, away)));
      }),
      { numRuns: 150 },
    );
  });

  test.each(['left', 'outer'] as const)('for %s joins whose grace period covers all lateness', (kind) => {
    fc.assert(
      fc.property(windowsArbitrary, inputsArbitrary, ({ before, after }, inputs) => {
        // Nothing expires before the end, so neither does anything that waits.
        const windows = { before, after, grace: 5_000 };
        const away = inputs.map((input) => ({ ...input, ms: input.ms + 100 }));
        expect(byText(runEngine(kind, windows, away))).toEqual(byText(recompute(kind, windows, away)));
      }),
      { numRuns: 100 },
    );
  });

  test.each(['left', 'outer'] as const)(
    'for %s joins in any windows: matches are those of the inner join, and a record without any is alone exactly once',
    (kind) => {
      fc.assert(
        fc.property(windowsArbitrary, inputsArbitrary, (windows, inputs) => {
          const away = inputs.map((input) => ({ ...input, ms: input.ms + 100 }));
          const results = runEngine(kind, windows, away);
          const alone = results.filter((text) => text.includes('null'));
          const matches = results.filter((text) => !text.includes('null'));
          expect(byText(matches)).toEqual(byText(recompute('inner', windows, away)));
          const never = away.filter(
            ({ side, value }) =>
              value !== null &&
              (side === 'left' || kind === 'outer') &&
              !matches.some((text) => sideOf(text, side) === value),
          );
          const expected = never.map(({ side, key, value, ms }) =>
            side === 'left' ? `${key} ${value}|null ${ms}` : `${key} null|${value} ${ms}`,
          );
          const aloneOnly = alone.filter((text) => expected.includes(text));
          expect(byText(aloneOnly)).toEqual(byText(expected));
          // What is alone and matched as well came back to after its window had closed, never twice.
          for (const text of alone.filter((each) => !expected.includes(each))) {
            const times = away.filter(({ value }) => text.includes(String(value))).length;
            expect(alone.filter((each) => each === text).length).toBeLessThanOrEqual(times);
          }
        }),
        { numRuns: 100 },
      );
    },
  );

  test('for a stream joined with itself over one store: each pair in both orders, and each record with itself', () => {
    fc.assert(
      fc.property(windowsArbitrary, inputsArbitrary, (windows, inputs) => {
        const { before, after } = windows;
        fc.pre(before >= 0 && after >= 0);
        const ample = { before, after, grace: 5_000 };
        const away = inputs.map((input) => ({ ...input, side: 'left' as const, ms: input.ms + 100 }));
        const complete = away.filter(({ key, value }) => key !== null && value !== null);
        const expected: string[] = [];
        for (const left of complete) {
          for (const right of complete) {
            if (left.key !== right.key || left.ms - before > right.ms || right.ms > left.ms + after) continue;
            expected.push(`${left.key} ${left.value}|${right.value} ${Math.max(left.ms, right.ms)}`);
          }
        }
        expect(byText(runEngine('inner', ample, away, true))).toEqual(byText(expected));
      }),
      { numRuns: 80 },
    );
  });
});

/** The value of one side in a result. */
function sideOf(text: string, side: 'left' | 'right'): string | undefined {
  return text.split(' ')[1]?.split('|')[side === 'left' ? 0 : 1];
}
