import type { TopicPartition } from '../../src/base/record-batch.ts';
import type { GroupMembership, OffsetAndMetadata, ProducerTransactions } from '../../src/broker/broker.ts';
import type { CommitProtocolOptions, CommittingTask } from '../../src/runtime/commit/commit-protocol.ts';
import type { SourcePartition } from '../../src/runtime/task/source-partition.ts';
import type { StreamTask } from '../../src/runtime/task/stream-task.ts';
import type { StateStore, StoreBuilder } from '../../src/state/state-store.ts';
import { ManualClock } from './manual-clock.ts';
import { processing } from './streams-harness.ts';
import { give, runningTask } from './task-harness.ts';

/** Where the changelogs of these tasks end, as the broker acknowledged it. */
export const ACKED_END = 5;

/** What a commit protocol works with, noting what is asked of it, in order; each step can be held back or made to fail. */
export class CommitFixture {
  readonly events: string[] = [];
  readonly clock = new ManualClock();
  readonly #failures = new Map<string, Error>();
  readonly #holds = new Map<string, Promise<void>>();
  /** Set: something was lost for good. */
  lost: Error | undefined;

  /** The next time that this step is asked for, it fails. */
  failAt(step: string, error: Error): void {
    this.#failures.set(step, error);
  }

  /** The step waits until the returned function is called. */
  holdAt(step: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holds.set(step, promise);
    return resolve;
  }

  async #step(name: string): Promise<void> {
    this.events.push(name);
    this.#throwFailure(name);
    await this.#holds.get(name);
  }

  #throwFailure(step: string): void {
    const failure = this.#failures.get(step);
    this.#failures.delete(step);
    if (failure !== undefined) throw failure;
  }

  get options(): CommitProtocolOptions {
    const group: GroupMembership = {
      join: async () => {},
      rejoin: () => {},
      commit: (offsets) => this.#step(`offsets ${[...offsets.values()].map(({ offset }) => offset)}`.trim()),
      committed: async (partitions: readonly TopicPartition[]) => {
        await this.#step('committed');
        return new Map(
          partitions.map(({ topic, partition }) => [`${topic}-${partition}`, { offset: 7, metadata: '' }]),
        );
      },
      metadata: () => ({ groupId: 'app', memberId: 'member', generationId: 3 }),
    };
    const collector = {
      flush: () => this.#step('outputs'),
      ackedEnd: () => ACKED_END,
      check: () => {
        if (this.lost !== undefined) throw this.lost;
      },
    };
    return { group, collector };
  }

  /** A producer's transactions. */
  get transactions(): ProducerTransactions {
    return {
      init: () => this.#step('init'),
      begin: () => {
        this.events.push('begin');
      },
      sendOffsets: (offsets: ReadonlyMap<string, OffsetAndMetadata>, { generationId }) =>
        this.#step(`offsets ${[...offsets.values()].map(({ offset }) => offset)} of generation ${generationId}`),
      commit: () => this.#step('end'),
      abort: () => this.#step('abort'),
    };
  }

  /** A running task whose one store notes when it is made durable, and up to where. */
  task(taskId: string, collected: readonly string[] = []): StreamTask {
    const task = runningTask(
      processing(() => {}, [this.#store(`store ${taskId}`)]),
      { taskId, clock: this.clock },
    );
    give(task.sources[0] as SourcePartition, ...collected);
    task.process(0, Number.POSITIVE_INFINITY);
    return task;
  }

  /** The task's part in a commit that has just begun. */
  begin(task: StreamTask, isLast = true): CommittingTask {
    return { ...task.beginCommit(false), task, isLast };
  }

  #store(step: string): StoreBuilder<StateStore> {
    let isOpen = false;
    const store: StateStore = {
      name: 'state',
      persistent: false,
      restoredOffset: undefined,
      get isOpen() {
        return isOpen;
      },
      open() {
        isOpen = true;
      },
      restore() {},
      flush: () => this.#throwFailure(`cache of ${step}`),
      commit: (changelogOffset) => {
        this.events.push(`${step} up to ${changelogOffset}`);
        this.#throwFailure(step);
      },
      rollback: () => false,
      close() {
        isOpen = false;
      },
      wipe() {},
    };
    return {
      name: 'state',
      kind: 'key-value',
      persistent: false,
      loggingEnabled: true,
      loggingConfig: {},
      cachingEnabled: false,
      build: () => store,
    };
  }
}
