import type { Broker } from '../../src/broker/broker.ts';
import { replacing } from './replacing.ts';

/** Stands before the group's commits of offsets: a test holds them, lets them go, or refuses them. */
export class CommitGate {
  /** Commits that wait. */
  waiting = 0;
  /** Commits that were let through. */
  passed = 0;
  #isHeld = false;
  #refusals: Error[] = [];
  #open: (() => void)[] = [];

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const open of this.#open.splice(0)) open();
  }

  /** The next commit rejects with this error. */
  refuseNext(error: Error): void {
    this.#refusals.push(error);
  }

  async pass(): Promise<void> {
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) throw refusal;
    if (this.#isHeld) {
      this.waiting += 1;
      await new Promise<void>((resolve) => this.#open.push(resolve));
      this.waiting -= 1;
    }
    this.passed += 1;
  }
}

/** A broker whose group members commit through a gate. */
export function committingThrough(gate: CommitGate, broker: Broker): Broker {
  return replacing(broker, {
    groupConsumer: (options) => {
      const consumer = broker.groupConsumer(options);
      const group = replacing(consumer.group, {
        commit: async (offsets) => {
          await gate.pass();
          await consumer.group.commit(offsets);
        },
      });
      return replacing(consumer, { group });
    },
  });
}
