import { afterAll, describe, expect, it } from 'vitest';
import { StartedLine } from './support/started-line.ts';
import { removeTestDirectory, testDirectory } from './support/test-directory.ts';

const localDirectory = testDirectory('test-interrupt');
const BOARDS = 60;
const START_MS_MAX = 240_000;
const options = ['--boards', String(BOARDS), '--exit'];

describe('Ctrl-C', () => {
  const lines: StartedLine[] = [];
  const start = (...more: string[]): StartedLine => {
    const line = new StartedLine(localDirectory, [...options, ...more]);
    lines.push(line);
    return line;
  };
  afterAll(async () => {
    for (const line of lines) if (line.isRunning) await line.killOwnCode();
    removeTestDirectory(localDirectory);
  });

  it('ends cleanly in the middle of a run, which the next start finishes', { timeout: 600_000 }, async () => {
    const first = start('--rate', '120');
    await first.printed(/\d+ boards, \d+ a minute/, START_MS_MAX);
    const second = start();
    // Two on one data folder would take the partitions from each other.
    expect(await second.exited).toBe(1);
    expect(second.output).toContain('another "npm start" is running');

    expect(await first.interrupt()).toBe(130);
    expect(first.output).toMatch(/run \S+ is not finished; the next start goes on with it/);

    const third = start();
    expect(await third.exited, third.output).toBe(0);
    expect(third.output).toMatch(/going on with run \S+: \d+ boards begun/);
    expect(third.lastLine).toMatch(new RegExp(`^boards=${BOARDS} completed=${BOARDS} lost=0 duplicated=0 `));
  });

  it('ends a start that is not through yet', { timeout: 600_000 }, async () => {
    const line = start();
    await line.printed(/ready after/, START_MS_MAX);
    await line.interrupt();
    expect(line.output).not.toContain('error:');
    const next = start();
    expect(await next.exited, next.output).toBe(0);
  });
});
