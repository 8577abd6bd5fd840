import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/base/default-config.ts';
import type { Disk } from '../../../src/base/disk.ts';
import { silentLog } from '../../../src/base/metrics.ts';
import { systemDisk } from '../../../src/base/system-disk.ts';
import { StateDirectory } from '../../../src/runtime/directory/state-directory.ts';
import { TestClock } from '../../../src/testing/driver/test-clock.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';

const DELAY_MS = 1_000;
const START_MS = 1_700_000_000_000;

const disks: readonly (readonly [name: string, create: (clock: TestClock) => Disk])[] = [
  ['the disk of the machine', () => systemDisk],
  ['a disk in memory', (clock) => new MemoryDisk(clock)],
];

describe.each(disks)('StateDirectory on %s', (_name, createDisk) => {
  let disk: Disk;
  let stateDir: string;
  let clock: TestClock;
  let warnings: string[];
  const log = { ...silentLog, warn: (_fields: unknown, message: string) => void warnings.push(message) };

  beforeEach(() => {
    warnings = [];
    clock = new TestClock(START_MS);
    disk = createDisk(clock);
    stateDir = disk.makeTemporaryFolderSync('millrace-state-');
  });

  afterEach(() => disk.removeSync(stateDir));

  const instance = (holder: string): StateDirectory =>
    new StateDirectory(
      resolveConfig({ applicationId: 'app', stateDir, clock, disk, log, stateCleanupDelayMs: DELAY_MS }),
      holder,
    );
  const folders = (): readonly string[] => [...disk.namesSync(join(stateDir, 'app'))].sort();
  /** Lets time pass; each of these instances works meanwhile. */
  const pass = async (byMs: number, ...working: readonly StateDirectory[]): Promise<void> => {
    for (let passedMs = 0; passedMs < byMs; passedMs += DELAY_MS / 4) {
      clock.advance(DELAY_MS / 4);
      for (const each of working) {
        each.cleanIfDue();
        await each.settled();
      }
    }
  };

  it('removes the folder of a task that nobody has had for the delay, and keeps those that somebody has', async () => {
    const here = instance('here');
    const there = instance('there');
    here.lease('0_0');
    there.lease('0_1');
    here.lease('0_2');
    here.release('0_2');
    disk.makeFolderSync(join(stateDir, 'app', 'global'));
    await pass(DELAY_MS, here, there);
    expect(folders()).toEqual(['0_0', '0_1', '0_2', 'global']);
    await pass(2 * DELAY_MS, here, there);
    expect(folders()).toEqual(['0_0', '0_1', 'global']);
    // The other one stops without giving its lease back, as a killed process does.
    await pass(2 * DELAY_MS, here);
    expect(folders()).toEqual(['0_0', 'global']);
  });

  it('counts only the time that it has watched itself: what lay there for days is kept for the delay', async () => {
    const before = instance('before');
    before.lease('0_0');
    before.release('0_0');
    clock.advance(100 * DELAY_MS);
    const here = instance('here');
    await pass(DELAY_MS, here);
    expect(folders()).toEqual(['0_0']);
    await pass(DELAY_MS, here);
    expect(folders()).toEqual([]);
  });

  it('leaves a folder alone that is taken while it is about to be removed', async () => {
    const here = instance('here');
    const there = instance('there');
    for (const taker of [here, there]) {
      taker.lease('0_0');
      taker.release('0_0');
      await pass(DELAY_MS, here);
      clock.advance(DELAY_MS / 4);
      here.cleanIfDue();
      taker.lease('0_0');
      disk.makeFolderSync(join(taker.folderOf('0_0'), 'store'));
      await here.settled();
      expect(folders()).toEqual(['0_0']);
      expect(disk.namesSync(taker.folderOf('0_0'))).toContain('store');
      taker.release('0_0');
    }
  });

  it('lets several instances clean at the same moment', async () => {
    const instances = ['a', 'b', 'c'].map(instance);
    for (let partition = 0; partition < 10; partition += 1) {
      instances[0]?.lease(`0_${partition}`);
      instances[0]?.release(`0_${partition}`);
    }
    for (let passes = 0; passes < 10; passes += 1) {
      clock.advance(DELAY_MS / 4);
      for (const each of instances) each.cleanIfDue();
      for (const each of instances) await each.settled();
    }
    expect(folders()).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('keeps the folder of a task whose lease a cleaner has taken away, once it is known', async () => {
    const here = instance('here');
    const there = instance('there');
    here.lease('0_0');
    disk.removeSync(join(here.folderOf('0_0'), '.lease'));
    await pass(4 * DELAY_MS, here, there);
    expect(folders()).toEqual(['0_0']);
    there.cleanUp();
    expect(folders()).toEqual(['0_0']);
  });

  it('refuses a task that another living instance has, until that gives it back or renews its lease no more', async () => {
    const here = instance('here');
    const there = instance('there');
    there.lease('0_0');
    await pass(4 * DELAY_MS, there);
    here.lease('0_1');
    expect(() => here.lease('0_0')).toThrow(expect.objectContaining({ recovery: 'retry' }));
    there.release('0_0');
    here.lease('0_0');
    here.lease('0_0');
    await pass(DELAY_MS, there);
    there.lease('0_1');
    // What it has lost it neither gives back nor lets be cleaned up.
    here.release('0_1');
    expect(() => here.lease('0_1')).toThrow();
    here.cleanUp();
    expect(folders()).toContain('0_1');
  });

  it('takes a task from processes that have ended, also on another host that says nothing of it', () => {
    const here = instance('here');
    for (const lease of [
      { holder: 'somebody', pid: process.pid, thread: threadId, host: hostname() },
      { holder: 'somebody', pid: 2 ** 22 + 1, thread: 0, host: hostname() },
      { holder: 'somebody', pid: process.ppid, thread: 0, host: 'another-host' },
    ]) {
      disk.makeFolderSync(here.folderOf('0_0'));
      disk.writeTextSync(join(here.folderOf('0_0'), '.lease'), JSON.stringify(lease));
      here.lease('0_0');
      here.release('0_0');
    }
  });

  it('removes what a process left that ended while it removed', async () => {
    disk.makeFolderSync(join(stateDir, 'app', '0_7.removed', 'store'));
    await pass(2 * DELAY_MS, instance('here'));
    expect(folders()).toEqual([]);
  });

  it('cleans up all that no living instance holds', () => {
    const here = instance('here');
    const there = instance('there');
    const lease = (taskId: string, pid: number, host = hostname(), thread = threadId): void => {
      here.lease(taskId);
      here.release(taskId);
      disk.writeTextSync(
        join(here.folderOf(taskId), '.lease'),
        JSON.stringify({ holder: 'somebody', pid, thread, host }),
      );
    };
    const alive = process.ppid;
    const neverAProcess = 2 ** 22 + 1;
    here.lease('0_0');
    here.release('0_0');
    there.lease('0_1');
    lease('0_2', alive);
    lease('0_3', neverAProcess);
    // This process id, but nobody of this process: a former life in a container that always has the same.
    lease('0_4', process.pid);
    lease('0_5', 1, 'another-host');
    // Another thread of this process.
    lease('0_6', process.pid, hostname(), threadId + 1);
    here.cleanUp();
    expect(folders()).toEqual(['0_1', '0_2', '0_5', '0_6']);
    // A lease that nobody has renewed for so long is nobody's.
    clock.advance(Date.now() - START_MS + 2 * DELAY_MS);
    here.cleanUp();
    expect(disk.namesSync(stateDir)).toEqual([]);
  });
});

describe('StateDirectory on a disk that fails', () => {
  const reasons: string[] = [];
  const log = {
    ...silentLog,
    warn: (fields: object, message: string) =>
      void reasons.push(`${(fields as { err?: Error }).err?.message} | ${message}`),
  };
  let clock: TestClock;
  let disk: MemoryDisk;

  beforeEach(() => {
    reasons.length = 0;
    clock = new TestClock(START_MS);
    disk = new MemoryDisk(clock);
  });

  const instance = (holder: string): StateDirectory =>
    new StateDirectory(
      resolveConfig({ applicationId: 'app', stateDir: '/state', clock, disk, log, stateCleanupDelayMs: DELAY_MS }),
      holder,
    );
  const clean = async (directory: StateDirectory): Promise<void> => {
    clock.advance(DELAY_MS / 4);
    directory.cleanIfDue();
    await directory.settled();
  };

  it('is not stopped by a lease that was cut off: nobody has that folder', () => {
    const here = instance('here');
    const there = instance('there');
    disk.failNext({ operation: 'writeTextSync', path: /\.lease$/, code: 'EIO', tornAfter: 12 });
    expect(() => here.lease('0_0')).toThrow('EIO');
    expect(disk.readTextSync('/state/app/0_0/.lease')).toHaveLength(12);
    there.lease('0_0');
    expect(() => here.lease('0_0')).toThrow('task 0_0 is still held by another instance');
  });

  it('says that a lease could not be renewed on a full disk, and renews it when there is room', async () => {
    const here = instance('here');
    here.lease('0_0');
    disk.removeSync('/state/app/0_0');
    disk.failNext({ operation: 'writeTextSync', path: /\.lease$/, code: 'ENOSPC' });
    await clean(here);
    expect(reasons.at(-1)).toMatch(/ENOSPC.*Local state could not be cleaned/);
    await clean(here);
    expect(disk.statusSync('/state/app/0_0/.lease').modifiedMs).toBe(clock.nowMs());
  });

  it('tries again to remove what it could not remove', async () => {
    const here = instance('here');
    here.lease('0_0');
    here.release('0_0');
    disk.failNext({ operation: 'remove', path: /0_0\.removed$/, code: 'EACCES', times: 2 });
    for (let passes = 0; passes < 6; passes += 1) await clean(here);
    expect(disk.namesSync('/state/app')).toEqual(['0_0']);
    for (let passes = 0; passes < 6; passes += 1) await clean(here);
    expect(disk.namesSync('/state/app')).toEqual([]);
    expect(reasons).toHaveLength(2);
  });

  it('gives a task back although its lease can not be written', () => {
    const here = instance('here');
    here.lease('0_0');
    disk.failNext({ operation: 'writeTextSync', path: /\.lease$/, code: 'EIO' });
    here.release('0_0');
    expect(reasons).toEqual([expect.stringMatching(/EIO.*The lease of local state could not be given back/)]);
    instance('there').lease('0_0');
  });
});
