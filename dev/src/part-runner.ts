import type { ManagedProcess } from './base/managed-process.ts';
import { sleep } from './base/wait.ts';
import { startKafka } from './parts/kafka.ts';
import { startObjects } from './parts/objects.ts';
import type { PartContext, PartName, StackEndpoints, StartedPart, StartPart } from './parts/part.ts';
import { startPostgres } from './parts/postgres.ts';
import { startRegistry } from './parts/registry.ts';
import { startTriton } from './parts/triton.ts';

const STARTERS: Readonly<Record<PartName, StartPart>> = {
  kafka: startKafka,
  registry: startRegistry,
  postgres: startPostgres,
  objects: startObjects,
  triton: startTriton,
};

/** First wait before a part that ended by itself is started again; doubled each time. */
const RESTART_DELAY_MS = 500;
/** After that many restarts in a row the part stays down: something is wrong that another start won't cure. */
const RESTARTS_MAX = 5;
/** A part that ran this long has recovered: the count begins again. */
const STABLE_MS = 60_000;

/**
 * Owns one part over its restarts.
 *
 * Called by: the supervisor.
 * Invariants:
 *  I1. At most one process of the part at a time.
 *  I2. After `stop()` resolved no process of the part runs and none will be started.
 *  I3. A restart has a growing delay and an end.
 */
export class PartRunner {
  readonly part: PartName;
  readonly #context: PartContext;
  readonly #onEnded: (how: string, restarts: boolean) => void;
  #starting: Promise<StackEndpoints> | undefined;
  #started: StartedPart | undefined;
  /** The newest process, ready or not. */
  #process: ManagedProcess | undefined;
  #stopping = false;

  constructor(part: PartName, context: PartContext, onEnded: (how: string, restarts: boolean) => void) {
    this.part = part;
    this.#context = {
      ...context,
      note: (process) => {
        this.#process = process;
        context.note(process);
        // It was asked to stop while it was still downloading or preparing.
        if (this.#stopping) void process.stop();
      },
    };
    this.#onEnded = onEnded;
  }

  /** Starts the part unless it runs or is starting; a failed start may be tried again by calling again. */
  start(): Promise<StackEndpoints> {
    this.#starting ??= this.#start(0).catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #start(restarts: number): Promise<StackEndpoints> {
    const begun = performance.now();
    const started = await STARTERS[this.part](this.#context);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    this.#started = started;
    this.#context.log(`${this.part} ready after ${seconds} s (pid ${started.process.pid})`);
    const readyAt = performance.now();
    void started.process.exited.then((how) => {
      if (this.#stopping || this.#started !== started) return;
      const before = performance.now() - readyAt > STABLE_MS ? 0 : restarts;
      this.#starting = this.#restart(how, before);
      this.#starting.catch(() => {
        this.#starting = undefined;
      });
    });
    return started.endpoints;
  }

  async #restart(how: string, restarts: number): Promise<StackEndpoints> {
    const again = restarts < RESTARTS_MAX;
    this.#onEnded(how, again);
    if (!again) throw new Error(`${this.part} ended ${restarts + 1} times in a row (last: ${how})`);
    await sleep(RESTART_DELAY_MS * 2 ** restarts);
    if (this.#stopping) throw new Error(`${this.part} is being stopped`);
    try {
      return await this.#start(restarts + 1);
    } catch (error) {
      this.#context.log(`${this.part}: ${(error as Error).message}`);
      if (this.#stopping) throw error;
      return this.#restart((error as Error).message.split('\n')[0] ?? '', restarts + 1);
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#process?.stop();
    // A start in progress fails now, because its process has ended; what it may still spawn is stopped at once.
    await this.#starting?.catch(() => undefined);
    await this.#process?.stop();
  }
}
