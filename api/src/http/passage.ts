import type { ApiLog } from './api-log.ts';
import type { LinkRequest, RequestEnd } from './link.ts';

/** What the answer to a client says that is gone (nginx's number). */
export const CLIENT_CLOSED_REQUEST = 499;

/**
 * What the links leave behind on a request's way: headers for its answer, and who wants to know its end.
 *
 * Owns: both, and the time since the first byte. Called by: the server and the live endpoint, once a request.
 * Invariants: I1 listeners are called once, whatever ends the request; I2 one that throws keeps no other from hearing.
 */
export class Passage implements Pick<LinkRequest, 'addHeader' | 'onEnd'> {
  readonly headers: Record<string, string> = {};
  readonly #log: ApiLog;
  readonly #startedAtMs = performance.now();
  #listeners: ((end: RequestEnd) => void)[] = [];

  constructor(log: ApiLog) {
    this.#log = log;
  }

  readonly addHeader = (name: string, value: string): void => {
    this.headers[name] = value;
  };

  readonly onEnd = (listener: (end: RequestEnd) => void): void => {
    this.#listeners.push(listener);
  };

  /** Answers how long the request took, in ms. */
  end(status: number): number {
    const durationMs = performance.now() - this.#startedAtMs;
    for (const listener of this.#listeners.splice(0)) {
      try {
        listener({ status, durationMs });
      } catch (error) {
        this.#log.error({ err: error }, 'A listener to the end of a request failed');
      }
    }
    return durationMs;
  }
}
