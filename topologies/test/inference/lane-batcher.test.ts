import type { DetectorVersion } from '@chip-quality/schemas';
import { TestClock } from 'millrace/testing';
import { describe, expect, test } from 'vitest';
import { noInferenceMetrics } from '../../src/index.ts';
import { LaneBatcher, type LaneBatcherOptions, type LaneItemOptions } from '../../src/inference/lane-batcher.ts';

/** Only told apart, never asked. */
const [one, two] = ['1', '2'].map((modelVersion) => ({ modelVersion }) as DetectorVersion) as [
  DetectorVersion,
  DetectorVersion,
];

interface Call {
  readonly items: readonly number[];
  readonly signal: AbortSignal;
  readonly finish: (results?: readonly number[]) => void;
  readonly fail: (error: Error) => void;
}

function setUp(overrides: Partial<LaneBatcherOptions<number, number>> = {}) {
  const clock = new TestClock(0);
  const calls: Call[] = [];
  const seen = { batches: [] as [number, boolean][], waits: [] as [string, number][] };
  const batcher = new LaneBatcher<number, number>({
    clock,
    metrics: {
      ...noInferenceMetrics,
      batchFormed: (_version, size, preferred) => seen.batches.push([size, preferred]),
      queued: (lane, ms) => seen.waits.push([lane, ms]),
    },
    preferredSizes: [4, 8, 16],
    maxDelayMs: 2,
    maxInFlight: 2,
    overdueMs: 5_000,
    judge: (items, signal) =>
      new Promise((resolve, fail) => {
        calls.push({ items, signal, fail, finish: (results = items.map((item) => item * 10)) => resolve(results) });
      }),
    ...overrides,
  });
  const never = new AbortController().signal;
  return {
    clock,
    calls,
    seen,
    submit: (value: number, more: Partial<LaneItemOptions> = {}) =>
      batcher.submit(value, { version: one, lane: 'normal', batchSizeMax: 32, signal: never, ...more }),
  };
}

