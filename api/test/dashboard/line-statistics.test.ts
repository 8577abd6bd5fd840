import { describe, expect, it } from 'vitest';
import { controlLimits, LineStatistics } from '../../src/dashboard/browser/line-statistics.js';
import { board, lineYield } from '../support/feed-data.ts';

const MINUTE_MS = 60_000;
const NOON_MS = Date.parse('2026-11-23T12:00:00Z');

/** Feeds `lines` → [inspected, passed] per minute, oldest first, ending with the minute before `NOON_MS`. */
function fed(lines: Record<string, [number, number][]>): LineStatistics {
  const statistics = new LineStatistics();
  for (const [line, minutes] of Object.entries(lines)) {
    minutes.forEach(([inspected, passed], index) => {
      const start = NOON_MS - (minutes.length - index) * MINUTE_MS;
      statistics.addYield({ ...lineYield(line, start, inspected, passed) });
    });
  }
  return statistics;
}

describe('control limits', () => {
  it('are those of a p-chart, within 0 and 1', () => {
    const { lower, upper } = controlLimits(0.9, 100);
    expect(lower).toBeCloseTo(0.81, 10);
    expect(upper).toBeCloseTo(0.99, 10);
    expect(controlLimits(0.9, 4)).toEqual({ lower: expect.closeTo(0.45, 10), upper: 1 });
    expect(controlLimits(0.5, 0)).toEqual({ lower: 0, upper: 1 });
  });
});

describe('the statistics of the lines', () => {
  it('call a line good at the mean, watched below two and alarmed below three standard errors', () => {
    const history: [number, number][] = Array.from({ length: 20 }, () => [50, 45]);
    const statistics = fed({ A: history, B: [...history, [50, 45], [50, 38]], C: [...history, [50, 44], [50, 35]] });
    const states = Object.fromEntries(statistics.lines(NOON_MS).map(({ line, state }) => [line, state]));
    expect(states).toEqual({ A: 'good', B: 'watch', C: 'alarm' });
  });

  it('see a line fall within the running minute', () => {
    const history: [number, number][] = Array.from({ length: 10 }, () => [50, 45]);
    const statistics = fed({ A: history, B: history });
    statistics.addYield({ ...lineYield('B', NOON_MS, 12, 2) });
    const [a, b] = statistics.lines(NOON_MS + 15_000);
    expect([a?.state, b?.state]).toEqual(['good', 'alarm']);
    expect(b).toMatchObject({ inspected: 62, passed: 47, topDefect: 'open' });
  });

  it('judge nothing on a handful of boards, and call a quiet line idle', () => {
    expect(fed({ A: [[5, 0]] }).lines(NOON_MS)[0]?.state).toBe('starting');
    expect(fed({ A: [[50, 45]] }).lines(NOON_MS + 10 * MINUTE_MS)[0]?.state).toBe('idle');
    expect(fed({ A: [[40, 0]] }).lines(NOON_MS)[0]?.state).toBe('alarm');
  });

  it('count boards of the last sixty seconds across minutes', () => {
    const statistics = fed({ A: [[100, 100]], B: [[20, 20]] });
    expect(statistics.boardsPerMinute(NOON_MS)).toBe(120);
    expect(statistics.boardsPerMinute(NOON_MS + 30_000)).toBe(60);
    statistics.addYield({ ...lineYield('A', NOON_MS, 45, 45), errored: 5 });
    expect(statistics.boardsPerMinute(NOON_MS + 30_000)).toBe(110);
    expect(statistics.boardsPerMinute(NOON_MS + 5 * MINUTE_MS)).toBe(0);
  });

  it('take the 95th percentile of recent latencies', () => {
    const statistics = new LineStatistics();
    expect(statistics.latencyP95Ms(NOON_MS)).toBeUndefined();
    for (let latency = 1; latency <= 100; latency += 1) {
      const view = board({ latency_ms: latency, completed_at: new Date(NOON_MS).toISOString() });
      statistics.addBoard({ ...view, defects: [] });
    }
    expect(statistics.latencyP95Ms(NOON_MS)).toBe(95);
    expect(statistics.latencyP95Ms(NOON_MS + 6 * MINUTE_MS)).toBeUndefined();
  });

  it('give the chart a gap where a line had no boards', () => {
    const { names, yields, lower } = fed({
      A: [
        [10, 9],
        [10, 10],
      ],
      B: [[10, 5]],
    }).chart(NOON_MS);
    expect(names).toEqual(['A', 'B']);
    expect(yields).toEqual([
      [90, 100],
      [null, 50],
    ]);
    expect(lower.every((limit) => limit !== null && limit >= 0 && limit < 80)).toBe(true);
  });

  it('keep one hour', () => {
    const statistics = new LineStatistics();
    for (let minute = 0; minute < 90; minute += 1) {
      statistics.addYield({ ...lineYield('A', NOON_MS + minute * MINUTE_MS, 1, 1) });
    }
    expect(statistics.totals(NOON_MS + 89 * MINUTE_MS).inspected).toBe(60);
  });

  it('leave a line out of the last hour that stopped before', () => {
    const statistics = fed({ A: [[50, 10]] });
    const laterMs = NOON_MS + 120 * MINUTE_MS;
    statistics.addYield(lineYield('B', laterMs - MINUTE_MS, 50, 45));
    expect(statistics.totals(laterMs)).toMatchObject({ inspected: 50, passed: 45 });
    expect(statistics.mean(laterMs)).toBeCloseTo(0.9, 10);
    expect(statistics.chart(laterMs).names).toEqual(['B']);
    expect(statistics.lines(laterMs).map(({ line, state }) => [line, state])).toEqual([
      ['A', 'idle'],
      ['B', 'good'],
    ]);
  });

  it('raise no alarm for the one reject of a line that has hardly any', () => {
    const history: [number, number][] = Array.from({ length: 20 }, () => [50, 50]);
    const statistics = fed({ A: [...history, [50, 50], [50, 49]], B: [...history, [50, 50], [50, 45]] });
    expect(statistics.lines(NOON_MS).map(({ state }) => state)).toEqual(['good', 'alarm']);
  });
});
