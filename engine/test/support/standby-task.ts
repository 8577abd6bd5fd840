import type { StreamsConfig } from '../../src/base/config.ts';
import type { TopicPartitionKey } from '../../src/base/record-batch.ts';
import type { PartitionTask } from '../../src/runtime/task/task.ts';
import { nextTaskState, type TaskEvent, type TaskState } from '../../src/runtime/task/task-state.ts';
import { TaskStores } from '../../src/runtime/task/task-stores.ts';
import type { SubTopology } from '../../src/topology/nodes.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { newDirectory } from './streams-harness.ts';

export interface StandbyTaskOptions {
  readonly config: StreamsConfig;
  readonly partition?: number;
  readonly stateDirectory?: string;
}

/** The least that a standby is: stores that follow their changelogs, and a lifecycle. No producer, no nodes, no commits. */
export class StandbyTask implements PartitionTask {
  readonly taskId: string;
  readonly kind = 'standby';
  readonly runningMs = 0;
  readonly stores: TaskStores;
  #state: TaskState = 'CREATED';

  constructor(topology: Topology, options: StandbyTaskOptions) {
    const { config, partition = 0, stateDirectory = newDirectory() } = options;
    const { applicationId, clock, disk, log, metrics } = config;
    const { id, stores } = topology.resolve(applicationId).subTopologies[0] as SubTopology;
    const taskId = `${id}_${partition}`;
    this.taskId = taskId;
    this.stores = new TaskStores(stores, {
      applicationId,
      taskId,
      partition,
      stateDirectory,
      clock,
      disk,
      metrics,
      log,
      timestampMs: () => 0,
    });
  }

  get state(): TaskState {
    return this.#state;
  }

  transition(event: TaskEvent): void {
    this.#state = nextTaskState(this.taskId, this.#state, event);
  }

  changelogOffsets(): ReadonlyMap<TopicPartitionKey, number> {
    return this.stores.changelogOffsets();
  }

  fail(): void {
    this.transition('fail');
  }

  async close(): Promise<void> {
    this.transition('close');
    this.stores.close();
  }
}
