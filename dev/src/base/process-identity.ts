import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sleep } from './wait.ts';

/**
 * Tells a process from every other one: process ids are reused (in containers after seconds), a pid with its start time
 * is not. `startedAt` is in the system's own unit and only ever compared.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

const STOP_POLL_MS = 100;

/** Identity of a running process, or undefined when there is none (or only its zombie) under that pid. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The command name in brackets may hold anything, so fields are counted from the last bracket.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
      return { pid, startedAt: fields[19] ?? '' };
    } catch {
      return undefined; // no such process
    }
  }
  try {
    const startedAt = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return startedAt === '' ? undefined : { pid, startedAt };
  } catch {
    return undefined; // ps exits with 1 when there is no such process
  }
}

/**
 * Running processes that were started with this variable in their environment, and their children; those of other users are seen
 * by root only. None where the system does not tell (anything but Linux).
 */
export function startedWith(name: string, value: string): ProcessIdentity[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return variables.includes(`${name}=${value}`) ? (identify(Number(pid)) ?? []) : [];
    } catch {
      return []; // it has ended, or is somebody else's
    }
  });
}

/** Whether exactly this process is still running. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/**
 * Ends a process that need not be our child: `signal` first, SIGKILL when it is still there after `patienceMs`.
 * Resolves when it is gone.
 */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  const send = (name: NodeJS.Signals) => {
    try {
      if (isRunning(identity)) process.kill(identity.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  send(signal);
  for (let waitedMs = 0; isRunning(identity); waitedMs += STOP_POLL_MS) {
    if (waitedMs >= patienceMs) send('SIGKILL');
    await sleep(STOP_POLL_MS);
  }
}

/**
 * Whether the process itself listens on the TCP port: an open port alone may be somebody else's server.
 * Undefined where the system does not tell (anything but Linux).
 */
export function listensOn(pid: number, port: number): boolean | undefined {
  if (process.platform !== 'linux') return undefined;
  const sockets = new Set(listeningSockets(port));
  if (sockets.size === 0) return false;
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        if (sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`))) return true;
      } catch {
        // the descriptor was closed in the meantime
      }
    }
    return false;
  } catch (error) {
    // Another user's process cannot be looked into without root; its death is noticed elsewhere.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : false;
  }
}

function listeningSockets(port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const found: string[] = [];
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text = '';
    try {
      text = readFileSync(table, 'latin1');
    } catch {
      continue; // no IPv6 on this machine
    }
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      const isListening = columns[3] === '0A';
      if (isListening && columns[1]?.endsWith(`:${hexPort}`)) found.push(`socket:[${columns[9]}]`);
    }
  }
  return found;
}
