import type { Log } from 'millrace';

/**
 * A row of the platform: something that runs in this process beside others. Whoever adds a reader, a sink or a service adds one of
 * these, and start, close and readiness follow.
 */
export interface Component {
  /** As `/health/ready` and the log name it. */
  readonly name: string;
  /** Absent: it begins to work when somebody asks it to. */
  start?(): Promise<void> | void;
  /** Whether it does its work at the moment. Absent: nobody can tell, so it counts as ready. */
  isReady?(): boolean;
  /** Lets go of what `start` took; also called when `start` failed half-way. Absent: there is nothing to let go. */
  close?(): Promise<void> | void;
}

/**
 * The components of a process.
 *
 * Owns: whatever was started. Called by: the platform.
 * Invariants: I1 `close` ends them in the reverse order of their start, so that whatever was accepted is committed before its
 * target goes away; I2 one that fails to close keeps no other from closing.
 */
export class Components {
  readonly #log: Log;
  readonly #groups: (readonly Component[])[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** Starts a group, its members at the same time; resolves when all run. Rejects with the first failure. */
  async start(group: readonly Component[]): Promise<void> {
    this.#groups.push(group);
    await Promise.all(group.map(async (component) => component.start?.()));
  }

  /** Names of those that don't do their work at the moment. */
  notReady(): readonly string[] {
    return this.#groups
      .flat()
      .filter((component) => component.isReady?.() === false)
      .map(({ name }) => name);
  }

  /** Resolves when everything is closed; what fails is told in the log. */
  async close(): Promise<void> {
    for (const group of this.#groups.splice(0).reverse()) {
      await Promise.all(group.map((component) => this.#close(component)));
    }
  }

  async #close(component: Component): Promise<void> {
    try {
      await component.close?.();
    } catch (error) {
      this.#log.error({ err: error, component: component.name }, 'Closing failed');
    }
  }
}
