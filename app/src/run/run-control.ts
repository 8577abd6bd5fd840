import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { backoffMs } from '@chip-quality/schemas';
import { RunLedger, type RunPlan, type StationMessage } from '@chip-quality/stations';
import type { Pool } from 'pg';
import type { StartOptions } from '../entry/options.ts';
import { type RunVerdict, verifyRun } from './verify-run.ts';

/** Stations that die are started again this often, with waits that double; after that something is wrong that a restart won't mend. */
const STATION_RESTARTS_MAX = 5;
const STATION_RESTART_BACKOFF = { minMs: 500, maxMs: 8_000 };
/** How long the check waits for rows that must come: a commit interval, a COPY, and a restart of the sink with its backoff. */
const SETTLE_MS = 60_000;
const SETTLE_POLL_MS = 250;
const SEED_MAX = 2 ** 31;
/** Boards that were begun are done within seconds, and a person waits for the end at the terminal. */
const STOP_MS = 10_000;

/** Who wants to know how a run goes while it goes on. */
export interface RunProgress {
  /** A station is done with a board. */
  onBoard(message: Extract<StationMessage, { type: 'board' }>): void;
  /** A station's board meets something that it must wait out or give up on. */
  onTrouble(message: Extract<StationMessage, { type: 'trouble' }>): void;
  /** Something about the stations themselves, as a sentence for people. */
  onNote(line: string): void;
}

/**
 * The runs that the stations must work off, in order: first what earlier lives left unfinished, then the one asked for (which
 * may itself be the unfinished one).
 */
export async function planRuns(
  runsDirectory: string,
  options: StartOptions,
  source: string,
  boards: number | null,
  nowMs: number,
): Promise<{ leftOver: RunLedger[]; current: RunLedger; resumed: boolean }> {
  const unfinished = await RunLedger.unfinished(runsDirectory);
  const isWanted = (run: RunPlan): boolean =>
    run.source === source && run.boards === boards && (options.seed === undefined || options.seed === run.seed);
  const same = unfinished.findLast(({ run }) => isWanted(run));
  const leftOver = unfinished.filter((ledger) => ledger !== same);
  if (same !== undefined) return { leftOver, current: same, resumed: true };
  const seed = options.seed ?? randomInt(SEED_MAX);
  return { leftOver, current: await RunLedger.create(runsDirectory, { boards, source, seed }, nowMs), resumed: false };
}

/** Runs the stations' process on a run until it is through, starting it again when it dies. */
export class Stations {
  readonly #arguments: readonly string[];
  readonly #token: string;
  readonly #progress: RunProgress;
  #child: ChildProcess | undefined;
  #isStopping = false;

  constructor(
    options: {
      readonly apiUrl: string;
      readonly runDirectory: string;
      readonly ratePerMinute: number | null;
      readonly concurrency: number;
      readonly token: string;
      /** Only what an earlier life of the run had begun. */
      readonly begunOnly?: boolean;
    },
    progress: RunProgress,
  ) {
    this.#arguments = [
      `--api=${options.apiUrl}`,
      `--run=${options.runDirectory}`,
      `--concurrency=${options.concurrency}`,
      ...(options.begunOnly === true ? ['--begun-only'] : []),
      ...(options.ratePerMinute === null ? [] : [`--rate=${options.ratePerMinute}`]),
    ];
    this.#token = options.token;
    this.#progress = progress;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Resolves when the run is through, or the stations were stopped and have finished the boards that they had begun.
   */
  async work(): Promise<void> {
    for (let restarts = 0; ; restarts += 1) {
      const how = await this.#once();
      if (how === 'done' || this.#isStopping) return;
      if (restarts === STATION_RESTARTS_MAX)
        throw new Error(`the stations ended ${restarts + 1} times; the last: ${how}`);
      this.#progress.onNote(`the stations ended (${how}); starting them again, they resume the run`);
      await sleep(backoffMs(restarts + 1, STATION_RESTART_BACKOFF, Math.random));
    }
  }

  /**
   * Tells the stations to begin no more boards; resolves when they have finished those that were begun, or are ended
   * for taking too long.
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    // What they leave is resumed by the next start.
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_MS).unref();
    await ended;
    clearTimeout(impatience);
  }

  #once(): Promise<string> {
    return new Promise((resolve) => {
      const child = fork(fileURLToPath(import.meta.resolve('@chip-quality/stations/main')), this.#arguments, {
        env: { ...process.env, STATION_TOKEN: this.#token },
        // Ctrl-C reaches the whole process group; the stations are told by SIGTERM instead, so that they can finish.
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      this.#child = child;
      let done = false;
      child.on('message', (message: StationMessage) => {
        if (message.type === 'board') this.#progress.onBoard(message);
        else if (message.type === 'trouble') this.#progress.onTrouble(message);
        else done = true;
      });
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(done && code === 0 ? 'done' : (signal ?? `exit code ${code}`)));
    });
  }
}

/** Compares a run with PostgreSQL, and waits for rows that must still come. */
export async function settleRun(pool: Pool, ledger: RunLedger): Promise<RunVerdict> {
  const deadlineMs = performance.now() + SETTLE_MS;
  for (;;) {
    const { verdict, settled } = await verifyRun(pool, ledger);
    if (settled || performance.now() > deadlineMs) return verdict;
    await sleep(SETTLE_POLL_MS);
  }
}
