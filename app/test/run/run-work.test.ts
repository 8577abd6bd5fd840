import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunLedger } from '@chip-quality/stations';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseOptions } from '../../src/entry/options.ts';
import { RunWork } from '../../src/run/run-work.ts';

let runsDirectory: string;
beforeEach(async () => {
  runsDirectory = await mkdtemp(join(tmpdir(), 'runs-'));
});
afterEach(() => rm(runsDirectory, { recursive: true, force: true }));

test('P6: a run whose folder of boards is gone is closed with a word, and does not stop later starts', async () => {
  const left = await RunLedger.create(runsDirectory, { boards: 5, source: '/no/such/folder', seed: 0 }, 1);
  await left.close();
  const said: string[] = [];
  let stopped: Promise<void> | undefined;
  const work = new RunWork(
    {
      apiUrl: 'http://127.0.0.1:9',
      token: 'none',
      runsDirectory,
      // Nothing is compared: the work is stopped before its own run begins.
      pool: undefined as unknown as Pool,
      say: (line) => {
        said.push(line);
        if (line.includes('is closed')) stopped ??= work.stop();
      },
    },
    parseOptions(['--boards', '1']),
    { boards: 1, source: 'generated', remark: undefined },
  );
  expect(await work.workOff()).toBeUndefined();
  await stopped;
  expect(said[0]).toMatch(/^run \S+, which an earlier start left behind, is closed: its boards can't be read any more/);
  expect(said[0]).toContain('/no/such/folder');
  expect(said[0]).toContain('0 of 0 boards that were begun are finished');
  const unfinished = await RunLedger.unfinished(runsDirectory);
  expect(unfinished.map(({ run }) => run.source)).toEqual(['generated']);
  for (const ledger of unfinished) await ledger.close();
});
