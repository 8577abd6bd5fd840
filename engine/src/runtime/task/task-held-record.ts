import { assert } from '../../base/assert.ts';
import type { HeldRecord } from '../../processor/processor.ts';
import type { RecordContext } from './record-context.ts';

/**
 * A record that an asynchronous operator holds.
 *
 * Called by: the operators of room `pipeline/`. Invariants: I1 released once; I2 its offset is held from its making to its
 * release.
 */
export class TaskHeldRecord implements HeldRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Where it came from, with its bytes where a dead letter queue may need them. */
  readonly context: RecordContext;
  /** Its event time, epoch ms. */
  readonly timestampMs: number;
  readonly #run: (held: TaskHeldRecord, forwardAll: () => void) => void;
  #isReleased = false;

  /** Its offset is held already. `run` processes what is forwarded as part of this record. */
  constructor(
    context: RecordContext,
    timestampMs: number,
    run: (held: TaskHeldRecord, forwardAll: () => void) => void,
  ) {
    this.topic = context.topic;
    this.partition = context.partition;
    this.offset = context.offset;
    this.context = context;
    this.timestampMs = timestampMs;
    this.#run = run;
  }

  run(forwardAll: () => void): void {
    this.#run(this, forwardAll);
  }

  release(forwardAll: () => void): void {
    const { pending } = this.context;
    assert(!this.#isReleased && pending !== undefined && pending.holds > 0, 'a held record is released once');
    this.#run(this, forwardAll);
    this.#isReleased = true;
    pending.holds -= 1;
  }
}
