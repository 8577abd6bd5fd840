import closeWithGrace from 'close-with-grace';
import type { Log } from 'millrace';
import { describeError } from './describe-error.ts';

/** Closing commits what is in flight; a broker that is away must not hold a terminal for longer. */
const CLOSE_TIMEOUT_MS = 30_000;

/** What must stop before the process may end. */
export interface Stoppable {
  stop(): Promise<void>;
}

/**
 * How the process ends: by a signal, by a failure, or because its work is done.
 *
 * Owns: the exit code and the handlers of signals. Called by: `main.ts`.
 * Invariants: I1 once `guard` was called, nothing ends the process before the line has stopped, or {@link CLOSE_TIMEOUT_MS} are over.
 */
export class Ending {
  readonly #say: (line: string) => void;
  #line: Stoppable | undefined;
  #log: Log | undefined;
  #grace: ReturnType<typeof closeWithGrace> | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** From now on signals and failures stop the line first. */
  guard(line: Stoppable, log: Log): void {
    this.#line = line;
    this.#log = log;
    this.#grace = closeWithGrace({ delay: CLOSE_TIMEOUT_MS, logger: false }, async ({ err, signal }) => {
      if (err !== undefined) {
        log.error({ err }, 'Stopping after an error');
        this.#say(describeError(err));
      }
      if (signal !== undefined) {
        this.#say('stopping; boards that were begun are finished first (Ctrl-C again ends at once)');
      }
      await line.stop();
      // Left to itself it would end with 0 whatever `exitCode` says.
      if (process.exitCode !== undefined) process.exit();
    });
  }

  /** Nothing can go on: stops, says why, and ends with 1. */
  fail(error: unknown): void {
    process.exitCode = 1;
    this.#grace?.close();
    this.#log?.error({ err: error }, 'Fatal');
    this.#say(describeError(error));
    if (this.#grace === undefined) process.exit();
  }

  /** The work is done: stops and ends with the code. The line is the last word; nothing that was left open may keep it back. */
  async finish(lastWord: string, exitCode: number): Promise<void> {
    this.#grace?.uninstall();
    await this.#line?.stop();
    process.stdout.write(`${lastWord}\n`, () => process.exit(exitCode));
  }
}
