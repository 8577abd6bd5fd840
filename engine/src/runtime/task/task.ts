import type { TopicPartitionKey } from '../../base/record-batch.ts';
import type { TaskState } from './task-state.ts';
import type { TaskStores } from './task-stores.ts';

/**
 * `active`: processes records. `standby`: keeps the stores of a task that is active elsewhere close to their changelogs.
 * `global`: holds the global stores of an instance.
 */
export type TaskKind = 'active' | 'standby' | 'global';

/** What tasks of every kind have in common. */
export interface Task {
  /** `0_1`, sub-topology and partition; `global` for the task of the global stores. */
  readonly taskId: string;
  /** What the task is for. */
  readonly kind: TaskKind;
  /** Where it is in its life. */
  readonly state: TaskState;
  /**
   * For each log that its stores are filled from, by `topic-partition`: the first offset that they do not hold. A log without a
   * position yet is absent.
   */
  changelogOffsets(): ReadonlyMap<TopicPartitionKey, number>;
  /** Ends it and closes its stores, once. Rejects with the first error, after everything was closed. */
  close(): Promise<void>;
}

/**
 * A task of one partition, whose stores are restored from that partition of their changelogs: active and standby tasks. It is all
 * that restoring and supervision know of a task.
 */
export interface PartitionTask extends Task {
  /** What restoring fills. */
  readonly stores: TaskStores;
  /** How long ago it was started, ms; 0 before. */
  readonly runningMs: number;
  /** Nothing of it counts any more since its last commit: it does nothing until it is closed. */
  fail(): void;
}
