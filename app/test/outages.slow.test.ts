import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { StartedLine } from './support/started-line.ts';
import { removeTestDirectory, testDirectory } from './support/test-directory.ts';

const localDirectory = testDirectory('test-outages');

const BOARDS = 400;
/** Slow enough that the run outlasts the outages. */
const RATE_PER_MINUTE = 150;
const START_MS_MAX = 240_000;
/** A service starts again within seconds, on a busy machine within a minute. */
const RECOVERY_MS_MAX = 180_000;
/** Longer than a session of a consumer group: the partitions are taken away meanwhile. */
const FREEZE_MS = 16_000;

describe('a line whose surroundings fail', () => {
  let line: StartedLine | undefined;
  afterAll(async () => {
    if (line?.isRunning === true) await line.killOwnCode();
    removeTestDirectory(localDirectory);
  });

  it('loses and doubles nothing when its parts are killed, nor when it sleeps', { timeout: 1_500_000 }, async () => {
    line = new StartedLine(localDirectory, [
      '--boards',
      String(BOARDS),
      '--rate',
      String(RATE_PER_MINUTE),
      '--concurrency',
      '48',
      '--exit',
    ]);
    await line.printed(/\d+ boards, \d+ a minute/, START_MS_MAX);
    for (const service of ['objects', 'postgres', 'registry', 'kafka']) {
      const from = line.output.length;
      process.kill(line.pidOf(service), 'SIGKILL');
      await line.printed(new RegExp(`^${service} ready`, 'm'), RECOVERY_MS_MAX, from);
      // The second report after that is about boards that were finished since.
      const back = line.output.length;
      await line.printed(/(\d+ boards, [\s\S]*){2}/, RECOVERY_MS_MAX, back);
    }
    const asleep = line.output.length;
    const pid = line.platformPid;
    process.kill(pid, 'SIGSTOP');
    await sleep(FREEZE_MS);
    process.kill(pid, 'SIGCONT');
    await line.printed(/(\d+ boards, [\s\S]*){2}/, RECOVERY_MS_MAX, asleep);
    expect(await line.exited, line.output).toBe(0);
    expect(line.lastLine, line.output).toMatch(
      new RegExp(`^boards=${BOARDS} completed=${BOARDS} lost=0 duplicated=0 precision`),
    );
  });
});
