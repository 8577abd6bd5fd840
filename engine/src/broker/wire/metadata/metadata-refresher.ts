import { StreamsError } from '../../../base/errors.ts';
import type { Log } from '../../../base/metrics.ts';
import type { Random } from '../../../base/random.ts';
import { retryBackoffMs } from '../../backoff.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';

/** For whom the cluster is asked, and who is told. */
export interface MetadataRefresherOptions {
  /** What is refreshed. */
  readonly metadata: ClusterMetadata;
  /** Spreads the waits between attempts. */
  readonly random: Random;
  /** Told of each attempt that failed. */
  readonly log: Log;
  /** What to ask for. */
  readonly topics: () => readonly string[];
  /** The answer about these topics is there. */
  readonly onAnswer: (topics: ReadonlySet<string>) => void;
  /** No answer will ever come. */
  readonly onFailure: (error: Error) => void;
  /** Called after every attempt, failed or not: the client goes on after `delayMs`, 0 for at once. */
  readonly goOn: (delayMs: number) => void;
}

/**
 * Asks the cluster again where partitions are, for a client whose metadata turned out to be out of date.
 *
 * Owns: failures in a row. Called by: WireConsumer, WireProducer. Invariants: I1 one question at a time; I2 after failures the client
 * waits longer and longer, up to a limit.
 */
export class MetadataRefresher {
  readonly #options: MetadataRefresherOptions;
  #isRefreshing = false;
  #failures = 0;

  constructor(options: MetadataRefresherOptions) {
    this.#options = options;
  }

  /** Asks, unless a question is under way. */
  refresh(): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const { goOn, log, metadata, onAnswer, onFailure, random, topics } = this.#options;
    const asked = new Set(topics());
    void metadata
      .refresh([...asked])
      .then(
        () => {
          this.#failures = 0;
          onAnswer(asked);
        },
        (error: unknown) => {
          this.#failures += 1;
          log.warn({ err: error }, 'The cluster could not be asked for its partitions');
          if (error instanceof StreamsError && error.recovery === 'fail') onFailure(error);
        },
      )
      .finally(() => {
        this.#isRefreshing = false;
        goOn(this.#failures === 0 ? 0 : retryBackoffMs(this.#failures, random));
      });
  }
}
