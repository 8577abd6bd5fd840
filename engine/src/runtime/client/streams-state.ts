import { StreamsError } from '../../base/errors.ts';
import { type Log, silentLog } from '../../base/metrics.ts';

/** States of an instance, as in Kafka Streams. */
export const STREAMS_STATES = [
  'CREATED',
  'REBALANCING',
  'RUNNING',
  'PENDING_SHUTDOWN',
  'NOT_RUNNING',
  'PENDING_ERROR',
  'ERROR',
] as const;

/**
 * State of an instance.
 *
 * - `CREATED`: `start` was not called.
 * - `REBALANCING`: tasks are being assigned or restored. Stores can be read as far as they are here.
 * - `RUNNING`: every assigned task processes.
 * - `PENDING_SHUTDOWN`: `close` was called; work in flight is finished and committed.
 * - `NOT_RUNNING`: closed for good.
 * - `PENDING_ERROR`: an error that nothing heals; the instance is being shut down without a commit.
 * - `ERROR`: shut down by an error, for good; see `failure`.
 */
export type StreamsState = (typeof STREAMS_STATES)[number];

/** Which state may follow which; everything else is a defect. */
export const streamsTransitions: Readonly<Record<StreamsState, readonly StreamsState[]>> = {
  CREATED: ['REBALANCING', 'PENDING_SHUTDOWN', 'PENDING_ERROR'],
  REBALANCING: ['RUNNING', 'PENDING_SHUTDOWN', 'PENDING_ERROR'],
  RUNNING: ['REBALANCING', 'PENDING_SHUTDOWN', 'PENDING_ERROR'],
  PENDING_SHUTDOWN: ['NOT_RUNNING'],
  NOT_RUNNING: [],
  PENDING_ERROR: ['ERROR'],
  ERROR: [],
};

/** Is told each new state and the one before it. It must not throw; an error is logged and changes nothing. */
export type StateListener = (newState: StreamsState, oldState: StreamsState) => void;

/**
 * The state of an instance and who wants to know about it.
 *
 * Called by: KafkaStreams. Invariants: I1 only transitions of the table happen; I2 listeners see them in order; I3 a listener that
 * throws is logged and changes nothing.
 */
export class StreamsLifecycle {
  #state: StreamsState = 'CREATED';
  readonly #listeners = new Set<StateListener>();
  readonly #log: Log;

  /** `log` gets what listeners throw. */
  constructor(log: Log = silentLog) {
    this.#log = log;
  }

  /** The state now; `CREATED` at first. */
  get state(): StreamsState {
    return this.#state;
  }

  /** Calls `listener` at each transition from now on; answers a function that ends it. */
  listen(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether `next` may follow now. */
  allows(next: StreamsState): boolean {
    return streamsTransitions[this.#state].includes(next);
  }

  /** Throws `INVALID_STATE` for a transition that isn't in the table. */
  to(next: StreamsState): void {
    const previous = this.#state;
    if (!this.allows(next)) {
      throw new StreamsError(`KafkaStreams can't become ${next} while ${previous}`, {
        code: 'INVALID_STATE',
        recovery: 'fail',
      });
    }
    this.#state = next;
    for (const listener of this.#listeners) {
      try {
        listener(next, previous);
      } catch (error) {
        this.#log.error({ err: error, state: next }, 'A state listener failed');
      }
    }
  }

  /** Makes the transition if it is allowed. */
  tryTo(next: StreamsState): boolean {
    if (!this.allows(next)) return false;
    this.to(next);
    return true;
  }

  /** Resolves when one of `states` is reached. */
  reached(states: readonly StreamsState[]): Promise<StreamsState> {
    if (states.includes(this.#state)) return Promise.resolve(this.#state);
    return new Promise((resolve) => {
      const stop = this.listen((state) => {
        if (!states.includes(state)) return;
        stop();
        resolve(state);
      });
    });
  }
}
