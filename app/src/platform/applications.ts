import { type AnyFlow, ownerOf, type QueryableStore } from '@chip-quality/topologies';
import type { KafkaStreams, Log, Metrics, Topology } from 'millrace';
import { Application } from './application.ts';
import { type StreamsProcess, streamsOptions } from './streams-options.ts';

/** What all applications of a process have in common. */
export interface ApplicationsSurroundings {
  readonly config: StreamsProcess;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onFatal: (error: Error) => void;
}

/**
 * The applications of this process.
 *
 * Owns: one application a flow. Called by: the roles, which make them, and whoever queries their stores.
 */
export class Applications {
  readonly #surroundings: ApplicationsSurroundings;
  readonly #byFlow = new Map<AnyFlow, Application>();

  constructor(surroundings: ApplicationsSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Makes a flow's application; its component starts it. */
  add(flow: AnyFlow, topology: Topology): Application {
    const { config, log, metrics, onFatal } = this.#surroundings;
    const options = streamsOptions(flow, config, { log, metrics });
    const application = new Application(flow, topology, { options, log, onFatal });
    this.#byFlow.set(flow, application);
    return application;
  }

  /** @throws Error when no application of this process keeps the store */
  keeperOf(store: QueryableStore): KafkaStreams {
    const flow = ownerOf(store);
    const application = this.#byFlow.get(flow);
    if (application === undefined) throw new Error(`${flow.id}, which keeps ${store}, does not run in this process`);
    return application.streams;
  }

  /** Records that the applications have not processed yet. */
  get lag(): number {
    let lag = 0;
    for (const { streams } of this.#byFlow.values()) for (const value of streams.lag.values()) lag += value;
    return lag;
  }
}
