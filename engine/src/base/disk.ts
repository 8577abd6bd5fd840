/** What a disk knows of one file or folder. */
export interface FileStatus {
  /** Bytes of a file. Of a folder: whatever the disk says. */
  readonly sizeBytes: number;
  /** When it was changed last, epoch milliseconds, with fractions. */
  readonly modifiedMs: number;
}

/**
 * The only door of the engine to files, so that a simulation can own them: state directory, leases, task and global
 * stores, `print` to a file. Paths are those of the machine, absolute or relative to the process.
 *
 * What lmdb does with the files of a persistent store is not here: it maps them into memory natively, behind the state
 * store port. With a disk that is not {@link systemDisk}, use stores that live in memory, or a store of your own that
 * takes its disk from its context.
 *
 * Every call throws, or rejects, with an error whose `code` is Node.js's: `ENOENT` where there is no such file or
 * folder, `ENOTEMPTY` or `EEXIST` where something is in the way, `ENOSPC` on a full disk, and so on. Synchronous calls
 * are those that the engine makes between two records or before it runs; removing old state, which may take long, is
 * asynchronous.
 */
export interface Disk {
  /** Makes a folder, and those above it where they are missing. One that is there is no error. */
  makeFolderSync(path: string): void;
  /** Makes a new folder in the machine's place for temporary files and answers its path, whose last part begins with `prefix`. */
  makeTemporaryFolderSync(prefix: string): string;
  /** Names of what is in a folder, without an order. */
  namesSync(folder: string): readonly string[];
  /** The text of a file, read as UTF-8. */
  readTextSync(path: string): string;
  /** `length` bytes of a file from `position` on; fewer where the file ends before. */
  readBytesSync(path: string, position: number, length: number): Buffer;
  /** Makes the text the whole content of a file, which it makes where there is none. Not atomic: a crash may cut it off. */
  writeTextSync(path: string, text: string): void;
  /** Adds the text at the end of a file, which it makes where there is none. */
  appendTextSync(path: string, text: string): void;
  /** Size and time of a file or folder. */
  statusSync(path: string): FileStatus;
  /** Sets when a file or folder was changed last, epoch milliseconds. */
  setModifiedSync(path: string, modifiedMs: number): void;
  /** Removes a file, or a folder with all that is in it. One that is not there is no error. */
  removeSync(path: string): void;
  /** {@link namesSync}, asynchronous. */
  names(folder: string): Promise<readonly string[]>;
  /** {@link statusSync}, asynchronous. */
  status(path: string): Promise<FileStatus>;
  /** {@link setModifiedSync}, asynchronous. */
  setModified(path: string, modifiedMs: number): Promise<void>;
  /** Moves a file or folder, in one step as others see it. What lies at `to` may be an empty folder, or for a file a file. */
  rename(from: string, to: string): Promise<void>;
  /** {@link removeSync}, asynchronous. */
  remove(path: string): Promise<void>;
}

/** Whether a call of a {@link Disk} failed because there is no such file or folder. */
export function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
