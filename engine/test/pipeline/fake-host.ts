import type { AsyncOperatorProcessor } from '../../src/pipeline/async-operator-processor.ts';
import { Headers } from '../../src/processor/headers.ts';
import type { AsyncHost, HeldRecord, ProcessorContext } from '../../src/processor/processor.ts';
import { Record } from '../../src/processor/record.ts';

/** A task reduced to what an operator sees: offsets held, a mailbox, and what was forwarded. */
export class FakeHost implements AsyncHost {
  readonly forwarded: { key: unknown; value: unknown; timestamp: number }[] = [];
  readonly failed: { offset: number; error: unknown }[] = [];
  readonly released: number[] = [];
  readonly #open = new Set<number>();
  readonly #mail: (() => void)[] = [];
  readonly node: AsyncOperatorProcessor;
  #offset = 0;

  constructor(node: AsyncOperatorProcessor) {
    this.node = node;
    node.attach(this);
    node.init({
      forward: (record: Record<unknown, unknown>) => {
        this.forwarded.push({ key: record.key, value: record.value, timestamp: record.timestamp });
      },
    } as unknown as ProcessorContext);
  }

  /** First offset that a commit may not pass. */
  get watermark(): number {
    return this.#open.size === 0 ? this.#offset : Math.min(...this.#open);
  }

  push(value: unknown, key: unknown = 'k'): void {
    this.node.process(new Record(key, value, this.#offset, new Headers()));
    this.#offset += 1;
  }

  hold(): HeldRecord {
    const offset = this.#offset;
    this.#open.add(offset);
    return {
      topic: 't',
      partition: 0,
      offset,
      run: (forwardAll) => {
        if (!this.#open.has(offset)) throw new Error(`offset ${offset} is not held`);
        forwardAll();
      },
      release: (forwardAll) => {
        if (!this.#open.delete(offset)) throw new Error(`offset ${offset} was released twice`);
        this.released.push(offset);
        forwardAll();
      },
    };
  }

  enter(callback: () => void): void {
    this.#mail.push(callback);
  }

  fail(held: HeldRecord, error: unknown): void {
    this.failed.push({ offset: held.offset, error });
    held.release(() => {});
  }

  runMail(): void {
    for (const message of this.#mail.splice(0)) message();
  }

  /** Lets promises settle and runs the mailbox until nothing more comes. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#mail.length > 0) quiet = 0;
      this.runMail();
    }
  }
}
