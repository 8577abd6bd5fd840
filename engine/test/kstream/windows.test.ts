import { describe, expect, test } from 'vitest';
import { StreamsBuilder, string, TimeWindows, TopologyError } from '../../src/index.ts';

describe('TimeWindows', () => {
  test.each([
    [10, 10, 0, 0],
    [10, 10, 9, 0],
    [10, 10, 10, 10],
    [10, 3, 2, 0],
    [10, 3, 10, 3],
    [10, 3, 12, 3],
    [10, 3, 13, 6],
    [60_000, 60_000, 1_700_000_000_123, 1_699_999_980_000],
  ])('of %i ms every %i ms: the first window of %i starts at %i', (size, advance, timestamp, start) => {
    expect(TimeWindows.ofSizeWithNoGrace(size).advanceBy(advance).firstStartMs(timestamp)).toBe(start);
  });

  test('cover each timestamp by size ÷ advance windows, away from the epoch', () => {
    const windows = TimeWindows.ofSizeWithNoGrace(12).advanceBy(5);
    for (let timestamp = 100; timestamp < 200; timestamp += 1) {
      const starts: number[] = [];
      for (let start = windows.firstStartMs(timestamp); start <= timestamp; start += 5) starts.push(start);
      const expected: number[] = [];
      for (let start = 0; start <= timestamp; start += 5) if (start + 12 > timestamp) expected.push(start);
      expect(starts).toEqual(expected);
    }
  });

  test.each([
    () => TimeWindows.ofSizeWithNoGrace(0),
    () => TimeWindows.ofSizeWithNoGrace(1.5),
    () => TimeWindows.ofSizeAndGrace(10, -1),
    () => TimeWindows.ofSizeWithNoGrace(10).advanceBy(11),
    () => TimeWindows.ofSizeWithNoGrace(10).advanceBy(0),
  ])('refuse impossible lengths (%#)', (make) => {
    expect(make).toThrow(TopologyError);
  });

  test('refuse a store that forgets windows while they take records', () => {
    const strings = { key: string(), value: string() };
    const grouped = new StreamsBuilder().stream('in', strings).groupByKey();
    const windows = TimeWindows.ofSizeAndGrace(10, 5);
    expect(() => grouped.windowedBy(windows).count({ materialized: { name: 'w', retentionMs: 14 } })).toThrow(
      /size \+ grace = 15/,
    );
  });
});
