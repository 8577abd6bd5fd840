import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../lock.mjs';
import { LOCAL_FOLDER } from './base/paths.ts';
import { runCommand } from './base/run-command.ts';
import type { ServiceName } from './services/service.ts';

const JAVA_MAJOR_MIN = 17;

/** Something the machine lacks, and what would install it. */
export interface Missing {
  /** What to install, in the words that the message uses. */
  readonly what: string;
  /** What can't be done without it. */
  readonly why: string;
  /** Debian package names, where a package is the answer. */
  readonly packages: readonly string[];
  /** A command instead of packages. */
  readonly command?: string;
}

/** What preflight asks the machine; replaced in tests. */
export interface Machine {
  /** Whether this process runs as root: then packages need no sudo, and PostgreSQL needs a user of its own. */
  readonly isRoot: boolean;
  /** Debian, Ubuntu or a descendant, with apt-get. */
  readonly isDebian: boolean;
  /** Standard output and error of a command, or undefined when it cannot be run or fails. */
  run(command: readonly string[]): string | undefined;
  /** Whether an operating system user of that name exists. */
  hasUser(name: string): boolean;
}

/** Raised when the machine lacks something; the message names it with the one command that installs it. */
export class MissingSoftwareError extends Error {
  override readonly name = 'MissingSoftwareError';
  /** Everything that is missing, so that it can be installed at once. */
  readonly missing: readonly Missing[];

  /** The message is made for `machine`: its own command where it has one. */
  constructor(missing: readonly Missing[], machine: Machine) {
    super(describeMissing(missing, machine));
    this.missing = missing;
  }
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    isDebian: existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get'),
    run(command) {
      const [file, ...args] = command;
      const result = spawnSync(file ?? '', args, { encoding: 'utf8' });
      return result.status === 0 ? result.stdout + result.stderr : undefined;
    },
    hasUser: (name) =>
      existsSync('/etc/passwd') &&
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .some((l) => l.startsWith(`${name}:`)),
  };
}

/** The `java` to use: from JAVA_HOME where that is set, else from the PATH. */
export function javaCommand(): string {
  const home = process.env.JAVA_HOME;
  return home !== undefined && existsSync(join(home, 'bin', 'java')) ? join(home, 'bin', 'java') : 'java';
}

/** Major version in the output of `java -version`; undefined when it is not recognised. */
export function javaMajor(versionOutput: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(versionOutput)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The user as which PostgreSQL runs when we are root, since it refuses to run as root. */
export const POSTGRES_USER = 'postgres';

/** Finds out what the services need and the machine lacks. `needsMaven`: the JVM services are not downloaded yet. */
export function findMissing(services: readonly ServiceName[], needsMaven: boolean, machine: Machine): Missing[] {
  const missing: Missing[] = [];
  if (services.some((service) => service === 'kafka' || service === 'registry' || service === 'objects')) {
    const version = machine.run([javaCommand(), '-version']);
    const major = version === undefined ? undefined : javaMajor(version);
    if (major === undefined || major < JAVA_MAJOR_MIN) {
      const found = major === undefined ? 'none found' : `found Java ${major}`;
      missing.push({
        what: `Java ${JAVA_MAJOR_MIN} or newer`,
        why: `Kafka, the schema registry and the object store run on it (${found})`,
        packages: ['openjdk-17-jre-headless'],
      });
    }
    if (needsMaven && machine.run(['mvn', '--version']) === undefined) {
      missing.push({ what: 'Maven', why: 'it fetches Kafka, the registry and the object store', packages: ['maven'] });
    }
  }
  if (services.includes('postgres') && machine.isRoot && !machine.hasUser(POSTGRES_USER)) {
    missing.push({
      what: `an operating system user "${POSTGRES_USER}"`,
      why: 'PostgreSQL refuses to run as root',
      packages: [],
      command: `useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${POSTGRES_USER}`,
    });
  }
  if (services.includes('triton') && findTritonPython(machine) === undefined) {
    missing.push({
      what: 'Python 3.11 or 3.12 with venv and its shared library',
      why: 'it carries the Triton server and runs its Python backend',
      packages: ['python3.11', 'python3.11-venv', 'libpython3.11'],
    });
  }
  return missing;
}

/** Python versions for which both Triton's backend process and numpy 1.26 exist. */
const TRITON_PYTHONS = ['3.11', '3.12'];

/** The system's Python that can carry Triton; other builds lack the shared library it loads. */
export function findTritonPython(machine: Machine): string | undefined {
  const libraries = machine.run(['/sbin/ldconfig', '-p']) ?? '';
  return TRITON_PYTHONS.find(
    (version) =>
      libraries.includes(`libpython${version}.so.1.0`) &&
      machine.run([`/usr/bin/python${version}`, '-c', 'import venv, ensurepip']) !== undefined,
  );
}

/** The one command line that installs everything in the list. */
export function installCommand(missing: readonly Missing[], machine: Machine): string {
  const prefix = machine.isRoot ? '' : 'sudo ';
  const packages = missing.flatMap((one) => one.packages);
  const steps: string[] = [];
  if (packages.length > 0) {
    const apt = `${prefix}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
    steps.push(
      machine.isDebian ? `${prefix}apt-get update && ${apt}` : `(with your package manager) ${packages.join(' ')}`,
    );
  }
  for (const { command } of missing) if (command !== undefined) steps.push(prefix + command);
  return steps.join(' && ');
}

function describeMissing(missing: readonly Missing[], machine: Machine): string {
  const list = missing.map(({ what, why }) => `  - ${what}: ${why}`).join('\n');
  return `This machine lacks:\n${list}\nInstall with:\n  ${installCommand(missing, machine)}`;
}

/**
 * Makes sure that the services can run. As root on Debian or Ubuntu it says what is missing and installs it;
 * elsewhere it throws {@link MissingSoftwareError}.
 */
export async function preflight(
  services: readonly ServiceName[],
  needsMaven: boolean,
  log: (line: string) => void,
  machine: Machine = thisMachine(),
): Promise<void> {
  if (findMissing(services, needsMaven, machine).length === 0) return;
  await withLock(LOCAL_FOLDER, 'system packages', async () => {
    const missing = withAvailableJava(findMissing(services, needsMaven, machine), machine);
    if (missing.length === 0) return;
    const onlyCommands = missing.every((one) => one.packages.length === 0);
    if (!machine.isRoot || !(machine.isDebian || onlyCommands)) throw new MissingSoftwareError(missing, machine);
    const command = installCommand(missing, machine);
    log(`missing: ${missing.map(({ what }) => what).join(', ')}; running: ${command}`);
    await runCommand(['sh', '-c', command], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
    const still = findMissing(services, needsMaven, machine);
    if (still.length > 0) throw new MissingSoftwareError(still, machine);
  });
}

/** Debian 13 has Java 21 and no 17: takes what the machine's package lists offer. */
function withAvailableJava(missing: readonly Missing[], machine: Machine): readonly Missing[] {
  const [wanted, instead] = ['openjdk-17-jre-headless', 'openjdk-21-jre-headless'];
  if (!machine.isRoot || !machine.isDebian) return missing;
  if (!missing.some((one) => one.packages.includes(wanted))) return missing;
  machine.run(['apt-get', 'update']);
  if (machine.run(['apt-cache', 'show', wanted]) !== undefined) return missing;
  return missing.map((one) => (one.packages.includes(wanted) ? { ...one, packages: [instead] } : one));
}
