import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/base/default-config.ts';
import { StateDirectory } from '../../../src/runtime/directory/state-directory.ts';

const holder = fileURLToPath(new URL('../../support/state-holder.ts', import.meta.url));
/** Long enough for a busy process to renew its lease within it. */
const DELAY_MS = 2_000;

it('keeps the local state of another process on the same disk as long as that lives', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  const child = spawn(process.execPath, [holder, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    const config = resolveConfig({ applicationId: 'app', stateDir, stateCleanupDelayMs: DELAY_MS });
    const here = new StateDirectory(config, 'here');
    const theirs = here.folderOf('0_1');
    here.lease('0_2');
    here.release('0_2');
    const cleanUntil = async (isOver: () => boolean): Promise<void> => {
      while (!isOver()) {
        here.cleanIfDue();
        await here.settled();
        await sleep(50);
      }
    };
    // That one was given back: by the time it goes, theirs has been watched for as long.
    await cleanUntil(() => !existsSync(here.folderOf('0_2')));
    here.cleanUp();
    expect(existsSync(theirs)).toBe(true);
    expect(() => here.lease('0_1')).toThrow('task 0_1 is still held by another instance');

    child.kill('SIGKILL');
    await exited;
    here.lease('0_1');
    here.release('0_1');
    await cleanUntil(() => !existsSync(theirs));
  } finally {
    child.kill('SIGKILL');
    rmSync(stateDir, { recursive: true, force: true });
  }
}, 60_000);
