import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ManagedProcess } from '../base/managed-process.ts';
import { LIBRARY_FOLDER } from '../base/paths.ts';
import { identify } from '../base/process-identity.ts';
import { javaCommand } from '../preflight.ts';

/** Where the locale knows ASCII only, Java can neither be told of nor open a file whose name has other letters. */
export const JVM_ENVIRONMENT: Readonly<Record<string, string>> = { LC_ALL: 'C.UTF-8' };

/**
 * Flags for small servers that start often: the serial collector and the first compiler tier only take less
 * memory and CPU than the defaults, which are tuned for long-running big ones.
 */
export function jvmCommand(heapMegabytes: number, ...rest: readonly string[]): string[] {
  return [
    javaCommand(),
    `-Xmx${heapMegabytes}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    '-Xshare:auto',
    '-Djava.awt.headless=true',
    '-Djava.net.preferIPv4Stack=true',
    ...rest,
  ];
}

/** The class path of a library folder, in a fixed order. */
export function classPath(folder: string): string {
  const jars = readdirSync(folder).filter((file) => file.endsWith('.jar'));
  return jars
    .sort()
    .map((file) => join(folder, file))
    .join(':');
}

/** Exit codes of an orderly end: by itself, and after SIGTERM. */
const ORDERLY = ['exit code 0', 'exit code 143'];

/** Flags of a class data archive, and what to do with the process that was started with them. */
export interface ClassData {
  readonly flags: readonly string[];
  watch(process: ManagedProcess): void;
}

/**
 * Class data sharing: the first orderly run of a server writes down its loaded classes, and later starts take
 * about half the time. An archive is taken into use only after the process that wrote it has ended well, so a
 * torn one is never read; one that does not fit the Java at hand is ignored by it. Writing takes many seconds at
 * the end of the run, so it is left to stacks (`mayWrite`) for whose end nobody waits: those of the tests.
 */
export function classData(library: string, mayWrite: boolean): ClassData {
  const folder = join(LIBRARY_FOLDER, 'class-data');
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, `${basename(library)}.jsa`);
  if (existsSync(archive)) return { flags: [`-XX:SharedArchiveFile=${archive}`], watch: () => {} };
  if (!mayWrite) return { flags: [], watch: () => {} };
  removeAbandoned(folder);
  const fresh = `${archive}.new-${process.pid}`;
  return {
    flags: [`-XX:ArchiveClassesAtExit=${fresh}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off', '-Xlog:class+path=off'],
    watch(started) {
      void started.exited.then((how) => {
        if (!existsSync(fresh)) return;
        if (ORDERLY.includes(how)) renameSync(fresh, archive);
        else rmSync(fresh, { force: true });
      });
    },
  };
}

/** Removes half-written archives of supervisors that are no more. */
function removeAbandoned(folder: string): void {
  for (const file of readdirSync(folder)) {
    const pid = /\.new-(\d+)$/.exec(file)?.[1];
    if (pid !== undefined && identify(Number(pid)) === undefined) rmSync(join(folder, file), { force: true });
  }
}
