import type { TopicPartition } from '../../src/base/record-batch.ts';
import type { OffsetAndMetadata } from '../../src/broker/broker.ts';
import type { Commit, CommitProtocol } from '../../src/runtime/commit/commit-protocol.ts';
import type { StreamTask } from '../../src/runtime/task/stream-task.ts';

/** A commit that waits for the test to end it. */
export interface ScriptedCommit extends Commit {
  readonly taskIds: readonly string[];
  succeed(): void;
  fail(error: Error): void;
}

/** A protocol that does nothing by itself: the test ends each commit, and reads what it was asked. */
export class ScriptedProtocol implements CommitProtocol {
  readonly scope: 'task' | 'thread';
  readonly worksMeanwhile: boolean;
  readonly commits: ScriptedCommit[] = [];
  readonly abandoned: string[] = [];
  /** Abandoning a task undoes all others that have something to commit. */
  undoesOthers = true;
  /** Awaited by `abandon`. */
  abandonsAfter: Promise<void> = Promise.resolve();

  constructor(scope: 'task' | 'thread', worksMeanwhile: boolean) {
    this.scope = scope;
    this.worksMeanwhile = worksMeanwhile;
  }

  get last(): ScriptedCommit {
    const last = this.commits.at(-1);
    if (last === undefined) throw new Error('Nothing is being committed');
    return last;
  }

  commit(commit: Commit): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const taskIds = commit.tasks.map(({ task }) => task.taskId);
    this.commits.push({ ...commit, taskIds, succeed: resolve, fail: reject });
    return promise;
  }

  async abandon(tasks: readonly StreamTask[], others: readonly StreamTask[]): Promise<readonly StreamTask[]> {
    this.abandoned.push(...tasks.map(({ taskId }) => taskId));
    await this.abandonsAfter;
    return this.undoesOthers ? others : [];
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, OffsetAndMetadata>> {
    return new Map(partitions.map(({ topic, partition }) => [`${topic}-${partition}`, { offset: 0, metadata: '' }]));
  }

  check(): void {}
}
