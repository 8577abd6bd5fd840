import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const POLL_MS = 20;

/**
 * `npm start` as a person runs it: a process tree, and what it prints.
 *
 * Owns: the process tree below its npm, except the stack's supervisor, which outlives it on purpose.
 * Called by: tests of the whole line.
 */
export class StartedLine {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #localDirectory: string;
  #output = '';

  constructor(localDirectory: string, options: readonly string[]) {
    this.#localDirectory = localDirectory;
    this.#child = spawn('npm', ['start', '--', ...options], {
      cwd: root,
      env: { ...process.env, LOCAL_DIR: localDirectory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString();
    };
    this.#child.stdout?.on('data', collect);
    this.#child.stderr?.on('data', collect);
    this.exited = new Promise((resolve) => this.#child.once('close', resolve));
  }

  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get lastLine(): string {
    return this.#output.trimEnd().split('\n').at(-1) ?? '';
  }

  /**
   * Waits until the output, from `from` on, matches. Throws, with the whole output, when the process ends before, or after the
   * deadline.
   */
  async printed(pattern: RegExp, timeoutMs: number, from = 0): Promise<RegExpExecArray> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.#output.slice(from));
      if (match !== null) return match;
      if (!this.isRunning) throw new Error(`ended without printing ${pattern}:\n${this.#output}`);
      if (performance.now() > deadlineMs) throw new Error(`no ${pattern} after ${timeoutMs} ms:\n${this.#output}`);
      await sleep(POLL_MS);
    }
  }

  /** Process id of a service of the stack, the newest where it was started again. */
  pidOf(service: string): number {
    return Number([...this.#output.matchAll(new RegExp(`^${service} ready .*pid (\\d+)`, 'gm'))].at(-1)?.[1]);
  }

  /** Process id of the platform itself, below npm and the bootstrap. */
  get platformPid(): number {
    const isPlatform = ({ command }: ProcessRow): boolean => /^\S*\bnode .*app\/src\/entry\/main\.ts/.test(command);
    const found = this.#tree().find((row) => isPlatform(row) && !row.command.includes('run.mjs'));
    if (found === undefined) throw new Error(`the platform does not run:\n${this.#output}`);
    return found.pid;
  }

  /** Ctrl-C: the platform gets the signal. Resolves with npm's exit code when all are gone. */
  async interrupt(): Promise<number | null> {
    process.kill(this.platformPid, 'SIGINT');
    return this.exited;
  }

  /** `kill -9` of npm and all of our own code below it; answers how many processes that were. */
  killOwnCode(): Promise<number> {
    return this.#kill(this.#tree());
  }

  /** As if the power failed: the stack too. (What the system holds in memory for the disk survives.) */
  killEverything(): Promise<number> {
    const all = processes();
    const supervisors = all.filter(
      ({ command }) => command.includes('supervisor-main') && command.includes(`${this.#localDirectory} `),
    );
    return this.#kill([...this.#tree(), ...withDescendants(supervisors, all)]);
  }

  async #kill(doomed: readonly ProcessRow[]): Promise<number> {
    for (const { pid } of doomed) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // It ended between the look and the kill.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await this.exited;
    return doomed.length;
  }

  /** The processes of this start: broker, database and store belong to the stack's supervisor and are left to it. */
  #tree(): ProcessRow[] {
    const all = processes();
    const top = all.find(({ pid }) => pid === this.#child.pid);
    const own = all.filter(({ command }) => !command.includes('supervisor-main'));
    return top === undefined ? [] : withDescendants([top], own);
  }
}

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function withDescendants(tops: readonly ProcessRow[], all: readonly ProcessRow[]): ProcessRow[] {
  const tree = [...tops];
  for (let at = 0; at < tree.length; at += 1) tree.push(...all.filter((row) => row.parent === tree[at]?.pid));
  return tree;
}

function processes(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      rows.push({ pid: Number(name), parent: Number(fields[1]), command });
    } catch {
      // The process ended while we looked.
    }
  }
  return rows;
}
