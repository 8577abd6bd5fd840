import { type BackoffBounds, backoffMs } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import { asError } from '../errors.ts';
import type { PartitionTask } from '../task/task.ts';

/** Waits before a failed task is started again. */
const TASK_BACKOFF: BackoffBounds = { minMs: 100, maxMs: 30_000 };
/** A task that ran this long is healthy: earlier failures have nothing to do with the next one. */
const HEALTHY_MS = 2 * TASK_BACKOFF.maxMs;

/** How tasks are started again, and who is told that none can be. */
export interface TaskSupervisorOptions {
  /** Clock, log and `taskTimeoutMs`. */
  readonly config: StreamsConfig;
  /** The thread ends: nothing is started again. */
  readonly isStopping: () => boolean;
  /** Closes the task and starts it anew; `wipe`: without its local state. */
  readonly recreate: (task: PartitionTask, wipe: boolean) => Promise<void>;
  /** Nothing heals this: the thread ends. */
  readonly onFailure: (error: Error) => void;
}

/**
 * What follows the failure of a task: what the recovery of its error says, and nothing else decides.
 *
 * Owns: the failures of each task in a row. Called by: StreamThread.
 * Invariants: I1 a task has FAILED before anything else is decided, and is decided on once; I2 waits grow up to a limit, and end with the
 * thread after `taskTimeoutMs` without progress.
 */
export class TaskSupervisor {
  readonly #options: TaskSupervisorOptions;
  readonly #failures = new Map<string, { count: number; sinceMs: number }>();
  /** Tasks whose failure was decided on; each is failed once. */
  readonly #failed = new WeakSet<PartitionTask>();

  /** No task has failed yet. */
  constructor(options: TaskSupervisorOptions) {
    this.#options = options;
  }

  /** These tasks have committed. */
  succeeded(tasks: readonly PartitionTask[]): void {
    for (const task of tasks) this.#failures.delete(task.taskId);
  }

  /** Fails the task and does what the error's recovery says: starts it again after a wait, or ends the thread. */
  failed(task: PartitionTask, thrown: unknown): void {
    const { config, isStopping, onFailure, recreate } = this.#options;
    const { clock, log, random, taskTimeoutMs } = config;
    const error = asError(thrown);
    const recovery = error instanceof StreamsError ? error.recovery : 'fail';
    if (task.state === 'CLOSED' || this.#failed.has(task) || isStopping()) {
      log.warn({ err: error, taskId: task.taskId }, 'A closing task failed');
      return;
    }
    // Whatever comes next: the record that failed has left its queue, so this task's position must never be committed.
    this.#failed.add(task);
    task.fail();
    if (recovery === 'fail') {
      onFailure(error);
      return;
    }
    if (task.runningMs > HEALTHY_MS) this.#failures.delete(task.taskId);
    const known = this.#failures.get(task.taskId) ?? { count: 0, sinceMs: clock.monotonicMs() };
    known.count += 1;
    this.#failures.set(task.taskId, known);
    if (clock.monotonicMs() - known.sinceMs > taskTimeoutMs) {
      const message = `Task ${task.taskId} made no progress for ${taskTimeoutMs} ms: ${error.message}`;
      onFailure(new StreamsError(message, { code: 'TASK_TIMEOUT', recovery: 'fail', cause: error }));
      return;
    }
    log.warn({ err: error, taskId: task.taskId, recovery, failures: known.count }, 'Restarting a task');
    void sleep(clock, backoffMs(known.count, TASK_BACKOFF, random))
      .then(() => (isStopping() ? undefined : recreate(task, recovery === 'restore')))
      .catch((failure: unknown) => onFailure(asError(failure)));
  }
}
