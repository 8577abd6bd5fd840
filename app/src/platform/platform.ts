import type { Log } from 'millrace';
import type { Pool } from 'pg';
import type { PlatformConfig } from '../config.ts';
import { startDetector } from '../detector/start-detector.ts';
import type { PlatformMetrics } from '../metrics/metrics.ts';
import { prepareApi } from './api-role.ts';
import { Applications } from './applications.ts';
import { Components } from './component.ts';
import { Connections } from './connections.ts';
import type { PlatformProcess } from './platform-process.ts';
import { prepareWorker } from './worker-role.ts';

/** What a process of the platform runs. One process may run both. */
export interface PlatformRoles {
  /** HTTP API, live page, and the applications whose stores it reads. */
  readonly api: boolean;
  /** Inference, projection into PostgreSQL, line yield. */
  readonly worker: boolean;
}

/**
 * The platform in one process.
 *
 * Owns: every connection, application and reader it started. Called by: the entry points (`main.ts`, `api.ts`, `worker.ts`).
 * Invariants: I1 the API listens only when all applications of the process run; I2 `close` stops in the reverse order.
 */
export class Platform {
  readonly #process: PlatformProcess;
  readonly #startDetector: typeof startDetector;

  /** `onFatal`: an application failed for good. `start`: where what judges comes from. */
  constructor(
    config: PlatformConfig,
    log: Log,
    metrics: PlatformMetrics,
    onFatal: (error: Error) => void,
    start: typeof startDetector = startDetector,
  ) {
    this.#process = {
      config,
      log,
      metrics,
      connections: new Connections(config, log),
      components: new Components(log),
      applications: new Applications({ config, log, metrics: metrics.engine, onFatal }),
    };
    this.#startDetector = start;
  }

  /** PostgreSQL, for those who check what was stored. */
  get pool(): Pool {
    return this.#process.connections.pool;
  }

  /** Brings everything up; resolves with the port of the API (undefined without one) when it all runs. */
  async start(roles: PlatformRoles, ports: readonly number[]): Promise<number | undefined> {
    const { components, connections } = this.#process;
    await components.start(connections.components);
    const worker = roles.worker ? await prepareWorker(this.#process, this.#startDetector) : [];
    const api = roles.api ? await prepareApi(this.#process) : undefined;
    await components.start([...worker, ...(api?.applications ?? [])]);
    return api?.serve(ports);
  }

  /** Records that the applications have not processed yet. */
  get lag(): number {
    return this.#process.applications.lag;
  }

  /** Commits what is in flight and lets go of everything. */
  close(): Promise<void> {
    return this.#process.components.close();
  }
}
