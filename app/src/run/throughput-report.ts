import type { RunProgress } from './run-control.ts';

/** Time between two reports. */
const REPORT_EVERY_MS = 5_000;

/**
 * Tells a person at the terminal how the line is doing.
 *
 * Owns: counts since the last report, and its timer. Called by: the stations' control.
 */
export class ThroughputReport implements RunProgress {
  readonly #say: (line: string) => void;
  #boards = 0;
  #failed = 0;
  #all = 0;
  #latencySumMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  onBoard({
    status,
    latencyMs,
  }: {
    readonly status: 'completed' | 'failed' | 'refused';
    readonly latencyMs: number;
  }): void {
    this.#timer ??= setInterval(() => this.#report(), REPORT_EVERY_MS).unref();
    this.#boards += 1;
    this.#all += 1;
    this.#latencySumMs += latencyMs;
    if (status === 'failed') this.#failed += 1;
  }

  onTrouble({ chipId, message }: { readonly chipId: string; readonly message: string }): void {
    this.#say(`board ${chipId}: ${message}`);
  }

  onNote(line: string): void {
    this.#say(line);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    if (this.#boards === 0) return;
    const perMinute = Math.round(this.#boards * (60_000 / REPORT_EVERY_MS));
    const latency = Math.round(this.#latencySumMs / this.#boards);
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} inferences failed`;
    this.#say(`${this.#all} boards, ${perMinute} a minute, ${latency} ms each${failed}`);
    this.#boards = 0;
    this.#failed = 0;
    this.#latencySumMs = 0;
  }
}
