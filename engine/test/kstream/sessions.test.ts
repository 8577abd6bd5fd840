import { describe, expect, test } from 'vitest';
import {
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  string,
  TopologyError,
  UnlimitedWindows,
} from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

const strings = { key: string(), value: string() };

describe('windows that cannot be', () => {
  test.each([
    ['a negative gap', () => SessionWindows.ofInactivityGapWithNoGrace(-1)],
    ['a negative grace of sessions', () => SessionWindows.ofInactivityGapAndGrace(5, -1)],
    ['half a millisecond', () => SessionWindows.ofInactivityGapWithNoGrace(0.5)],
    ['sliding windows without length', () => SlidingWindows.ofTimeDifferenceWithNoGrace(0)],
    ['a negative grace of sliding windows', () => SlidingWindows.ofTimeDifferenceAndGrace(5, -1)],
    ['an unlimited window before the epoch', () => UnlimitedWindows.of().startOn(-1)],
  ])('%s is a TopologyError', (_what, make) => {
    expect(make).toThrow(TopologyError);
  });

  test('stores that forget windows while they take records are refused, with what they need', () => {
    const grouped = new StreamsBuilder().stream('in', strings).groupByKey();
    const count = (retentionMs: number) => ({ materialized: { name: 'w', retentionMs } });
    expect(() => grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(10, 5)).count(count(14))).toThrow(
      /Store w: .*gap \+ grace = 15/,
    );
    expect(() => grouped.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(10, 5)).count(count(24))).toThrow(
      /2 × time difference \+ grace = 25/,
    );
    expect(() => grouped.windowedBy(UnlimitedWindows.of()).count(count(1_000))).toThrow(/unlimited/);
  });
});

test('sessions can be looked up in their store', async () => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', strings)
    .groupByKey()
    .windowedBy(SessionWindows.ofInactivityGapAndGrace(5, 100))
    .count({ materialized: { name: 'sessions', store: 'memory' } });
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
  try {
    const input = driver.createInputTopic('in', string(), string());
    for (const [key, at] of [
      ['A', 10],
      ['A', 14],
      ['A', 30],
      ['B', 12],
    ] as const) {
      input.pipeInput(key, 'v', at);
    }
    const store = driver.getSessionStore<string, number>('sessions');
    const all = (
      found: Iterable<{ key: { key: string; window: { startMs: number; endMs: number } }; value: number }>,
    ) => [...found].map(({ key, value }) => [key.key, key.window.startMs, key.window.endMs, value]);
    expect(store.fetchSession('A', 10, 14)).toBe(2);
    expect(store.fetchSession('A', 10, 15)).toBeUndefined();
    expect(all(store.fetch('A'))).toEqual([
      ['A', 10, 14, 2],
      ['A', 30, 30, 1],
    ]);
    expect(all(store.backwardFetch('A', 'B'))).toEqual([
      ['B', 12, 12, 1],
      ['A', 30, 30, 1],
      ['A', 10, 14, 2],
    ]);
    expect(all(store.findSessions('A', 15, 40))).toEqual([['A', 30, 30, 1]]);
    expect(all(store.findSessions('A', 'B', 12, 12))).toEqual([
      ['A', 10, 14, 2],
      ['B', 12, 12, 1],
    ]);
    expect(all(store.backwardFindSessions('A', 0, 40)).map((row) => row[1])).toEqual([30, 10]);
    store.remove({ key: 'A', window: { startMs: 30, endMs: 30 } });
    expect(all(store.fetch('A'))).toEqual([['A', 10, 14, 2]]);
  } finally {
    await driver.close();
  }
});
