import { type DetectorVersion, INFERENCE_PRIORITIES, type InferencePriority } from '@chip-quality/schemas';
import fc from 'fast-check';
import { TestClock } from 'millrace/testing';
import { expect, test } from 'vitest';
import { noInferenceMetrics } from '../../src/index.ts';
import { LaneBatcher } from '../../src/inference/lane-batcher.ts';

/** The same cases in every run. */
const SEED = 20_260_301;
const RUNS = 300;
const SIZES = [4, 8, 16];
const DELAY_MS = 2;
const OVERDUE_MS = 30;
const IN_FLIGHT = 2;

/** Only told apart, never asked: one is chosen often, one seldom. */
const VERSIONS = ['1', '2'].map((modelVersion) => ({ modelVersion }) as DetectorVersion);

interface Arrival {
  readonly version: DetectorVersion;
  readonly lane: InferencePriority;
  readonly batchSizeMax: number;
  /** After the arrival before it. */
  readonly gapMs: number;
}

interface Board extends Arrival {
  readonly index: number;
  readonly atMs: number;
}

interface Sent {
  readonly boards: readonly Board[];
  /** What waited when the batch was formed, the batch's own boards included, in order of arrival. */
  readonly waiting: readonly Board[];
  readonly atMs: number;
  readonly busy: number;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  version: fc.nat(9).map((place) => VERSIONS[place === 0 ? 1 : 0] as DetectorVersion),
  lane: fc.constantFrom(...INFERENCE_PRIORITIES, 'high', 'high'),
  batchSizeMax: fc.oneof(
    { weight: 6, arbitrary: fc.constant(32) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 32 }) },
  ),
  gapMs: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(3), fc.nat(80)),
});
const arrivals = fc.array(arrival, { minLength: 1, maxLength: 300, size: 'max' });
const judgeMs = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 });

/** Plays arrivals against a judge of the given durations; answers what was sent, and that everybody got an own answer. */
async function play(script: readonly Arrival[], durationsMs: readonly number[]): Promise<readonly Sent[]> {
  const clock = new TestClock(0);
  const sent: Sent[] = [];
  const waiting = new Set<Board>();
  let busy = 0;
  const batcher = new LaneBatcher<Board, number>({
    clock,
    metrics: noInferenceMetrics,
    preferredSizes: SIZES,
    maxDelayMs: DELAY_MS,
    maxInFlight: IN_FLIGHT,
    overdueMs: OVERDUE_MS,
    judge: (boards) => {
      const durationMs = durationsMs[sent.length % durationsMs.length] as number;
      sent.push({ boards, waiting: [...waiting], atMs: clock.monotonicMs(), busy });
      for (const board of boards) waiting.delete(board);
      busy += 1;
      return new Promise((resolve) => {
        clock.setTimer(durationMs, () => {
          busy -= 1;
          resolve(boards.map((board) => board.index));
        });
      });
    },
  });
  const signal = new AbortController().signal;
  const answers: Promise<number>[] = [];
  for (const [index, step] of script.entries()) {
    await pass(clock, step.gapMs);
    const board = { ...step, index, atMs: clock.monotonicMs() };
    waiting.add(board);
    const { version, lane, batchSizeMax } = step;
    answers.push(batcher.submit(board, { version, lane, batchSizeMax, signal }));
  }
  while (waiting.size > 0 || busy > 0) await pass(clock, 1);
  expect(await Promise.all(answers)).toEqual(script.map((_, index) => index));
  return sent;
}

/** Millisecond by millisecond, so that what settles can cause what comes next. */
async function pass(clock: TestClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1) {
    clock.advance(1);
    for (let turns = 0; turns < 6; turns += 1) await Promise.resolve();
  }
}

const highestOf = (boards: readonly Board[]) =>
  Math.max(...boards.map(({ lane }) => INFERENCE_PRIORITIES.indexOf(lane)));

test('batches have exactly the preferred sizes, except for rests and for what a client’s bound allows', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, judgeMs, async (script, durations) => {
      for (const { boards, busy, waiting, atMs } of await play(script, durations)) {
        expect(busy).toBeLessThan(IN_FLIGHT);
        const bound = Math.min(...boards.map(({ batchSizeMax }) => batchSizeMax));
        expect(boards.length).toBeLessThanOrEqual(bound);
        expect(new Set(boards.map(({ version }) => version)).size).toBe(1);
        if (SIZES.includes(boards.length)) continue;
        expect(boards.length).toBeLessThan(4);
        // A rest goes when its time is over: at once where the judge is idle.
        const mine = waiting.filter(({ version }) => version === boards[0]?.version);
        const waitedMs = atMs - Math.min(...mine.map((board) => board.atMs));
        // Besides, it goes when it is overdue or where a lower lane of the other version would take its place.
        const isAlone = mine.length === waiting.length;
        const leastMs = busy === 0 || !isAlone ? DELAY_MS : OVERDUE_MS;
        if (boards.length < bound) expect(waitedMs).toBeGreaterThanOrEqual(leastMs);
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test('boards of one version and lane are sent in their order', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, judgeMs, async (script, durations) => {
      const order = (await play(script, durations)).flatMap(({ boards }) => boards);
      for (const lane of INFERENCE_PRIORITIES) {
        for (const version of VERSIONS) {
          const mine = order.filter((board) => board.lane === lane && board.version === version);
          expect(mine.map(({ index }) => index)).toEqual(mine.map(({ index }) => index).sort((a, b) => a - b));
        }
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test('high never waits behind low, except for one batch in four while something is overdue', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, judgeMs, async (script, durations) => {
      let sinceTurn = 0;
      for (const { boards, waiting, atMs } of await play(script, durations)) {
        const leader = boards[0] as Board;
        // A board of the other version that came just now may still wait for others.
        const rivals = waiting.filter((board) => board.version === leader.version || atMs - board.atMs >= DELAY_MS);
        if (INFERENCE_PRIORITIES.indexOf(leader.lane) < highestOf(rivals)) {
          expect(atMs - leader.atMs).toBeGreaterThanOrEqual(OVERDUE_MS);
          expect(sinceTurn).toBeGreaterThanOrEqual(3);
          sinceTurn = 0;
        } else sinceTurn += 1;
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test('nothing starves: what has waited longest, and too long, is sent within four batches', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, judgeMs, async (script, durations) => {
      let passedOver = 0;
      let eldest: Board | undefined;
      for (const { boards, waiting, atMs } of await play(script, durations)) {
        const oldest = waiting[0] as Board;
        if (oldest !== eldest) passedOver = 0;
        eldest = oldest;
        if (atMs - oldest.atMs >= OVERDUE_MS && !boards.includes(oldest)) passedOver += 1;
        expect(passedOver).toBeLessThan(4);
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test('a flood of high boards leaves low its quarter, and takes the rest', async () => {
  const script: Arrival[] = Array.from({ length: 16 * 60 }, (_, index) => ({
    version: VERSIONS[0] as DetectorVersion,
    lane: index < 64 ? 'low' : 'high',
    batchSizeMax: 32,
    gapMs: index < 64 ? 0 : Number(index % 4 === 0),
  }));
  const sent = await play(script, [40]);
  const led = sent.map(({ boards }) => boards[0]?.lane);
  // Low came first: two batches of it went before anybody else was there. Of the rest, every fourth batch is low's.
  expect(led.slice(0, 10)).toEqual(['low', 'low', 'high', 'low', 'high', 'high', 'high', 'low', 'high', 'high']);
  expect(led.filter((lane) => lane === 'low')).toHaveLength(4);
  expect(sent.every(({ boards }) => boards.length === 16)).toBe(true);
});
