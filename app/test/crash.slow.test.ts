import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { liveYields } from './support/live-snapshot.ts';
import { StartedLine } from './support/started-line.ts';
import { removeTestDirectory, testDirectory } from './support/test-directory.ts';

const BOARDS = 300;
const KILLS = 10;
/** After the stations began: anywhere from the first request to well into the run. */
const KILL_AFTER_MS_MAX = 4_000;
/** So slow that all kills together, each as late as it may come, end before the run does, however fast the machine is. */
const BOARDS_PER_MINUTE = 400;
/** From a start to the first board, on a busy machine. */
const START_MS_MAX = 240_000;
/** Eleven starts and a run. */
const TEST_MS_MAX = 1_800_000;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Mulberry-like step: the kills of a seed come at the same moments. */
function random(state: { value: number }): number {
  state.value = (Math.imul(state.value ^ (state.value >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0;
  return state.value / 2 ** 32;
}

describe('kill -9 in the middle of a run', () => {
  let line: StartedLine | undefined;
  let localDirectory = '';
  const free = () => removeTestDirectory(localDirectory);
  afterAll(async () => {
    if (line?.isRunning === true) await line.killEverything();
    free();
  });

  /** Starts, kills after a random while, `kills` times; then lets a start come to its end and looks at its last line. */
  async function interruptedRun(boards: number, kills: number, kill: (line: StartedLine) => Promise<number>) {
    localDirectory = testDirectory(`test-crash-${boards}`);
    const options = ['--boards', String(boards), '--rate', String(BOARDS_PER_MINUTE), '--exit'];
    const state = { value: seed };
    for (let count = 1; count <= kills; count += 1) {
      const startedMs = performance.now();
      line = new StartedLine(localDirectory, options);
      await line.printed(/stations are working/, START_MS_MAX);
      const upMs = performance.now();
      await sleep(random(state) * KILL_AFTER_MS_MAX);
      expect(line.isRunning, `SEED=${seed}: the run was over before kill ${count}:\n${line.output}`).toBe(true);
      // npm, the bootstrap, the platform; the stations too unless they are just being started.
      expect(await kill(line)).toBeGreaterThanOrEqual(3);
      const begun = /going on with .*/.exec(line.output)?.[0] ?? 'a fresh run';
      console.log(`kill ${count}: up after ${Math.round(upMs - startedMs)} ms, ${begun}`);
    }
    line = new StartedLine(localDirectory, options);
    const code = await line.exited;
    console.log(line.lastLine);
    expect(line.lastLine, `SEED=${seed}\n${line.output}`).toMatch(
      new RegExp(`^boards=${boards} completed=${boards} lost=0 duplicated=0 `),
    );
    expect(code).toBe(0);
    await expectYieldOf(boards);
    free();
  }

  /** The windows of line yield, which PostgreSQL knows nothing of, count every board once, too. */
  async function expectYieldOf(boards: number): Promise<void> {
    line = new StartedLine(localDirectory, ['--no-stations', '--port', '0']);
    const [, address] = await line.printed(/live line: (\S+)/, START_MS_MAX);
    const counted = async (): Promise<number> => {
      const yields = await liveYields(address ?? '');
      return yields.reduce((sum, { inspected, errored }) => sum + inspected + errored, 0);
    };
    await expect.poll(counted, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(boards);
    await sleep(1_000);
    expect(await counted(), `SEED=${seed}`).toBe(boards);
    await line.interrupt();
  }

  it(`loses and doubles nothing over ${KILLS} kills (SEED=${seed})`, { timeout: TEST_MS_MAX }, () =>
    interruptedRun(BOARDS, KILLS, (running) => running.killOwnCode()),
  );

  it(
    'loses and doubles nothing when broker, registry, database and store are killed too',
    { timeout: TEST_MS_MAX },
    () => interruptedRun(120, 3, (running) => running.killEverything()),
  );
});
