import type { Detection, DetectorInput } from '@chip-quality/schemas';
import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { InferenceError } from '../errors.ts';
import type { InferenceEngine, InferOptions } from '../inference-port.ts';

/** One call: sixteen boards take a quarter of a second on one core, so a server that needs longer is in trouble. */
const CALL_DEADLINE_MS = 5_000;
/** One call of a version that nobody depends on: whoever waits for it has another one to ask. */
const ONCE_DEADLINE_MS = 2_500;
/** Short faults pass within a second; the circuit breaker deals with longer ones. */
const RETRIES_MAX = 2;
const RETRY_DELAY_MIN_MS = 100;
const RETRY_DELAY_MAX_MS = 1_000;
/** Failed calls in a row after which nobody asks any more, and how long that lasts. */
const BREAKER_FAILURES = 5;
const BREAKER_OPEN_MS = 30_000;
/** One batch is judged while the next is handed over. */
const CONCURRENT_CALLS_MAX = 2;
/** Callers bound themselves (two batches an instance); this is the bound for those that do not. */
const QUEUED_CALLS_MAX = 32;

/** Whether calls are let through: all of them (`closed`), none (`open`), or one to find out (`half-open`). */
export type Circuit = 'closed' | 'open' | 'half-open';

/** The circuit is open: nobody asked the engine, so this says nothing new about it. */
export class NotAskedError extends InferenceError {
  constructor(message: string, cause: unknown) {
    super('unavailable', message, { cause });
  }
}

/** Settings of {@link makeResilient}. */
export interface ResilienceOptions {
  /** Milliseconds until a call that was begun rejects as `unavailable`. Default 5,000. */
  readonly callDeadlineMs?: number;
  /** As `callDeadlineMs`, for `inferOnce`. Default 2,500. */
  readonly onceDeadlineMs?: number;
  /** Calls at the engine at once; others wait. Default 2. */
  readonly concurrentCallsMax?: number;
  /** Calls that wait; more reject as `unavailable`. Default 32. */
  readonly queuedCallsMax?: number;
  /** Told when the circuit changes. */
  readonly onCircuit?: (circuit: Circuit) => void;
}

/** An engine that may be asked at any time and says when it is worth while. */
export interface ResilientEngine extends InferenceEngine {
  /** State of the circuit at this moment. */
  readonly circuit: Circuit;
  /** As `infer`, but within a shorter deadline and not repeated: for callers that have somebody else to ask. */
  inferOnce(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]>;
  /**
   * Resolves when calls are let through: at once, unless the circuit is open. Rejects with the signal's reason. Callers that
   * hold work wait here, so that an outage stops them instead of failing what they hold.
   */
  whenAvailable(signal?: AbortSignal): Promise<void>;
}

/**
 * Puts an engine behind a deadline of each call, retries with jitter, a circuit breaker (five failures in a row open it for 30 s,
 * then one call tries) and a bulkhead. Only `unavailable` is repeated and counted: the same input asked again has no
 * effect on a model, but what is wrong with the input or the answer stays wrong. Closing it closes the engine.
 */
export function makeResilient(engine: InferenceEngine, options: ResilienceOptions = {}): ResilientEngine {
  return new GuardedEngine(engine, options);
}

const isOutage = (error: unknown): boolean => error instanceof InferenceError && error.retriable;

/**
 * Owns: the policies and the engine behind them. Called by: the model life cycle.
 * Invariants: I1 at most `concurrentCallsMax` calls are at the engine; I2 a call that the caller cancelled is neither repeated nor
 * counted; I3 while the circuit is open the engine is not asked.
 */
class GuardedEngine implements ResilientEngine {
  readonly #engine: InferenceEngine;
  readonly #callDeadlineMs: number;
  readonly #onceDeadlineMs: number;
  readonly #breaker;
  readonly #once;
  readonly #repeating;
  #openedAtMs = 0;

