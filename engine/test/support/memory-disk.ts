import { dirname, join, resolve, sep } from 'node:path';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Disk, FileStatus } from '../../src/base/disk.ts';

/** A call that is to fail. */
export interface DiskFault {
  readonly operation: keyof Disk;
  /** Paths that it concerns. */
  readonly path: RegExp;
  readonly code: 'ENOSPC' | 'EIO' | 'EACCES';
  /** Characters of the text that are written all the same: a torn write. Default: none, the file stays as it was. */
  readonly tornAfter?: number;
  /** Calls that fail. Default: 1. */
  readonly times?: number;
}

interface Folder {
  readonly kind: 'folder';
  modifiedMs: number;
}

interface File {
  readonly kind: 'file';
  bytes: Buffer;
  modifiedMs: number;
}

/**
 * A disk in this process: nothing of it is on the machine, its times are those of `clock`, and it fails when it is told to.
 *
 * Owns: files and folders by absolute path, faults that have not happened yet. Called by: tests, in place of `systemDisk`.
 * Invariants: I1 whatever is there lies in a folder that is there, too; I2 asynchronous calls happen in the order in which they
 * were made.
 */
export class MemoryDisk implements Disk {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Folder | File>();
  readonly #faults: { readonly fault: DiskFault; left: number }[] = [];
  #temporaryFolders = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#entries.set(resolve(sep), { kind: 'folder', modifiedMs: clock.nowMs() });
  }

  /** The next calls that fit fail. */
  failNext(fault: DiskFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  makeFolderSync(path: string): void {
    this.#mayFail('makeFolderSync', path);
    this.#makeFolder(resolve(path), path);
  }

  makeTemporaryFolderSync(prefix: string): string {
    this.#temporaryFolders += 1;
    const path = resolve(sep, 'tmp', `${prefix}${this.#temporaryFolders}`);
    this.makeFolderSync(path);
    return path;
  }

  namesSync(folder: string): readonly string[] {
    this.#mayFail('namesSync', folder);
    return this.#names(folder);
  }

  readTextSync(path: string): string {
    this.#mayFail('readTextSync', path);
    return this.#file(path).bytes.toString('utf8');
  }

  readBytesSync(path: string, position: number, length: number): Buffer {
    this.#mayFail('readBytesSync', path);
    return Buffer.from(this.#file(path).bytes.subarray(position, position + length));
  }

  writeTextSync(path: string, text: string): void {
    this.#mayFail('writeTextSync', path, (written) => this.#write(path, Buffer.from(text.slice(0, written))));
    this.#write(path, Buffer.from(text));
  }

  appendTextSync(path: string, text: string): void {
    const append = (added: string): void => {
      const before = this.#entries.get(resolve(path));
      const bytes = before?.kind === 'file' ? before.bytes : Buffer.alloc(0);
      this.#write(path, Buffer.concat([bytes, Buffer.from(added)]));
    };
    this.#mayFail('appendTextSync', path, (written) => append(text.slice(0, written)));
    append(text);
  }

  statusSync(path: string): FileStatus {
    this.#mayFail('statusSync', path);
    return this.#status(path);
  }

  setModifiedSync(path: string, modifiedMs: number): void {
    this.#mayFail('setModifiedSync', path);
    this.#entry(path).modifiedMs = modifiedMs;
  }

  removeSync(path: string): void {
    this.#mayFail('removeSync', path);
    this.#remove(path);
  }

  async names(folder: string): Promise<readonly string[]> {
    await this.#turn('names', folder);
    return this.#names(folder);
  }

  async status(path: string): Promise<FileStatus> {
    await this.#turn('status', path);
    return this.#status(path);
  }

  async setModified(path: string, modifiedMs: number): Promise<void> {
    await this.#turn('setModified', path);
    this.#entry(path).modifiedMs = modifiedMs;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn('rename', from);
    const source = resolve(from);
    const target = resolve(to);
    const moved = this.#entry(from);
    const there = this.#entries.get(target);
    if (there !== undefined && there.kind !== moved.kind) {
      throw failure(moved.kind === 'folder' ? 'ENOTDIR' : 'EISDIR', 'rename', to);
    }
    if (there?.kind === 'folder' && this.#under(target).length > 0) throw failure('ENOTEMPTY', 'rename', to);
    this.#parentOf(to);
    const inside = this.#under(source).map((path) => [path, this.#entries.get(path) as Folder | File] as const);
    this.#remove(from);
    this.#entries.set(target, moved);
    for (const [path, entry] of inside) this.#entries.set(join(target, path.slice(source.length)), entry);
    this.#touchParent(target);
  }

  async remove(path: string): Promise<void> {
    await this.#turn('remove', path);
    this.#remove(path);
  }

  async #turn(operation: keyof Disk, path: string): Promise<void> {
    await undefined;
    this.#mayFail(operation, path);
  }

  #mayFail(operation: keyof Disk, path: string, tear?: (written: number) => void): void {
    const due = this.#faults.find(
      ({ fault, left }) => left > 0 && fault.operation === operation && fault.path.test(path),
    );
    if (due === undefined) return;
    due.left -= 1;
    if (due.fault.tornAfter !== undefined) tear?.(due.fault.tornAfter);
    throw failure(due.fault.code, operation, path);
  }

  #names(folder: string): readonly string[] {
    if (this.#entry(folder).kind === 'file') throw failure('ENOTDIR', 'names', folder);
    const path = resolve(folder);
    return this.#under(path)
      .filter((each) => dirname(each) === path)
      .map((each) => each.slice(join(path, sep).length));
  }

  #status(path: string): FileStatus {
    const entry = this.#entry(path);
    return { sizeBytes: entry.kind === 'file' ? entry.bytes.length : 0, modifiedMs: entry.modifiedMs };
  }

  #makeFolder(folder: string, asked: string): void {
    const there = this.#entries.get(folder);
    if (there?.kind === 'folder') return;
    if (there?.kind === 'file') throw failure(folder === resolve(asked) ? 'EEXIST' : 'ENOTDIR', 'makeFolder', asked);
    this.#makeFolder(dirname(folder), asked);
    this.#entries.set(folder, { kind: 'folder', modifiedMs: this.#clock.nowMs() });
    this.#touchParent(folder);
  }

  #write(path: string, bytes: Buffer): void {
    const there = this.#entries.get(resolve(path));
    if (there?.kind === 'folder') throw failure('EISDIR', 'write', path);
    this.#parentOf(path);
    this.#entries.set(resolve(path), { kind: 'file', bytes, modifiedMs: this.#clock.nowMs() });
    if (there === undefined) this.#touchParent(resolve(path));
  }

  #remove(path: string): void {
    const absolute = resolve(path);
    if (!this.#entries.has(absolute)) return;
    for (const inside of this.#under(absolute)) this.#entries.delete(inside);
    this.#entries.delete(absolute);
    this.#touchParent(absolute);
  }

  #entry(path: string): Folder | File {
    const entry = this.#entries.get(resolve(path));
    if (entry === undefined) throw failure('ENOENT', 'open', path);
    return entry;
  }

  #file(path: string): File {
    const entry = this.#entry(path);
    if (entry.kind === 'folder') throw failure('EISDIR', 'read', path);
    return entry;
  }

  #parentOf(path: string): void {
    const parent = this.#entries.get(dirname(resolve(path)));
    if (parent === undefined) throw failure('ENOENT', 'open', path);
    if (parent.kind === 'file') throw failure('ENOTDIR', 'open', path);
  }

  #touchParent(absolute: string): void {
    const parent = this.#entries.get(dirname(absolute));
    if (parent !== undefined) parent.modifiedMs = this.#clock.nowMs();
  }

  #under(folder: string): readonly string[] {
    const start = join(folder, sep);
    return [...this.#entries.keys()].filter((path) => path !== folder && path.startsWith(start));
  }
}

function failure(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code });
}
