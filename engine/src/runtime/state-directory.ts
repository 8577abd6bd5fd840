import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { StreamsConfig } from '../base/config.ts';
import { StreamsError } from '../base/errors.ts';
import type { Log } from '../base/metrics.ts';

/** In a task's folder: who has it, and, as the time of the file, when that was last so. Empty when it was given back. */
const leaseFile = '.lease';
const taskFolder = /^\d+_\d+$/;
/** A folder on its way out has this behind its name. What a process left so when it ended is removed like any other folder. */
const removedSuffix = '.removed';
const removedFolder = /^\d+_\d+\.removed$/;
/** Renewals of a lease within the time after which others take a folder for abandoned: a busy process may miss some. */
const renewalsPerDelay = 4;
/** And not less often than this, so that a long delay does not let a lease look old. */
const passIntervalMsMax = 60_000;
/** Renewals that the lease of a living process may miss before a task may be taken from it. */
const missedRenewalsMax = 2;
/** Instances of this process that hold leases: a lease of this process id by nobody of these is from a former life. */
const holdersHere = new Set<string>();

interface Lease {
  readonly holder: string;
  readonly pid: number;
  readonly host: string;
}

/**
 * The folder of an application's local state on one disk, which other instances and processes may share. A task's folder is
 * leased while the task is here; one whose lease nobody has renewed for `stateCleanupDelayMs` is removed.
 *
 * Owns: the leases of this instance, what it has seen of those of others. Called by: KafkaStreams, StreamThread, TaskManager.
 * Invariants: I1 a folder is removed only after this instance has watched its lease stand still for the whole delay, by its own
 * monotonic clock: neither a machine that slept nor clocks that differ make a lease look old; I2 it is moved away and looked
 * at again before it is removed, so that a task that comes just then either keeps it or begins with an empty one; I3 a folder that
 * a living process of this host holds is not leased.
 */
export class StateDirectory {
  readonly path: string;
  readonly #holder: string;
  readonly #delayMs: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #held = new Set<string>();
  readonly #watched = new Map<string, { readonly leaseMs: number; readonly sinceMs: number }>();
  #lastPassMs: number;
  #pass: Promise<void> | undefined;

  /** `holder`: tells this instance from others, in the lease. */
  constructor(config: StreamsConfig, holder: string) {
    this.path = join(config.stateDir, config.applicationId);
    this.#holder = holder;
    this.#delayMs = config.stateCleanupDelayMs;
    this.#clock = config.clock;
    this.#log = config.log;
    this.#lastPassMs = config.clock.monotonicMs();
  }

  /** Where a task's persistent stores live. */
  folderOf(taskId: string): string {
    return join(this.path, taskId);
  }

