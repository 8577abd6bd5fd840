import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../lock.mjs';
import { LOCAL_FOLDER } from '../base/paths.ts';
import { POSTGRES_USER } from '../preflight.ts';

/** Where PostgreSQL's files go when its user cannot reach the checkout (root's home, for example). */
const FALLBACK_FOLDER = '/var/lib/chip-quality';

/** Numeric user and group. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** The user to run PostgreSQL as: undefined means ourselves, which works for everybody but root. */
export function postgresUser(): UserIds | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === POSTGRES_USER) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`no operating system user "${POSTGRES_USER}"`);
}

/** Whether the user can enter the folder; every folder above it counts. */
export function canEnter(folder: string, user: UserIds): boolean {
  return spawnSync('test', ['-x', folder, '-a', '-r', folder], { uid: user.uid, gid: user.gid }).status === 0;
}

function fallback(purpose: string, folder: string): string {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  return join(FALLBACK_FOLDER, `${purpose}-${hash}`);
}

/**
 * Makes the data folder for a stack, owned by the PostgreSQL user: under the stack's root where that user can
 * get there, else under /var/lib.
 */
export function postgresDataFolder(root: string, user: UserIds | undefined, log: (line: string) => void): string {
  const home = join(root, 'postgres');
  mkdirSync(home, { recursive: true });
  if (user === undefined) return join(home, 'data');
  chownSync(home, user.uid, user.gid);
  if (canEnter(home, user)) return join(home, 'data');
  const elsewhere = fallback('postgres', root);
  mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
  chownSync(elsewhere, user.uid, user.gid);
  log(`the user "${POSTGRES_USER}" cannot reach ${home}; PostgreSQL's data lie in ${elsewhere}`);
  return join(elsewhere, 'data');
}

/** The folder with PostgreSQL's programs, copied to where its user can run them if need be. */
export async function reachablePrograms(native: string, user: UserIds | undefined): Promise<string> {
  if (user === undefined || canEnter(join(native, 'bin'), user)) return native;
  const copy = fallback('postgres-programs', `${native}:${readFileSync(join(native, '..', 'package.json'), 'utf8')}`);
  return withLock(LOCAL_FOLDER, 'postgres programs', () => {
    if (existsSync(copy)) return copy;
    const temporary = `${copy}.new`;
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(FALLBACK_FOLDER, { recursive: true, mode: 0o755 });
    cpSync(native, temporary, { recursive: true, verbatimSymlinks: true });
    renameSync(temporary, copy);
    return copy;
  });
}
