import { initProducerIdV4 } from '@platformatic/kafka';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/metrics.ts';
import type { Random } from '../../../base/random.ts';
import { retryBackoffMs } from '../../backoff.ts';
import { brokerErrorOf } from '../../kafka-errors.ts';
import { callApi } from '../connection/call-api.ts';
import type { ClusterMetadata } from '../metadata/cluster-metadata.ts';

/** Brokers hold a producer's transaction open this long; unused by idempotent producers, but the request has the field. */
const UNUSED_TRANSACTION_TIMEOUT_MS = 60_000;

/** How a broker recognises the batches of one producer, and their order. */
export interface Identity {
  /** Given by the cluster. */
  readonly producerId: number;
  /** 0 for an id that is new. */
  readonly epoch: number;
}

/** Whom a producer asks for its id, and who is told. */
export interface ProducerIdentityOptions {
  /** Finds a broker to ask. */
  readonly metadata: ClusterMetadata;
  /** Measures the waits between attempts. */
  readonly clock: Clock;
  /** Spreads the waits between attempts. */
  readonly random: Random;
  /** Told of each attempt that failed. */
  readonly log: Log;
  /** Asking failed, for now or (recovery `fail`) for good. */
  readonly onFailure: (error: unknown) => void;
  /** Called when there is an id, or when it is time to ask again. */
  readonly goOn: () => void;
}

/**
 * The producer id under which batches are sent.
 *
 * Owns: the present id, failures in a row. Called by: WireProducer. Invariants: I1 one request at a time; I2 waits grow up to a limit.
 */
export class ProducerIdentity {
  readonly #options: ProducerIdentityOptions;
  #current: Identity | undefined;
  #isAsking = false;
  #failures = 0;

  constructor(options: ProducerIdentityOptions) {
    this.#options = options;
  }

  /** Undefined until one was asked for. */
  get current(): Identity | undefined {
    return this.#current;
  }

  /** Gives the id up: the next batches wait for a new one. */
  forget(): void {
    this.#current = undefined;
  }

  /** Asks for an id, unless a question is under way. */
  ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { clock, goOn, log, onFailure, random } = this.#options;
    void this.#request()
      .then(
        (identity) => {
          this.#current = identity;
          this.#failures = 0;
        },
        (error: unknown) => {
          this.#failures += 1;
          log.warn({ err: error }, 'The producer got no producer id');
          onFailure(error);
        },
      )
      .finally(() => {
        this.#isAsking = false;
        if (this.#current !== undefined) goOn();
        else clock.setTimer(retryBackoffMs(this.#failures, random), goOn);
      });
  }

  async #request(): Promise<Identity> {
    const connection = await this.#options.metadata.anyConnection();
    const answer = await callApi(connection, initProducerIdV4.api, null, UNUSED_TRANSACTION_TIMEOUT_MS, -1n, -1);
    if (answer.errorCode !== 0) throw brokerErrorOf(answer.errorCode, 'InitProducerId');
    return { producerId: Number(answer.producerId), epoch: answer.producerEpoch };
  }
}
