import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disk } from './disk.ts';

const WHOLE = { recursive: true, force: true } as const;

/** The files of this machine. */
export const systemDisk: Disk = {
  makeFolderSync(path) {
    mkdirSync(path, { recursive: true });
  },
  makeTemporaryFolderSync: (prefix) => mkdtempSync(join(tmpdir(), prefix)),
  namesSync: (folder) => readdirSync(folder),
  readTextSync: (path) => readFileSync(path, 'utf8'),
  readBytesSync(path, position, length) {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const count = readSync(file, bytes, filled, length - filled, position + filled);
        if (count === 0) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    } finally {
      closeSync(file);
    }
  },
  writeTextSync: (path, text) => writeFileSync(path, text),
  appendTextSync: (path, text) => appendFileSync(path, text),
  statusSync(path) {
    const { size, mtimeMs } = statSync(path);
    return { sizeBytes: size, modifiedMs: mtimeMs };
  },
  setModifiedSync: (path, modifiedMs) => utimesSync(path, modifiedMs / 1_000, modifiedMs / 1_000),
  removeSync: (path) => rmSync(path, WHOLE),
  names: (folder) => readdir(folder),
  async status(path) {
    const { size, mtimeMs } = await stat(path);
    return { sizeBytes: size, modifiedMs: mtimeMs };
  },
  setModified: (path, modifiedMs) => utimes(path, modifiedMs / 1_000, modifiedMs / 1_000),
  rename,
  remove: (path) => rm(path, WHOLE),
};
