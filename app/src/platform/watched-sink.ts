import { type Clock, type OffsetStoringSink, StreamsError, systemClock } from 'millrace';
import type { Component } from './component.ts';

/** A transaction takes a second at most; one that takes this long waits for a system that doesn't answer. */
const STUCK_MS = 10_000;
/** How long a failure counts when nothing follows it: longer than any wait before a task tries again. */
const FAILURE_MS = 60_000;

/**
 * A system that flows write to, as a component: the tasks open, commit and close its sinks, this one says whether they get rid of
 * their records.
 *
 * Owns: what is under way in the sinks, and the last failure. Called by: tasks (through the sinks), the readiness.
 * Invariants: I1 what the sinks answer and reject with is passed on as it is.
 */
export class WatchedSink<K, V> implements Component {
  readonly name: string;
  readonly #make: () => OffsetStoringSink<K, V>;
  readonly #clock: Clock;
  readonly #underWay = new Set<{ readonly begunAtMs: number }>();
  #failedAtMs: number | undefined;

  constructor(name: string, make: () => OffsetStoringSink<K, V>, clock: Clock = systemClock) {
    this.name = name;
    this.#make = make;
    this.#clock = clock;
  }

  /** What a flow gets as its port: makes a sink for a task. */
  readonly make = (): OffsetStoringSink<K, V> => {
    const sink = this.#make();
    return {
      get isFull() {
        return sink.isFull;
      },
      open: (partitions, taskId) => this.#watch(() => sink.open(partitions, taskId)),
      write: (record, metadata) => sink.write(record, metadata),
      commit: (positions) => this.#watch(() => sink.commit(positions)),
      close: () => sink.close(),
    };
  };

  isReady(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#failedAtMs !== undefined && nowMs - this.#failedAtMs < FAILURE_MS) return false;
    return [...this.#underWay].every(({ begunAtMs }) => nowMs - begunAtMs < STUCK_MS);
  }

  async #watch<T>(work: () => Promise<T>): Promise<T> {
    const transaction = { begunAtMs: this.#clock.monotonicMs() };
    this.#underWay.add(transaction);
    try {
      const result = await work();
      this.#failedAtMs = undefined;
      return result;
    } catch (error) {
      // Another process owns the partitions now: the system is well.
      const isMoved = error instanceof StreamsError && error.recovery === 'migrate';
      if (!isMoved) this.#failedAtMs = this.#clock.monotonicMs();
      throw error;
    } finally {
      this.#underWay.delete(transaction);
    }
  }
}
