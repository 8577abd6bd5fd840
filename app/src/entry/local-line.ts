import { dirname, join } from 'node:path';
import { DEFAULT_SERVICES, type DefaultStack, startStack } from '@chip-quality/dev';
import type { Log } from 'millrace';
import { hasOwnStack, type PlatformConfig, readConfig } from '../config.ts';
import { fileLog } from '../log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { Platform } from '../platform/platform.ts';
import type { BoardPlan } from '../run/board-plan.ts';
import { type RunOutcome, RunWork } from '../run/run-work.ts';
import { stationToken, viewerToken } from './demo-tokens.ts';
import type { Stoppable } from './ending.ts';
import type { StartOptions } from './options.ts';

/** What a line needs of its process. */
export interface LineSurroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** The folder of its data. */
  readonly local: string;
  readonly say: (line: string) => void;
  /** The line can't go on. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Everything that `npm start` brings up on this machine: the local stack, the platform, the stations.
 *
 * Owns: all three. Called by: `main.ts`.
 * Invariants: I1 `stop` ends them in the reverse order, each when the one before has ended; I2 a line that is stopped while it
 * starts is closed when it has started, since what is half up can't be closed.
 */
export class LocalLine implements Stoppable {
  readonly config: PlatformConfig;
  readonly log: Log;
  readonly #stack: DefaultStack | undefined;
  readonly #platform: Platform;
  readonly #surroundings: LineSurroundings;
  #starting: Promise<number | undefined> | undefined;
  #work: RunWork | undefined;
  #url = '';
  #isStopping = false;

  private constructor(surroundings: LineSurroundings, stack: DefaultStack | undefined) {
    const { environment, local, onFatal } = surroundings;
    this.#surroundings = surroundings;
    this.#stack = stack;
    this.config = readConfig(environment, stack);
    this.log = fileLog(local, this.config.logLevel);
    this.#platform = new Platform(this.config, this.log, createMetrics(), onFatal);
  }

  /** Starts the local stack, unless the environment names one. */
  static async onStack(surroundings: LineSurroundings): Promise<LocalLine> {
    return new LocalLine(surroundings, await localStack(surroundings));
  }

  /** Somebody has asked it to stop. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Starts the platform; `ports` in the order of preference. */
  async open(ports: readonly number[]): Promise<void> {
    this.#starting = this.#platform.start({ api: true, worker: true }, ports);
    this.#url = `http://127.0.0.1:${await this.#starting}`;
  }

  /** The address of the live page, with a token that may read. */
  async livePage(): Promise<string> {
    return `${this.#url}/#token=${await viewerToken(this.config.jwtSecret)}`;
  }

  /** Lets the stations work; undefined when they were stopped before the end. */
  async work(options: StartOptions, plan: BoardPlan): Promise<RunOutcome | undefined> {
    const { local, say } = this.#surroundings;
    this.#work = new RunWork(
      {
        apiUrl: this.#url,
        token: await stationToken(this.config.jwtSecret),
        runsDirectory: join(local, 'runs'),
        pool: this.#platform.pool,
        say,
      },
      options,
      plan,
    );
    return this.#isStopping ? undefined : this.#work.workOff();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#starting?.catch(() => undefined);
    await this.#work?.stop();
    await this.#platform.close();
    await this.#stack?.stop();
  }
}

async function localStack({ environment, local, say, onFatal }: LineSurroundings): Promise<DefaultStack | undefined> {
  if (hasOwnStack(environment)) return undefined;
  const modelDirectory = environment['MODEL_DIRECTORY'];
  const stack = await startStack({
    root: local,
    services: environment['INFERENCE_ENGINE'] === 'triton' ? [...DEFAULT_SERVICES, 'triton'] : DEFAULT_SERVICES,
    ...(modelDirectory === undefined ? {} : { modelRepository: dirname(modelDirectory) }),
    log: say,
    onLost: () => onFatal(new Error('the local stack went away: its supervisor ended; start again')),
    onServiceEnded: (service, how, restarts) =>
      say(`${service} ended (${how})${restarts ? ', starting it again' : ''}`),
  });
  return stack as DefaultStack;
}