/** Lets settled promises be noticed. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('sixteen boards go at once, without waiting', async () => {
  const { submit, calls } = setUp();
  const answers = Array.from({ length: 16 }, (_, index) => submit(index));
  expect(calls.map(({ items }) => items.length)).toEqual([16]);
  calls[0]?.finish();
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 16 }, (_, index) => index * 10));
});

test('fewer wait two milliseconds, then go in exact sizes; what is left waits for company while a batch is judged', async () => {
  const { submit, calls, clock, seen } = setUp({ maxInFlight: 3 });
  for (let index = 0; index < 14; index += 1) void submit(index);
  clock.advance(1);
  expect(calls).toHaveLength(0);
  clock.advance(1);
  expect(calls.map(({ items }) => items.length)).toEqual([8, 4]);
  for (const index of [14, 15]) void submit(index);
  expect(calls.map(({ items }) => items.length)).toEqual([8, 4, 4]);
  expect(seen.batches).toEqual([
    [8, true],
    [4, true],
    [4, true],
  ]);
  expect(seen.waits.slice(0, 1)).toEqual([['normal', 2]]);
});

test('a rest goes when nothing is judged any more, and after a quarter of a second in any case', async () => {
  const { submit, calls, clock } = setUp();
  for (let index = 0; index < 6; index += 1) void submit(index);
  clock.advance(2);
  expect(calls.map(({ items }) => items)).toEqual([[0, 1, 2, 3]]);
  calls[0]?.finish();
  await turn();
  expect(calls.map(({ items }) => items)).toEqual([
    [0, 1, 2, 3],
    [4, 5],
  ]);
  void submit(6);
  clock.advance(249);
  expect(calls).toHaveLength(2);
  clock.advance(1);
  expect(calls.map(({ items }) => items)[2]).toEqual([6]);
});

test('high overtakes what waits, and shares its batch with it where there is room', async () => {
  const { submit, calls, clock } = setUp({ maxInFlight: 1 });
  for (let index = 0; index < 16; index += 1) void submit(index, { lane: 'low' });
  for (let index = 16; index < 32; index += 1) void submit(index, { lane: 'low' });
  void submit(100, { lane: 'normal' });
  void submit(200, { lane: 'high' });
  clock.advance(10);
  calls[0]?.finish();
  await turn();
  expect(calls[1]?.items.slice(0, 3)).toEqual([200, 100, 16]);
  expect(calls[1]?.items).toHaveLength(16);
});

test('a board’s bound holds for the whole batch, and boards behind it keep their order', async () => {
  const { submit, calls, clock } = setUp({ maxInFlight: 10 });
  void submit(0);
  void submit(1, { batchSizeMax: 1 });
  for (let index = 2; index < 8; index += 1) void submit(index, { batchSizeMax: 6 });
  clock.advance(500);
  await turn();
  expect(calls.map(({ items }) => items)).toEqual([[0], [1], [2, 3, 4, 5], [6, 7]]);
});

describe('boards of two versions', () => {
  test('never share a batch: each version gets exact sizes of its own', async () => {
    const { submit, calls, clock } = setUp({ maxInFlight: 10 });
    for (let index = 0; index < 24; index += 1) void submit(index, { version: index % 3 === 0 ? two : one });
    expect(calls.map(({ items }) => items.length)).toEqual([16]);
    clock.advance(2);
    expect(calls.map(({ items }) => [items.length, items.every((item) => item % 3 === 0)])).toEqual([
      [16, false],
      [8, true],
    ]);
  });

  test('are served in the order of their lanes, then of their age', async () => {
    const { submit, calls, clock } = setUp({ maxInFlight: 1 });
    void submit(0, { batchSizeMax: 1 });
    for (let index = 1; index <= 4; index += 1) void submit(index, { version: two, lane: 'low' });
    clock.advance(1);
    for (let index = 5; index <= 8; index += 1) void submit(index);
    clock.advance(1);
    for (let index = 9; index <= 12; index += 1) void submit(index, { version: two });
    clock.advance(2);
    for (let batch = 0; batch < 3; batch += 1) {
      calls[batch]?.finish();
      await turn();
    }
    // The second version's low boards take the room that is left beside its normal ones.
    expect(calls.map(({ items }) => items)).toEqual([[0], [5, 6, 7, 8], [9, 10, 11, 12, 1, 2, 3, 4]]);
  });

  test('a rest of one is not passed over by lower lanes of the other, however full their batches are', async () => {
    const { submit, calls, clock } = setUp({ maxInFlight: 2 });
    for (let index = 0; index < 64; index += 1) void submit(index, { lane: 'low' });
    expect(calls).toHaveLength(2);
    void submit(100, { version: two, lane: 'high' });
    clock.advance(2);
    calls[0]?.finish();
    await turn();
    expect(calls[2]?.items).toEqual([100]);
  });

  test('a rarely chosen one waits no longer than any rest, whatever comes for the other', async () => {
    const { submit, calls, clock } = setUp({ maxInFlight: 2 });
    let sent = 0;
    const flood = () => {
      while (sent < calls.length * 16 + 64) void submit(sent++);
    };
    flood();
    void submit(-1, { version: two });
    for (let batch = 0; calls.every(({ items }) => !items.includes(-1)); batch += 1) {
      flood();
      clock.advance(50);
      calls[batch]?.finish();
      await turn();
    }
    expect(clock.monotonicMs()).toBeLessThanOrEqual(300);
  });
});

describe('a version on trial', () => {
  const trial = { ...two, fallback: one };

  test('that hangs takes no place of production, whose rests do not wait for it either', async () => {
    const { submit, calls, clock } = setUp();
    const tried = Array.from({ length: 48 }, (_, index) => submit(index, { version: trial, lane: 'high' }));
    expect(calls.map(({ items }) => items.length)).toEqual([16, 16]);
    // Older than what comes for production, higher, and overdue.
    clock.advance(6_000);
    const rest = submit(100);
    clock.advance(2);
    expect(calls[2]?.items).toEqual([100]);
    calls[2]?.finish();
    expect(await rest).toBe(1_000);
    await turn();
    for (let index = 0; index < 32; index += 1) void submit(index);
    expect(calls.slice(3).map(({ items }) => items.length)).toEqual([16, 16]);
    calls[0]?.finish();
    await turn();
    expect(calls[5]?.items).toHaveLength(16);
    calls[1]?.finish();
    calls[5]?.finish();
    expect(await Promise.all(tried)).toHaveLength(48);
  });

  test('does not wait for production either', async () => {
    const { submit, calls, clock } = setUp({ maxInFlight: 1 });
    for (let index = 0; index < 20; index += 1) void submit(index);
    void submit(100, { version: trial });
    clock.advance(2);
    expect(calls.map(({ items }) => items.length)).toEqual([16, 1]);
  });
});

describe('when a caller goes away', () => {
  test('its board is taken out of the queue and rejects with the reason', async () => {
    const { submit, calls, clock } = setUp();
    const gone = new AbortController();
    const answer = submit(1, { signal: gone.signal });
    void submit(2);
    gone.abort(new Error('revoked'));
    await expect(answer).rejects.toThrow('revoked');
    clock.advance(2);
    expect(calls.map(({ items }) => items)).toEqual([[2]]);
    await expect(submit(3, { signal: gone.signal })).rejects.toThrow('revoked');
  });

  test('a batch is called off only when nobody waits for it', async () => {
    const { submit, calls, clock } = setUp();
    const [one, other] = [new AbortController(), new AbortController()];
    const answers = [submit(1, { signal: one.signal }), submit(2, { signal: other.signal })];
    clock.advance(2);
    one.abort(new Error('revoked'));
    await expect(answers[0]).rejects.toThrow('revoked');
    expect(calls[0]?.signal.aborted).toBe(false);
    calls[0]?.finish();
    expect(await answers[1]).toBe(20);
    const last = submit(3, { signal: one.signal }).catch(() => 'gone');
    expect(await last).toBe('gone');
    const again = submit(4, { signal: other.signal }).catch(() => 'gone');
    clock.advance(2);
    other.abort();
    expect(await again).toBe('gone');
    expect(calls[1]?.signal.aborted).toBe(true);
  });
});

test('a batch that fails, or is answered in the wrong number, fails its boards and nobody else', async () => {
  const { submit, calls, clock } = setUp();
  const first = submit(1);
  clock.advance(2);
  calls[0]?.fail(new Error('broken'));
  await expect(first).rejects.toThrow('broken');
  const second = submit(2);
  clock.advance(2);
  calls[1]?.finish([1, 2]);
  await expect(second).rejects.toThrow('2 results for 1 items');
  const third = submit(3);
  clock.advance(2);
  calls[2]?.finish();
  expect(await third).toBe(30);
});

test.each([{ preferredSizes: [] }, { preferredSizes: [4, 0] }, { maxDelayMs: -1 }, { maxInFlight: 0 }])(
  'settings that can’t work are refused: %o',
  (overrides) => {
    expect(() => setUp(overrides)).toThrow(RangeError);
  },
);
