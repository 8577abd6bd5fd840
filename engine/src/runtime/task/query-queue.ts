import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { StreamsError } from '../../base/errors.ts';
import { answerQuery } from '../../state/queries/answer-query.ts';
import type { StoreQuery } from '../../state/queries/store-query.ts';
import type { StateStore } from '../../state/state-store.ts';

/**
 * Queries of one task that may wait at a time: some 10 to 50 ms of work. Who is behind so many waits longer than it
 * takes to ask again, and each that waits holds memory.
 */
export const WAITING_QUERIES_MAX = 10_000;

/** Whose stores are read, and when. */
export interface QueryQueueOptions {
  /** Who answers, for messages: `task 0_1`. */
  readonly owner: string;
  /** Bounds how long queries are answered in one go. */
  readonly clock: Clock;
  /** A store of the owner by its name. */
  readonly storeOf: (name: string) => StateStore | undefined;
  /** The stores are complete and stand between two records. */
  readonly isReadable: () => boolean;
  /** Called when a first query waits: `answer` is due. */
  readonly wake: () => void;
}

interface WaitingQuery {
  readonly query: StoreQuery;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The part of a mailbox that takes queries: reads of stores by whoever is outside the task (or the global state) that
 * owns them.
 *
 * Owns: the queries that wait. Called by: the views of room `query/` (`ask`), whoever runs the owner (`answer`,
 * `close`).
 * Invariants: I1 a query is answered between two records, in the order of coming; I2 every query gets an answer or an
 * error, at the latest when its owner closes; I3 no more than {@link WAITING_QUERIES_MAX} wait.
 */
export class QueryQueue {
  readonly #options: QueryQueueOptions;
  #waiting: WaitingQuery[] = [];
  #isClosed = false;

  /** Open: `close` ends it. */
  constructor(options: QueryQueueOptions) {
    this.#options = options;
  }

  /** Something waits. */
  get hasMail(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Resolves with the answer, see {@link StoreQuery}. Rejects with INVALID_STATE_STORE (recovery `retry`) while the
   * stores are restored, after they moved, and when too many queries wait already; otherwise with what the read throws.
   */
  ask(query: StoreQuery): Promise<unknown> {
    const { owner, isReadable, wake } = this.#options;
    if (this.#isClosed) return Promise.reject(this.#moved(query));
    if (!isReadable()) return Promise.reject(retriable(`State store '${query.store}' of ${owner} is being restored`));
    if (this.#waiting.length >= WAITING_QUERIES_MAX) {
      const message = `${WAITING_QUERIES_MAX} queries of ${owner} wait already; one of '${query.store}' was not taken`;
      return Promise.reject(retriable(message));
    }
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ query, resolve, reject });
    });
    if (this.#waiting.length === 1) wake();
    return answer;
  }

  /** Answers what waits, until `deadlineMs` of the monotonic clock; one at least. True when it answered any. */
  answer(deadlineMs: number): boolean {
    const { clock, isReadable } = this.#options;
    const waiting = this.#waiting;
    if (waiting.length === 0) return false;
    if (!isReadable()) {
      this.close();
      return false;
    }
    let answered = 0;
    do {
      this.#answerOne(waiting[answered] as WaitingQuery);
      answered += 1;
    } while (answered < waiting.length && clock.monotonicMs() < deadlineMs);
    this.#waiting = waiting.slice(answered);
    return true;
  }

  /** The stores are not read any more: what waits gets an error, and so does everything that comes. Idempotent. */
  close(): void {
    this.#isClosed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { query, reject } of waiting) reject(this.#moved(query));
  }

  #answerOne({ query, resolve, reject }: WaitingQuery): void {
    try {
      const store = this.#options.storeOf(query.store);
      assert(store !== undefined, `${this.#options.owner} holds store ${query.store}`);
      resolve(answerQuery(store, query));
    } catch (error) {
      reject(error);
    }
  }

  #moved({ store }: StoreQuery): StreamsError {
    return retriable(`State store '${store}' of ${this.#options.owner} is being moved or restored`);
  }
}

function retriable(message: string): StreamsError {
  return new StreamsError(message, { code: 'INVALID_STATE_STORE', recovery: 'retry' });
}