  constructor(engine: InferenceEngine, options: ResilienceOptions) {
    this.#engine = engine;
    this.#callDeadlineMs = options.callDeadlineMs ?? CALL_DEADLINE_MS;
    this.#onceDeadlineMs = options.onceDeadlineMs ?? ONCE_DEADLINE_MS;
    const outages = handleWhen(isOutage);
    const retries = retry(outages, {
      maxAttempts: RETRIES_MAX,
      backoff: new ExponentialBackoff({ initialDelay: RETRY_DELAY_MIN_MS, maxDelay: RETRY_DELAY_MAX_MS }),
    });
    const places = bulkhead(
      options.concurrentCallsMax ?? CONCURRENT_CALLS_MAX,
      options.queuedCallsMax ?? QUEUED_CALLS_MAX,
    );
    this.#breaker = circuitBreaker(outages, {
      breaker: new ConsecutiveBreaker(BREAKER_FAILURES),
      halfOpenAfter: BREAKER_OPEN_MS,
    });
    this.#breaker.onStateChange(() => {
      if (this.circuit === 'open') this.#openedAtMs = performance.now();
      options.onCircuit?.(this.circuit);
    });
    this.#once = wrap(places, this.#breaker);
    // The retry is outermost: while it waits, somebody else has the place at the engine.
    this.#repeating = wrap(retries, this.#once);
  }

  get modelName(): string {
    return this.#engine.modelName;
  }

  get modelVersion(): string {
    return this.#engine.modelVersion;
  }

  get maxBatchSize(): number {
    return this.#engine.maxBatchSize;
  }

  get verdictThreshold(): number {
    return this.#engine.verdictThreshold;
  }

  get circuit(): Circuit {
    const { state } = this.#breaker;
    if (state === CircuitState.Closed) return 'closed';
    return state === CircuitState.HalfOpen ? 'half-open' : 'open';
  }

  infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    return this.#guarded(this.#repeating, batch, this.#callDeadlineMs, options);
  }

  inferOnce(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    return this.#guarded(this.#once, batch, this.#onceDeadlineMs, options);
  }

  async #guarded(
    policy: IPolicy,
    batch: readonly DetectorInput[],
    deadlineMs: number,
    options: InferOptions = {},
  ): Promise<Detection[][]> {
    const { signal } = options;
    signal?.throwIfAborted();
    let failure: unknown;
    const call = () =>
      this.#call(batch, deadlineMs, options).catch((error: unknown) => {
        failure = error;
        throw error;
      });
    try {
      return await policy.execute(call, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof BrokenCircuitError) {
        // Its own failure may have opened the circuit, and says more.
        throw (
          failure ?? new NotAskedError(`${this.modelName} is not asked: it failed ${BREAKER_FAILURES} times`, error)
        );
      }
      if (error instanceof BulkheadRejectedError) {
        throw new InferenceError('unavailable', `too many batches wait for ${this.modelName}`, { cause: error });
      }
      throw error;
    }
  }

  async whenAvailable(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const waitMs = this.#openedAtMs + BREAKER_OPEN_MS - performance.now();
    if (this.circuit !== 'open' || waitMs <= 0) return;
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        reset.dispose();
        signal?.removeEventListener('abort', onAbort);
      };
      const timer = setTimeout(() => {
        done();
        resolve();
      }, waitMs);
      const reset = this.#breaker.onReset(() => {
        done();
        resolve();
      });
      const onAbort = () => {
        done();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  async ready(): Promise<boolean> {
    return this.circuit !== 'open' && (await this.#engine.ready());
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #call(batch: readonly DetectorInput[], deadlineMs: number, options: InferOptions): Promise<Detection[][]> {
    // A queued call may have been cancelled before its turn.
    options.signal?.throwIfAborted();
    try {
      return await timeout(deadlineMs, TimeoutStrategy.Aggressive).execute(
        ({ signal }) => this.#engine.infer(batch, { ...options, signal }),
        options.signal,
      );
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof TaskCancelledError)) throw error;
      const message = `${this.modelName} gave no answer within ${deadlineMs} ms`;
      throw new InferenceError('unavailable', message, { cause: error });
    }
  }
}
