import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import { type Disk, isAbsent } from '../../base/disk.ts';
import { StreamsError } from '../../base/errors.ts';
import type { Log } from '../../base/metrics.ts';

/** In a task's folder: who has it, and, as the time of the file, when that was last so. Empty when it was given back. */
const LEASE_FILE = '.lease';
/** Renewals that the lease of a living process may miss before a task may be taken from it. */
const MISSED_RENEWALS_MAX = 2;
/** Instances of this thread that hold leases: a lease of this thread and process id by nobody of these is from a former life. */
const holdersHere = new Set<string>();

interface Lease {
  readonly holder: string;
  readonly pid: number;
  /** Node's, 0 for the main one. */
  readonly thread: number;
  readonly host: string;
}

/** Whose leases they are, and where they lie. */
export interface TaskLeasesOptions {
  /** Tells this instance from others, in the lease. */
  readonly holder: string;
  /** Folder of a task's local state. */
  readonly folderOf: (taskId: string) => string;
  /** How often holders renew, ms; one that missed two renewals may lose the task to another instance. */
  readonly renewalMs: number;
  /** Where the folders are. */
  readonly disk: Disk;
  /** Dates the leases. */
  readonly clock: Clock;
  /** Told of a lease that was gone, or could not be given back. */
  readonly log: Log;
}

/**
 * Which tasks' folders this instance has, as others on the same disk can see.
 *
 * Owns: the leases of this instance. Called by: StateDirectory.
 * Invariants: I1 a folder that a living instance of this host holds is not taken; I2 what another instance took is not given back.
 */
export class TaskLeases {
  readonly #options: TaskLeasesOptions;
  readonly #held = new Set<string>();

  /** Holds nothing yet. */
  constructor(options: TaskLeasesOptions) {
    this.#options = options;
  }

  /** Whether this instance holds the task's folder. */
  has(taskId: string): boolean {
    return this.#held.has(taskId);
  }

  /** Makes the folder where there is none. Throws, to be tried again, while another instance of this host has it. */
  take(taskId: string): void {
    const { folderOf, holder, renewalMs } = this.#options;
    const other = this.#read(taskId, MISSED_RENEWALS_MAX * renewalMs);
    if (other !== undefined && other.holder !== holder && other.host === hostname() && isLiving(other)) {
      const folder = folderOf(taskId);
      throw new StreamsError(`The local state of task ${taskId} is still held by another instance (${folder})`, {
        code: 'INVALID_STATE_STORE',
        recovery: 'retry',
      });
    }
    this.#write(taskId);
    this.#held.add(taskId);
    holdersHere.add(holder);
  }

  /** A folder that is gone, or somebody else's by now, is no error. */
  giveBack(taskId: string): void {
    const { holder, log } = this.#options;
    if (!this.#held.delete(taskId)) return;
    if (this.#held.size === 0) holdersHere.delete(holder);
    try {
      if (this.#read(taskId)?.holder === holder) this.#writeFile(taskId, '');
    } catch (error) {
      if (!isAbsent(error)) log.warn({ err: error, taskId }, 'The lease of local state could not be given back');
    }
  }

  /** Writes down that the leases of this instance are still held. One that is gone is written again. */
  async renew(): Promise<void> {
    const { clock, disk, log } = this.#options;
    const nowMs = clock.nowMs();
    for (const taskId of [...this.#held]) {
      try {
        await disk.setModified(this.#fileOf(taskId), nowMs);
      } catch (error) {
        if (!this.#held.has(taskId)) continue;
        log.warn({ err: error, taskId }, 'The lease of local state is gone; it is written again');
        this.#write(taskId);
      }
    }
  }

  /** Whether an instance has it that lives, as far as anyone can tell from here, and has renewed its lease for so long. */
  isHeld(taskId: string, withinMs: number): boolean {
    const lease = this.#read(taskId, withinMs);
    return lease !== undefined && (lease.host !== hostname() || isLiving(lease));
  }

  /** Undefined: nobody's, or not renewed for so long. */
  #read(taskId: string, withinMs = Number.POSITIVE_INFINITY): Lease | undefined {
    const { clock, disk } = this.#options;
    const file = this.#fileOf(taskId);
    try {
      const content = disk.readTextSync(file);
      if (content === '' || clock.nowMs() - disk.statusSync(file).modifiedMs > withinMs) return undefined;
      return JSON.parse(content) as Lease;
    } catch (error) {
      // Without a lease, or with one that a crash cut off.
      if (isAbsent(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #write(taskId: string): void {
    const { disk, folderOf, holder } = this.#options;
    const lease: Lease = { holder, pid: process.pid, thread: threadId, host: hostname() };
    const write = (): void => {
      disk.makeFolderSync(folderOf(taskId));
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
    const { clock, disk } = this.#options;
    const file = this.#fileOf(taskId);
    disk.writeTextSync(file, content);
    disk.setModifiedSync(file, clock.nowMs());
  }

  #fileOf(taskId: string): string {
    return join(this.#options.folderOf(taskId), LEASE_FILE);
  }
}

/** When a folder's lease was renewed last; undefined when the folder is gone. One without a lease has its own time. */
export async function leaseTimeMs(disk: Disk, folder: string): Promise<number | undefined> {
  for (const path of [join(folder, LEASE_FILE), folder]) {
    try {
      return (await disk.status(path)).modifiedMs;
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return undefined;
}

/** The holder is an instance of this thread, or of another thread or process of this host that lives. */
function isLiving({ holder, pid, thread }: Lease): boolean {
  return pid === process.pid && thread === threadId ? holdersHere.has(holder) : isAlive(pid);
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