  /**
   * Before a task opens its stores: makes its folder and takes it. Throws, to be tried again, while another instance of this host
   * has it: that one was slower to give the task back than the group to give it away.
   */
  lease(taskId: string): void {
    const folder = this.folderOf(taskId);
    const other = this.#leaseOf(taskId, missedRenewalsMax * this.#passIntervalMs);
    if (other !== undefined && other.holder !== this.#holder && other.host === hostname() && isLiving(other)) {
      throw new StreamsError(`The local state of task ${taskId} is still held by another instance (${folder})`, {
        code: 'INVALID_STATE_STORE',
        recovery: 'retry',
      });
    }
    this.#write(taskId);
    this.#held.add(taskId);
    holdersHere.add(this.#holder);
  }

  /** After a task has closed its stores. A folder that is gone, or somebody else's by now, is no error. */
  release(taskId: string): void {
    if (!this.#held.delete(taskId)) return;
    if (this.#held.size === 0) holdersHere.delete(this.#holder);
    try {
      if (this.#leaseOf(taskId)?.holder === this.#holder) this.#writeFile(taskId, '');
    } catch (error) {
      if (!isAbsent(error)) this.#log.warn({ err: error, taskId }, 'The lease of local state could not be given back');
    }
  }

  #write(taskId: string): void {
    const lease: Lease = { holder: this.#holder, pid: process.pid, host: hostname() };
    const write = (): void => {
      mkdirSync(this.folderOf(taskId), { recursive: true });
      this.#writeFile(taskId, JSON.stringify(lease));
    };
    try {
      write();
    } catch (error) {
      if (!isAbsent(error)) throw error;
      // A cleaner moved it away just then: now it is gone.
      write();
    }
  }

  #writeFile(taskId: string, content: string): void {
    const file = this.#leaseFileOf(taskId);
    writeFileSync(file, content);
    const nowSeconds = this.#clock.nowMs() / 1_000;
    utimesSync(file, nowSeconds, nowSeconds);
  }

  #leaseFileOf(taskId: string): string {
    return join(this.folderOf(taskId), leaseFile);
  }

  /** Every now and then: renews the leases of this instance and removes folders that nobody has. Works in the background. */
  cleanIfDue(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#pass !== undefined || nowMs - this.#lastPassMs < this.#passIntervalMs) return;
    this.#lastPassMs = nowMs;
    this.#pass = this.#renewAndClean()
      .catch((error: unknown) => this.#log.warn({ err: error, path: this.path }, 'Local state could not be cleaned'))
      .finally(() => {
        this.#pass = undefined;
      });
  }

  get #passIntervalMs(): number {
    return Math.min(this.#delayMs / renewalsPerDelay, passIntervalMsMax);
  }

  /** Resolves when nothing is being removed. */
  async settled(): Promise<void> {
    await this.#pass;
  }

  async #renewAndClean(): Promise<void> {
    const nowSeconds = this.#clock.nowMs() / 1_000;
    for (const taskId of [...this.#held]) {
      try {
        await utimes(this.#leaseFileOf(taskId), nowSeconds, nowSeconds);
      } catch (error) {
        if (!this.#held.has(taskId)) continue;
        this.#log.warn({ err: error, taskId }, 'The lease of local state is gone; it is written again');
        this.#write(taskId);
      }
    }
    const names = await namesIn(this.path);
    for (const name of this.#watched.keys()) if (!names.includes(name)) this.#watched.delete(name);
    for (const name of names) {
      if (removedFolder.test(name) && (await this.#isAbandoned(name))) await this.#remove(name);
      if (taskFolder.test(name) && (await this.#isAbandoned(name))) await this.#moveAwayAndRemove(name);
    }
  }

  /** Its lease has stood still for the whole delay. */
  async #isAbandoned(name: string): Promise<boolean> {
    const leaseMs = this.#held.has(name) ? undefined : await leaseTimeMs(join(this.path, name));
    if (leaseMs === undefined) {
      this.#watched.delete(name);
      return false;
    }
    const nowMs = this.#clock.monotonicMs();
    const watched = this.#watched.get(name);
    if (watched?.leaseMs === leaseMs) return nowMs - watched.sinceMs >= this.#delayMs;
    this.#watched.set(name, { leaseMs, sinceMs: nowMs });
    return false;
  }

  async #moveAwayAndRemove(taskId: string): Promise<void> {
    const folder = this.folderOf(taskId);
    const removed = `${taskId}${removedSuffix}`;
    const seenMs = this.#watched.get(taskId)?.leaseMs;
    await rm(join(this.path, removed), { recursive: true, force: true });
    try {
      await rename(folder, join(this.path, removed));
    } catch (error) {
      // Another instance was faster.
      if (isAbsent(error)) return;
      throw error;
    }
    const isTaken = this.#held.has(taskId) || (await leaseTimeMs(join(this.path, removed))) !== seenMs;
    if (isTaken) {
      this.#watched.delete(taskId);
      try {
        await rename(join(this.path, removed), folder);
        return;
      } catch (error) {
        // Another instance has removed it.
        if (isAbsent(error)) return;
        // It has begun anew there; what it would have found is in the changelog.
        if (!isOccupied(error)) throw error;
      }
    }
    await this.#remove(removed);
    this.#log.info({ taskId }, 'Removed local state of a task that is not here any more');
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.path, name), { recursive: true, force: true });
    this.#watched.delete(name);
  }

  /** Removes all local state that no living instance holds, so that the next start restores everything. Synchronous. */
  cleanUp(): void {
    const kept: string[] = [];
    for (const name of namesInSync(this.path)) {
      if (taskFolder.test(name) && this.#isHeld(name)) kept.push(name);
      else if (name !== 'global') rmSync(join(this.path, name), { recursive: true, force: true });
    }
    if (kept.length === 0) rmSync(this.path, { recursive: true, force: true });
    else this.#log.warn({ path: this.path, tasks: kept }, 'Left the local state that other instances hold');
  }

  #isHeld(taskId: string): boolean {
    const lease = this.#leaseOf(taskId, this.#delayMs);
    return lease !== undefined && (lease.host !== hostname() || isLiving(lease));
  }

  /** Undefined: nobody's, or not renewed for so long. */
  #leaseOf(taskId: string, withinMs = Number.POSITIVE_INFINITY): Lease | undefined {
    const file = this.#leaseFileOf(taskId);
    try {
      const content = readFileSync(file, 'utf8');
      if (content === '' || this.#clock.nowMs() - statSync(file).mtimeMs > withinMs) return undefined;
      return JSON.parse(content) as Lease;
    } catch (error) {
      // Without a lease, or with one that a crash cut off.
      if (isAbsent(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

/** The holder is an instance of this process, or of another that lives on this host. */
function isLiving({ holder, pid }: Lease): boolean {
  return pid === process.pid ? holdersHere.has(holder) : isAlive(pid);
}

/** Undefined when the folder is gone. One without a lease has its own time: an earlier version made it. */
async function leaseTimeMs(folder: string): Promise<number | undefined> {
  for (const path of [join(folder, leaseFile), folder]) {
    try {
      return (await stat(path)).mtimeMs;
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return undefined;
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function namesInSync(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function isOccupied(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}

/** Signal 0 asks whether there is such a process; EPERM: there is, of another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
