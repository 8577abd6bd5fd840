import { type Disk, isAbsent } from '../../base/disk.ts';

/** Positions inside a meta page of lmdb's file format, data version 2. */
const MAGIC_AT = 24;
const VERSION_AT = 28;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 160;
const MAGIC = 0xbeef_c0de;
const KNOWN_VERSION = 2;

/**
 * Throws when an lmdb file is obviously not whole: overwritten, or cut off by a full disk or a copy that was stopped. lmdb maps
 * the file without such a check and ends the process with SIGSEGV or SIGBUS, at every start again. Damage further inside
 * is not found here. A file that is absent or empty is a new store.
 */
export function checkLmdbFile(disk: Disk, path: string, pageBytes: number): void {
  let size: number;
  try {
    size = disk.statusSync(path).sizeBytes;
  } catch (error) {
    if (isAbsent(error)) return;
    throw error;
  }
  if (size === 0) return;
  if (size < 2 * pageBytes) throw new Error(`its file has ${size} bytes, less than lmdb's two first pages`);
  const first = readMeta(disk, path, 0);
  const second = readMeta(disk, path, pageBytes);
  const newest = first.transaction > second.transaction ? first : second;
  // Whether an unknown data version can be read is for lmdb to say.
  if (newest.version !== KNOWN_VERSION || newest.root === 'empty') return;
  const bytesNeeded = (newest.lastPage + 1n) * BigInt(pageBytes);
  if (BigInt(size) < bytesNeeded) throw new Error(`its file is cut off: ${size} of ${bytesNeeded} bytes`);
}

interface Meta {
  readonly version: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
  readonly root: 'empty' | 'present';
}

function readMeta(disk: Disk, path: string, position: number): Meta {
  const bytes = disk.readBytesSync(path, position, META_BYTES);
  if (bytes.readUInt32LE(MAGIC_AT) !== MAGIC) throw new Error('its file is no lmdb file');
  const transaction = bytes.readBigUInt64LE(TRANSACTION_AT);
  return {
    version: bytes.readUInt32LE(VERSION_AT),
    lastPage: bytes.readBigUInt64LE(LAST_PAGE_AT),
    transaction,
    root: transaction === 0n ? 'empty' : 'present',
  };
}
