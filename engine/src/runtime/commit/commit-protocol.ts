import type { TopicPartition, TopicPartitionKey } from '../../base/record-batch.ts';
import type { GroupMembership, OffsetAndMetadata } from '../../broker/broker.ts';
import type { BatchingCollector } from '../output/batching-collector.ts';
import type { StreamTask, TaskCommit } from '../task/stream-task.ts';

/** The part of one task in a commit: where it stood when the commit began. */
export interface CommittingTask extends TaskCommit {
  /** The task; its stores are flushed and committed with it. */
  readonly task: StreamTask;
  /** No commit of this task follows: everything becomes durable now. */
  readonly isLast: boolean;
}

/** What is being committed. All of it is of one moment, between two records. */
export interface Commit {
  /** The tasks that this commit is about. */
  readonly tasks: readonly CommittingTask[];
  /** Where source partitions go on: those that have moved since they were committed last. */
  readonly offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>;
}

/**
 * How the tasks of a thread are committed. The {@link Committer} says which tasks and when, and tells them that their commit
 * begins and ends; the protocol says in which steps, and what a failure means.
 *
 * What the Committer promises: a task is in one commit at a time; a task that failed is in none; nothing is committed between the
 * failure of a task and the end of its `abandon` under scope `thread`.
 */
export interface CommitProtocol {
  /**
   * `task`: tasks are committed independently of each other. `thread`: what the tasks of a thread write belongs together, as in a
   * transaction: each commit takes all tasks that have something to commit, and there is one at a time.
   */
  readonly scope: 'task' | 'thread';
  /** Whether tasks process records while their commit is on its way. Otherwise they stand still until it ends. */
  readonly worksMeanwhile: boolean;
  /**
   * Called at the moment that the commit is about: until the first await nothing was processed since, so what was written until
   * then belongs to this commit, and what is written later to the next. Resolves when everything is committed. Tasks may fail or be
   * closed meanwhile; the stores of one that is closed are left alone.
   *
   * Rejects when it is not committed. Recovery `migrate` then says that the group is changing and nothing was undone: the tasks keep
   * what they did, and commit it later or give it up with their partitions. With every other recovery the tasks of this commit can't
   * go on: they are failed, and begin again from their last commit.
   */
  commit(commit: Commit): Promise<void>;
  /**
   * These tasks end, and what they did since their last commit must not count. `others` are the tasks of the thread that have done
   * something since theirs. Resolves with those of them that were undone, too, and begin again. Never rejects.
   */
  abandon(tasks: readonly StreamTask[], others: readonly StreamTask[]): Promise<readonly StreamTask[]>;
  /**
   * Where new tasks of these partitions go on; partitions that were never committed are absent. Resolves when what former tasks of
   * the thread wrote can be read or never will be: the ends of changelogs that are asked for afterwards are final.
   */
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>>;
  /** Throws when something was lost that no commit of this protocol can make good: the thread ends. */
  check(): void;
}

/** What a protocol works with: the thread's membership, and where the records of its tasks go. */
export interface CommitProtocolOptions {
  /** Takes the offsets. */
  readonly group: GroupMembership;
  /** Sends what the tasks wrote, and says what was acknowledged. */
  readonly collector: Pick<BatchingCollector, 'flush' | 'ackedEnd' | 'check'>;
}

/** Makes the protocol of a thread. */
export type CreateCommitProtocol = (options: CommitProtocolOptions) => CommitProtocol;
