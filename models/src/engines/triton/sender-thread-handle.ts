import { Worker } from 'node:worker_threads';
import { InferenceError } from '../../errors.ts';
import type { FromSender, SenderSettings, SendReply, ToSender } from './messages.ts';

/** A thread that does not close by itself within this time (its server hangs) is ended. */
const CLOSE_PATIENCE_MS = 2_000;

/**
 * The sending thread as its engine sees it.
 *
 * Owns: one worker thread.
 * Called by: {@link createTritonEngine}'s engine.
 * Invariants: (I1) `onLost` is called once, when a thread that had started ends without `close()`; (I2) an idle
 * thread does not keep the process alive.
 */
export class SenderThread {
  readonly #worker: Worker;
  #isClosing = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Resolves when the thread is ready to send; rejects with `InferenceError` when it cannot be. */
  static start(
    settings: SenderSettings,
    onReply: (reply: SendReply) => void,
    onLost: (error: InferenceError) => void,
  ): Promise<SenderThread> {
    const worker = new Worker(new URL('./sender-thread.ts', import.meta.url), { workerData: settings });
    return new Promise((resolve, reject) => {
      let started: SenderThread | undefined;
      const lose = (message: string, cause?: unknown) => {
        const error = new InferenceError('unavailable', message, { cause });
        reject(error);
        const isLost = started !== undefined && !started.#isClosing;
        if (started !== undefined) started.#isClosing = true;
        if (isLost) onLost(error);
      };
      worker.on('error', (cause) => lose(`the sending thread failed: ${String(cause)}`, cause));
      worker.on('exit', (code) => lose(`the sending thread ended with code ${code}`));
      worker.on('message', (message: FromSender) => {
        if (message.kind === 'reply') onReply(message);
        else if (message.kind === 'ready') {
          started = new SenderThread(worker);
          worker.unref();
          resolve(started);
        } else if (message.kind === 'failed') {
          reject(new InferenceError(message.reason, message.message));
          void worker.terminate();
        }
      });
    });
  }

  /** Sends a message; what it transfers cannot be used here any more. */
  post(message: ToSender, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Whether the process stays alive for this thread. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Lets the thread put away its shared memory and ends it. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#worker.ref();
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.post({ kind: 'close' });
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_PATIENCE_MS);
    await ended;
    clearTimeout(timer);
  }
}
