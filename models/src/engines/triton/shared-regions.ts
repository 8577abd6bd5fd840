import { closeSync, existsSync, ftruncateSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceError } from '../../errors.ts';
import type { BatchTensor } from './batch-tensors.ts';
import type { TritonConnection } from './connection.ts';

/** Where `shm_open` keeps its objects on Linux: a file here is a region there. */
const SHARED_MEMORY = '/dev/shm';
/** All regions of all clients on this machine; the process id and a number follow. */
const PREFIX = 'chip_quality_client_';
const OWNER_ONLY = 0o600;
const PAGE_BYTES = 4096;

/** A region of ours that the server has mapped. */
export interface SharedRegion {
  readonly name: string;
  readonly capacity: number;
  readonly descriptor: number;
}

/**
 * Shared memory for the requests of one sending thread. The server maps the file; we write it with `pwrite`, which
 * on a memory file system is the one copy that a mapping would cost too.
 *
 * Owns: files `/dev/shm/chip_quality_client_PID_…` and their registrations at the server.
 * Called by: the sending thread.
 * Invariants: (I1) a region serves one request at a time; (I2) after `close()` no file of ours is left, and after
 * `removeStale()` none of a process that died.
 */
export class SharedRegions {
  readonly #connection: TritonConnection;
  readonly #owner: string;
  readonly #all = new Map<string, SharedRegion>();
  readonly #free: SharedRegion[] = [];
  #nextNumber = 1;

  /** `owner` tells the threads of this process apart. */
  constructor(connection: TritonConnection, owner: number) {
    this.#connection = connection;
    this.#owner = `${PREFIX}${process.pid}_${owner}_`;
  }

  /** Whether this machine has shared memory that files can be put into. */
  static get isPossible(): boolean {
    return existsSync(SHARED_MEMORY);
  }

  /** A region of at least so many bytes that nobody uses. Rejects with `InferenceError` when there is no memory for it. */
  async take(byteLength: number): Promise<SharedRegion> {
    const index = this.#free.findIndex(({ capacity }) => capacity >= byteLength);
    const [found] = index === -1 ? [] : this.#free.splice(index, 1);
    if (found !== undefined) return found;
    // A larger one is needed: the smaller ones would never be taken again by the same traffic.
    const small = this.#free.pop();
    if (small !== undefined) await this.#remove(small);
    return this.#create(Math.ceil(byteLength / PAGE_BYTES) * PAGE_BYTES);
  }

  /**
   * Gives a region back when its call has settled. Also after a deadline or cancel: should the server still read
   * from it, the answer to what it reads is dropped.
   */
  giveBack(region: SharedRegion): void {
    if (this.#all.has(region.name)) this.#free.push(region);
  }

  /** Removes this region and all that nobody uses: the server was restarted and knows none of them. */
  async renew(region: SharedRegion): Promise<void> {
    await this.#remove(region);
    for (const free of this.#free.splice(0)) await this.#remove(free);
  }

  /** Writes tensors one after the other; `scratch` is memory for the largest of their parts. */
  write(region: SharedRegion, tensors: readonly BatchTensor[], scratch: ArrayBuffer): void {
    const bytes = new Uint8Array(scratch);
    let at = 0;
    for (const { parts } of tensors) {
      for (const { byteLength, write } of parts) {
        write(scratch, 0);
        for (let done = 0; done < byteLength; ) {
          done += writeSync(region.descriptor, bytes, done, byteLength - done, at + done);
        }
        at += byteLength;
      }
    }
  }

  /** Removes the regions of processes that died, here and at the server. */
  async removeStale(): Promise<void> {
    const stale = readdirSync(SHARED_MEMORY).filter(isStale);
    for (const name of stale) rmSync(join(SHARED_MEMORY, name), { force: true });
    const { regions } = await this.#connection.call('SystemSharedMemoryStatus', {});
    for (const name of Object.keys(regions).filter(isStale)) {
      await this.#connection.call('SystemSharedMemoryUnregister', { name });
    }
  }

  /** Removes everything of ours; a server that is gone has forgotten it by itself. */
  async close(): Promise<void> {
    for (const region of [...this.#all.values()]) await this.#remove(region);
    this.#free.length = 0;
  }

  async #create(capacity: number): Promise<SharedRegion> {
    const name = `${this.#owner}${this.#nextNumber++}`;
    const path = join(SHARED_MEMORY, name);
    const descriptor = openSync(path, 'wx', OWNER_ONLY);
    const region: SharedRegion = { name, capacity, descriptor };
    this.#all.set(name, region);
    try {
      ftruncateSync(descriptor, capacity);
      await this.#connection.call('SystemSharedMemoryRegister', { name, key: `/${name}`, byteSize: capacity });
    } catch (error) {
      await this.#remove(region);
      if (error instanceof InferenceError) throw error;
      throw new InferenceError('unavailable', `no shared memory of ${capacity} bytes`, { cause: error });
    }
    return region;
  }

  async #remove(region: SharedRegion): Promise<void> {
    if (!this.#all.delete(region.name)) return;
    closeSync(region.descriptor);
    rmSync(join(SHARED_MEMORY, region.name), { force: true });
    try {
      await this.#connection.call('SystemSharedMemoryUnregister', { name: region.name });
    } catch (error) {
      // A server that cannot be reached or does not know the region has nothing to forget.
      if (!(error instanceof InferenceError)) throw error;
    }
  }
}

function isStale(name: string): boolean {
  const pid = new RegExp(`^${PREFIX}(\\d+)_`).exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // EPERM: somebody else's process, but alive.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
