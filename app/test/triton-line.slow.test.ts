import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { StartedLine } from './support/started-line.ts';
import { removeTestDirectory, testDirectory } from './support/test-directory.ts';

const localDirectory = testDirectory('test-triton-line');

const BOARDS = 500;
const RATE_PER_MINUTE = 150;
/** The first start on a machine installs Triton. */
const START_MS_MAX = 600_000;
const AWAY_MS = 60_000;
/** The circuit tries every 30 s. */
const RECOVERY_MS_MAX = 240_000;

describe('a line on a real Triton', () => {
  let line: StartedLine | undefined;
  afterAll(async () => {
    if (line?.isRunning === true) await line.killOwnCode();
    removeTestDirectory(localDirectory);
  });

  it('waits while Triton is away for a minute, is not ready meanwhile, and loses and doubles nothing', {
    timeout: 1_500_000,
  }, async () => {
    line = new StartedLine(localDirectory, [
      '--engine',
      'triton',
      '--boards',
      String(BOARDS),
      '--rate',
      String(RATE_PER_MINUTE),
      '--concurrency',
      '48',
      '--exit',
    ]);
    const [, address] = await line.printed(/live line: (http:\S+?)\/#/, START_MS_MAX);
    await line.printed(/\d+ boards, \d+ a minute/, START_MS_MAX);
    const ready = async () => (await fetch(`${address}/health/ready`)).status;
    expect(await ready()).toBe(200);

    // Stopped, not killed: connections stay open and nobody answers, and the supervisor does not start another one.
    const triton = line.pidOf('triton');
    process.kill(triton, 'SIGSTOP');
    try {
      await expect.poll(ready, { timeout: AWAY_MS, interval: 500 }).toBe(503);
      await sleep(AWAY_MS);
      expect(await ready()).toBe(503);
    } finally {
      process.kill(triton, 'SIGCONT');
    }
    await expect.poll(ready, { timeout: RECOVERY_MS_MAX, interval: 500 }).toBe(200);
    const back = line.output.length;
    await line.printed(/(\d+ boards, [\s\S]*){2}/, RECOVERY_MS_MAX, back);

    // Killed: the stack starts it again, and the line goes on by itself.
    const from = line.output.length;
    process.kill(line.pidOf('triton'), 'SIGKILL');
    await line.printed(/^triton ready/m, RECOVERY_MS_MAX, from);

    expect(await line.exited, line.output).toBe(0);
    expect(line.lastLine, line.output).toMatch(
      new RegExp(`^boards=${BOARDS} completed=${BOARDS} lost=0 duplicated=0 precision`),
    );
  });
});
