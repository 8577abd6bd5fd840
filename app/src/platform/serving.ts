import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from '@chip-quality/api';
import type { Log } from 'millrace';
import type { Component } from './component.ts';

const BETWEEN_PORTS_MS = 20;

/**
 * The API's server as a component.
 *
 * Owns: the server. Called by: the components of the process. Invariants: I1 `port` is there once it has started.
 */
export class Serving implements Component {
  readonly name = 'api';
  readonly #server: ApiServer;
  readonly #host: string;
  readonly #ports: readonly number[];
  readonly #log: Log;
  #port: number | undefined;

  /** `ports`: in the order of preference; 0 is any free one. */
  constructor(server: ApiServer, host: string, ports: readonly number[], log: Log) {
    this.#server = server;
    this.#host = host;
    this.#ports = ports;
    this.#log = log;
  }

  /** @throws Error before it listens */
  get port(): number {
    if (this.#port === undefined) throw new Error('The API does not listen yet');
    return this.#port;
  }

  /** Listens on the first port that is free. Rejects when none is. */
  async start(): Promise<void> {
    for (const [index, port] of this.#ports.entries()) {
      try {
        this.#port = (await this.#server.listen(port, this.#host)).port;
        return;
      } catch (error) {
        if (index === this.#ports.length - 1) throw error;
        this.#log.info({ port }, 'The port is taken; trying the next');
        await sleep(BETWEEN_PORTS_MS);
      }
    }
    throw new Error('no port to listen on');
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
