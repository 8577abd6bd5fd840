import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { endProcess, identify, listensOn, type ProcessIdentity } from './process-identity.ts';
import { waitUntil } from './wait.ts';

const SETPRIV = '/usr/bin/setpriv';
/** Longest wait for an orderly end: a broker flushes its logs, and a JVM's first run writes its class archive. */
const STOP_PATIENCE_MS = 45_000;
/** One log file is kept up to this size, plus one predecessor. */
const LOG_BYTES_MAX = 10_000_000;
const LOG_TAIL_LINES = 15;
const LOG_TAIL_BYTES = 8_000;

/** What to run, how to end it, and where its output goes. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Numeric user and group to run as; only root can change them. */
  readonly runAs?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Owns one server process from start to end.
 *
 * Called by: the services (`startKafka`, …), stopped by the supervisor.
 * Invariants:
 *  I1. `exited` resolves exactly once, whoever ended the process.
 *  I2. After `stop()` resolved, the process is gone.
 *  I3. On Linux it gets its stop signal also when the supervisor is killed outright.
 */
export class ManagedProcess {
  readonly identity: ProcessIdentity;
  readonly logFile: string;
  /** How the process ended, in words. */
  readonly exited: Promise<string>;
  readonly #spec: ProcessSpec;
  readonly #child: ChildProcess;
  #ending: string | undefined;

  constructor(spec: ProcessSpec) {
    this.#spec = spec;
    this.logFile = spec.logFile;
    rotateLog(spec.logFile);
    const log = openSync(spec.logFile, 'a');
    try {
      const { command, usesSetpriv } = wrap(spec);
      const [file, ...args] = command;
      this.#child = spawn(file ?? '', args, {
        cwd: spec.cwd,
        env: { ...process.env, ...spec.env },
        stdio: ['ignore', log, log],
        ...(usesSetpriv ? {} : spec.runAs),
      });
    } finally {
      closeSync(log);
    }
    this.exited = new Promise((done) => {
      const end = (how: string) => {
        this.#ending ??= how;
        done(this.#ending);
      };
      this.#child.once('error', (error) => end(`could not be started: ${error.message}`));
      this.#child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    const pid = this.#child.pid ?? -1;
    this.identity = identify(pid) ?? { pid, startedAt: '' };
  }

  get pid(): number {
    return this.identity.pid;
  }

  /**
   * Waits until the server answers `probe` and it is this very process that listens on `port`. Fails at once,
   * with the end of the log, when the process ends instead.
   */
  async whenReady(port: number, timeoutMs: number, probe: () => Promise<boolean>): Promise<void> {
    try {
      await waitUntil(
        this.#spec.name,
        timeoutMs,
        async () => listensOn(this.pid, port) !== false && (await probe()),
        () => {
          if (this.#ending !== undefined) throw new Error(`${this.#spec.name} ended while starting (${this.#ending})`);
        },
      );
    } catch (error) {
      await this.stop();
      const message = `${(error as Error).message}; the end of ${this.logFile}:\n${logTail(this.logFile)}`;
      throw new Error(message, { cause: error });
    }
  }

  async stop(): Promise<void> {
    if (this.#ending !== undefined) return;
    await endProcess(this.identity, this.#spec.stopSignal, STOP_PATIENCE_MS);
    await this.exited;
  }
}

function wrap(spec: ProcessSpec): { command: readonly string[]; usesSetpriv: boolean } {
  if (process.platform !== 'linux' || !existsSync(SETPRIV)) return { command: spec.command, usesSetpriv: false };
  const { runAs } = spec;
  const user = runAs ? [`--reuid=${runAs.uid}`, `--regid=${runAs.gid}`, '--clear-groups'] : [];
  const deathSignal = `--pdeathsig=${spec.stopSignal.slice('SIG'.length)}`;
  return { command: [SETPRIV, ...user, deathSignal, '--', ...spec.command], usesSetpriv: true };
}

function rotateLog(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && statSync(path).size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
}

function logTail(path: string): string {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text.slice(-LOG_TAIL_BYTES).trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
