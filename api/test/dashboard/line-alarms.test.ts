import { describe, expect, it } from 'vitest';
import { LineStatistics } from '../../src/dashboard/browser/line-statistics.js';
import { lineYield } from '../support/feed-data.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.parse('2026-11-23T06:00:00Z');

/** Mulberry32: the same numbers for the same seed, everywhere. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Shift {
  readonly boardsPerMinute: number;
  /** Share of boards that pass in this minute. */
  readonly yieldAt: (minute: number) => number;
  readonly minutes: number;
  readonly seed: number;
}

/** The state of a line as a page shows it after each minute. */
function statesOf({ boardsPerMinute, yieldAt, minutes, seed }: Shift): string[] {
  const statistics = new LineStatistics();
  const random = seeded(seed);
  return Array.from({ length: minutes }, (_, minute) => {
    const startMs = START_MS + minute * MINUTE_MS;
    let passed = 0;
    for (let board = 0; board < boardsPerMinute; board += 1) if (random() < yieldAt(minute)) passed += 1;
    statistics.addYield(lineYield('A', startMs, boardsPerMinute, passed));
    return statistics.lines(startMs + MINUTE_MS - 1)[0]?.state ?? 'none';
  });
}

const rates = [1, 5, 60];

describe('P5: alarms on simulated lines', () => {
  it.each(rates)('a line that passes nothing from its start alarms, at %i boards a minute', (boardsPerMinute) => {
    const states = statesOf({ boardsPerMinute, yieldAt: () => 0, minutes: 90, seed: 1 });
    const first = states.indexOf('alarm');
    expect(first * boardsPerMinute).toBeLessThanOrEqual(Math.max(8, boardsPerMinute));
    // And goes on alarming: an hour of failure is no reference.
    expect(states.slice(first).every((state) => state === 'alarm')).toBe(true);
  });

  it.each([0, 0.1, 0.2, 0.4])('a slow line at a share of %d is in alarm for two hours and never green', (share) => {
    const states = statesOf({ boardsPerMinute: 5, yieldAt: () => share, minutes: 120, seed: 2 });
    const later = states.slice(6);
    expect(later.every((state) => state === 'alarm' || state === 'watch')).toBe(true);
    expect(later.filter((state) => state === 'alarm').length / later.length).toBeGreaterThan(0.95);
  });

  it.each(rates)(
    'at %i boards a minute a fall from 95 to 50 in a hundred is seen within 30 boards or two minutes',
    (boardsPerMinute) => {
      const fallAt = 70;
      for (let seed = 0; seed < 20; seed += 1) {
        const yieldAt = (minute: number) => (minute < fallAt ? 0.95 : 0.5);
        const states = statesOf({ boardsPerMinute, yieldAt, minutes: fallAt + 60, seed });
        const seen = states.indexOf('alarm', fallAt);
        expect(seen, `seed ${seed}`).toBeGreaterThanOrEqual(fallAt);
        expect(seen - fallAt, `seed ${seed}`).toBeLessThanOrEqual(Math.max(1, Math.ceil(30 / boardsPerMinute)));
        // It does not learn from its own failure: mostly in alarm for the rest of the hour, and hardly ever green.
        const rest = states.slice(seen);
        expect(rest.filter((state) => state === 'good').length / rest.length, `seed ${seed}`).toBeLessThan(0.05);
        expect(rest.filter((state) => state === 'alarm').length / rest.length, `seed ${seed}`).toBeGreaterThan(0.6);
      }
    },
  );

  it.each(rates)('a line that recovers is no longer in alarm soon, at %i a minute', (boardsPerMinute) => {
    const yieldAt = (minute: number) => (minute >= 70 && minute < 90 ? 0.3 : 0.97);
    const states = statesOf({ boardsPerMinute, yieldAt, minutes: 130, seed: 3 });
    expect(states.slice(72, 90)).toContain('alarm');
    expect(states.slice(90 + Math.ceil(22 / boardsPerMinute) + 2)).not.toContain('alarm');
  });

  it.each(rates.flatMap((rate) => [0.98, 0.95, 0.9, 0.87].map((share) => [rate, share] as const)))(
    'a steady line of %i boards a minute at %d raises hardly any alarm in eight hours',
    (boardsPerMinute, share) => {
      let alarms = 0;
      for (let seed = 0; seed < 5; seed += 1) {
        const states = statesOf({ boardsPerMinute, yieldAt: () => share, minutes: 480, seed });
        alarms += states.filter((state, at) => state === 'alarm' && states[at - 1] !== 'alarm').length;
      }
      // Forty hours. A p-chart alarms once in 370 looks at a steady line (its average run length), so 6.5 times in 2,400.
      expect(alarms).toBeLessThanOrEqual(8);
    },
  );

  it('a line of one board a minute is judged after eight boards', () => {
    const states = statesOf({ boardsPerMinute: 1, yieldAt: () => 1, minutes: 30, seed: 4 });
    expect(states.slice(0, 7).every((state) => state === 'starting')).toBe(true);
    expect(states.slice(7).every((state) => state === 'good')).toBe(true);
  });

  it('sees a fast line fall within seconds, long before two minutes say so', () => {
    const statistics = new LineStatistics();
    for (let minute = 0; minute < 30; minute += 1) {
      statistics.addYield(lineYield('A', START_MS + minute * MINUTE_MS, 60, 57));
    }
    const runningMs = START_MS + 30 * MINUTE_MS;
    statistics.addYield(lineYield('A', runningMs, 9, 3));
    expect(statistics.lines(runningMs + 9_000)[0]?.state).toBe('alarm');
  });

  it('no board of 15 passed: that is an alarm, though there was never a better one', () => {
    const statistics = new LineStatistics();
    statistics.addYield(lineYield('A', START_MS, 15, 0));
    expect(statistics.lines(START_MS + 30_000)[0]?.state).toBe('alarm');
  });
});

describe('P5: boards without a verdict', () => {
  const unjudged = (inspected: number, passed: number, errored: number) => {
    const statistics = new LineStatistics();
    statistics.addYield({ ...lineYield('A', START_MS, inspected, passed), errored });
    return statistics.lines(START_MS + 30_000)[0];
  };

  it('are an alarm of their own: 12 of 12', () => {
    expect(unjudged(0, 0, 12)).toMatchObject({ state: 'alarm', unjudgedAlarm: true, errored: 12, yield: undefined });
  });

  it('are an alarm beside a perfect share: three of four', () => {
    expect(unjudged(1, 1, 3)).toMatchObject({ state: 'alarm', unjudgedAlarm: true, inspected: 1, errored: 3 });
  });

  it('are told, and no alarm, where they are few', () => {
    expect(unjudged(95, 93, 5)).toMatchObject({ state: 'good', unjudgedAlarm: false, errored: 5 });
    expect(unjudged(1, 1, 2)).toMatchObject({ state: 'starting', unjudgedAlarm: false });
  });
});
