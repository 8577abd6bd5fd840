import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { type Disk, isAbsent } from '../../base/disk.ts';
import type { Log } from '../../base/metrics.ts';
import { leaseTimeMs, TaskLeases } from './task-leases.ts';

const TASK_FOLDER = /^\d+_\d+$/;
/**
 * A folder that is being removed has this behind its name. One that a process did not get to remove is removed like any
 * other.
 */
const REMOVED_SUFFIX = '.removed';
const REMOVED_FOLDER = /^\d+_\d+\.removed$/;
/** Renewals of a lease within the time after which others take a folder for abandoned: a busy process may miss some. */
const RENEWALS_PER_DELAY = 4;
/** And not less often than this, so that a long delay does not let a lease look old. */
const PASS_INTERVAL_MS_MAX = 60_000;

/**
 * The folder of an application's local state on one disk, which other instances and processes may share. A task's folder is
 * leased while the task is here; one whose lease nobody has renewed for `stateCleanupDelayMs` is removed.
 *
 * Owns: what this instance has seen of the leases of others. Called by: KafkaStreams, StreamThread, TaskManager.
 * Invariants: I1 a folder is removed only after this instance has watched its lease stand still for the whole delay, by its own
 * monotonic clock: neither a machine that slept nor clocks that differ make a lease look old; I2 it is moved away and looked
 * at again before it is removed, so that a task that comes just then either keeps it or begins with an empty one.
 */
export class StateDirectory {
  /** `<stateDir>/<applicationId>`: has a folder for each task. */
  readonly path: string;
  readonly #leases: TaskLeases;
  readonly #delayMs: number;
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #passIntervalMs: number;
  readonly #watched = new Map<string, { readonly leaseMs: number; readonly sinceMs: number }>();
  #lastPassMs: number;
  #pass: Promise<void> | undefined;

  /** `holder`: tells this instance from others, in the lease. */
  constructor(config: StreamsConfig, holder: string) {
    this.path = join(config.stateDir, config.applicationId);
    const { clock, disk, log, stateCleanupDelayMs } = config;
    this.#delayMs = stateCleanupDelayMs;
    this.#clock = clock;
    this.#disk = disk;
    this.#log = log;
    this.#lastPassMs = clock.monotonicMs();
    this.#passIntervalMs = Math.min(stateCleanupDelayMs / RENEWALS_PER_DELAY, PASS_INTERVAL_MS_MAX);
    const folderOf = (taskId: string) => this.folderOf(taskId);
    this.#leases = new TaskLeases({ holder, folderOf, renewalMs: this.#passIntervalMs, disk, clock, log });
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
    this.#leases.take(taskId);
  }

  /** After a task has closed its stores. A folder that is gone, or somebody else's by now, is no error. */
  release(taskId: string): void {
    this.#leases.giveBack(taskId);
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

  /** Resolves when nothing is being removed. */
  async settled(): Promise<void> {
    await this.#pass;
  }

  async #renewAndClean(): Promise<void> {
    await this.#leases.renew();
    const names = await this.#names();
    for (const name of this.#watched.keys()) if (!names.includes(name)) this.#watched.delete(name);
    for (const name of names) {
      if (REMOVED_FOLDER.test(name) && (await this.#isAbandoned(name))) await this.#remove(name);
      if (TASK_FOLDER.test(name) && (await this.#isAbandoned(name))) await this.#moveAwayAndRemove(name);
    }
  }

  /** Its lease has stood still for the whole delay. */
  async #isAbandoned(name: string): Promise<boolean> {
    const leaseMs = this.#leases.has(name) ? undefined : await leaseTimeMs(this.#disk, join(this.path, name));
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
    const removed = `${taskId}${REMOVED_SUFFIX}`;
    const seenMs = this.#watched.get(taskId)?.leaseMs;
    await this.#disk.remove(join(this.path, removed));
    try {
      await this.#disk.rename(folder, join(this.path, removed));
    } catch (error) {
      // Another instance was faster.
      if (isAbsent(error)) return;
      throw error;
    }
    const isTaken = this.#leases.has(taskId) || (await leaseTimeMs(this.#disk, join(this.path, removed))) !== seenMs;
    if (isTaken) {
      this.#watched.delete(taskId);
      try {
        await this.#disk.rename(join(this.path, removed), folder);
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
    await this.#disk.remove(join(this.path, name));
    this.#watched.delete(name);
  }

  /** Removes all local state that no living instance holds, so that the next start restores everything. Synchronous. */
  cleanUp(): void {
    const kept: string[] = [];
    for (const name of this.#namesSync()) {
      if (TASK_FOLDER.test(name) && this.#leases.isHeld(name, this.#delayMs)) kept.push(name);
      else if (name !== 'global') this.#disk.removeSync(join(this.path, name));
    }
    if (kept.length === 0) this.#disk.removeSync(this.path);
    else this.#log.warn({ path: this.path, tasks: kept }, 'Left the local state that other instances hold');
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await this.#disk.names(this.path);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  #namesSync(): readonly string[] {
    try {
      return this.#disk.namesSync(this.path);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }
}

function isOccupied(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTEMPTY' || code === 'EEXIST';
}
