import type { ManagedProcess } from './base/managed-process.ts';
import { sleep } from './base/wait.ts';
import { startKafka } from './services/kafka.ts';
import { startObjects } from './services/objects.ts';
import { startPostgres } from './services/postgres.ts';
import { startRegistry } from './services/registry.ts';
import type { ServiceContext, ServiceName, StackEndpoints, StartedService, StartService } from './services/service.ts';
import { startTriton } from './services/triton.ts';

const STARTERS: Readonly<Record<ServiceName, StartService>> = {
  kafka: startKafka,
  registry: startRegistry,
  postgres: startPostgres,
  objects: startObjects,
  triton: startTriton,
};

/** First wait before a service that ended by itself is started again; doubled each time. */
const RESTART_DELAY_MS = 500;
/** After that many restarts in a row the service stays down: another start would fail like those before. */
const RESTARTS_MAX = 5;
/** A service that ran this long has recovered: the count begins again. */
const STABLE_MS = 60_000;

/**
 * Owns one service over its restarts.
 *
 * Called by: the supervisor.
 * Invariants:
 *  I1. At most one process of the service at a time.
 *  I2. After `stop()` resolved no process of the service runs and none will be started.
 *  I3. A restart has a growing delay and an end.
 */
export class ServiceRunner {
  readonly service: ServiceName;
  readonly #context: ServiceContext;
  readonly #onEnded: (how: string, restarts: boolean) => void;
  #starting: Promise<StackEndpoints> | undefined;
  #started: StartedService | undefined;
  /** The newest process, ready or not. */
  #process: ManagedProcess | undefined;
  #isStopping = false;

  constructor(service: ServiceName, context: ServiceContext, onEnded: (how: string, restarts: boolean) => void) {
    this.service = service;
    this.#context = {
      ...context,
      note: (process) => {
        this.#process = process;
        context.note(process);
        // It was asked to stop while it was still downloading or preparing.
        if (this.#isStopping) void process.stop();
      },
    };
    this.#onEnded = onEnded;
  }

  /** Starts the service unless it runs or is starting; a failed start may be tried again by calling again. */
  start(): Promise<StackEndpoints> {
    this.#starting ??= this.#start(0).catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #start(restarts: number): Promise<StackEndpoints> {
    const begun = performance.now();
    const started = await STARTERS[this.service](this.#context);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    this.#started = started;
    this.#context.log(`${this.service} ready after ${seconds} s (pid ${started.process.pid})`);
    const readyAt = performance.now();
    void started.process.exited.then((how) => {
      if (this.#isStopping || this.#started !== started) return;
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
    if (!again) throw new Error(`${this.service} ended ${restarts + 1} times in a row (last: ${how})`);
    await sleep(RESTART_DELAY_MS * 2 ** restarts);
    if (this.#isStopping) throw new Error(`${this.service} is being stopped`);
    try {
      return await this.#start(restarts + 1);
    } catch (error) {
      this.#context.log(`${this.service}: ${(error as Error).message}`);
      if (this.#isStopping) throw error;
      return this.#restart((error as Error).message.split('\n')[0] ?? '', restarts + 1);
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#process?.stop();
    // A start in progress fails now, because its process has ended; what it may still spawn is stopped at once.
    await this.#starting?.catch(() => undefined);
    await this.#process?.stop();
  }
}
