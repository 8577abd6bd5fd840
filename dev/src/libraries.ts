import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../lock.mjs';
import { DEV_FOLDER, LIBRARY_FOLDER, LOCAL_FOLDER } from './base/paths.ts';
import { runCommand } from './base/run-command.ts';

/** The JVM services, each a Maven module under `dev/maven/`. */
export type LibraryName = 'kafka' | 'registry' | 'objects';

const COMPLETE_MARK = '.complete';
/** A download that breaks off is tried again; Maven keeps what it already has. */
const ATTEMPTS = 3;

/** The folder of a service's jars. It depends on the Maven file, so a new version gets a new folder. */
export function libraryFolder(name: LibraryName): string {
  const pom = readFileSync(join(DEV_FOLDER, 'maven', name, 'pom.xml'));
  const parent = readFileSync(join(DEV_FOLDER, 'pom.xml'));
  const hash = createHash('sha256').update(pom).update(parent).digest('hex').slice(0, 10);
  return join(LIBRARY_FOLDER, `${name}-${hash}`);
}

/** Whether the service's jars are there, whole. */
export function hasLibrary(name: LibraryName): boolean {
  return existsSync(join(libraryFolder(name), COMPLETE_MARK));
}

/**
 * Fetches a service's jars with Maven unless they are there; returns their folder. One Maven at a time on the
 * whole checkout: its local repository is not made for concurrent writers.
 */
export async function fetchLibrary(name: LibraryName, log: (line: string) => void): Promise<string> {
  const folder = libraryFolder(name);
  if (hasLibrary(name)) return folder;
  return withLock(LOCAL_FOLDER, 'maven', async () => {
    if (hasLibrary(name)) return folder;
    log(`fetching ${name} with Maven …`);
    const temporary = `${folder}.new`;
    rmSync(temporary, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await runMaven(name, temporary);
    for (const file of readdirSync(temporary)) {
      if (!file.endsWith('.tar.gz')) continue;
      await runCommand(['tar', 'xzf', join(temporary, file), '-C', temporary]);
      rmSync(join(temporary, file));
    }
    writeFileSync(join(temporary, COMPLETE_MARK), '');
    renameSync(temporary, folder);
    return folder;
  });
}

async function runMaven(name: LibraryName, target: string): Promise<void> {
  const pom = join(DEV_FOLDER, 'maven', name, 'pom.xml');
  const command = ['mvn', '-B', '-ntp', '-f', pom, `-Dlib.dir=${target}`, 'dependency:copy-dependencies'];
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runCommand(command);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
