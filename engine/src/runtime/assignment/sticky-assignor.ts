import { type TopicPartition, topicPartitionKey } from '../../base/record-batch.ts';
import type { GroupAssignor, GroupMemberAssignment, GroupMemberSubscription } from '../../broker/broker.ts';
import type { ResolvedTopology } from '../../topology/nodes.ts';
import { layOutTasks, type TaskSpec, tasksByPartition } from './task-layout.ts';

const noUserData = Buffer.alloc(0);

/**
 * Spreads tasks evenly over members and leaves a task where it is as long as that keeps the balance. All partitions of a
 * task go to one member.
 *
 * Called by: the broker's group member; `assign` on the leader only.
 * Invariants: I1 every task has exactly one owner; I2 loads differ by one at most; I3 the same input gives the same answer.
 */
export class StickyAssignor implements GroupAssignor {
  readonly name = 'millrace-sticky';
  readonly protocol = 'cooperative';
  readonly #resolved: ResolvedTopology;
  readonly #topics: () => readonly string[];

  /**
   * `sourceTopics` answers the topics that the application reads at present, patterns resolved: the member subscribes
   * to them.
   */
  constructor(resolved: ResolvedTopology, topics: () => readonly string[]) {
    this.#resolved = resolved;
    this.#topics = topics;
  }

  topics(): readonly string[] {
    return this.#topics();
  }

  userData(): Buffer {
    return noUserData;
  }

  assign(
    members: readonly GroupMemberSubscription[],
    partitionCounts: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, GroupMemberAssignment> {
    const tasks = layOutTasks(this.#resolved, partitionCounts);
    const owners = assignTasks(tasks, members);
    const assignment = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
    for (const task of tasks) assignment.get(owners.get(task.taskId) as string)?.push(...task.partitions);
    return new Map(
      [...assignment].map(([memberId, partitions]) => [memberId, { partitions, userData: noUserData }] as const),
    );
  }
}

/** Task id → member id. */
export function assignTasks(
  tasks: readonly TaskSpec[],
  members: readonly GroupMemberSubscription[],
): ReadonlyMap<string, string> {
  const memberIds = members.map(({ memberId }) => memberId).sort();
  const taskOf = tasksByPartition(tasks);
  const previous = new Map<string, string>();
  for (const { memberId, ownedPartitions } of members) {
    for (const { topic, partition } of ownedPartitions) {
      const task = taskOf.get(topicPartitionKey(topic, partition));
      if (task !== undefined && !previous.has(task.taskId)) previous.set(task.taskId, memberId);
    }
  }
  const floor = Math.floor(tasks.length / memberIds.length);
  let fullerLeft = tasks.length % memberIds.length;
  const loads = new Map(memberIds.map((memberId) => [memberId, 0]));
  const owners = new Map<string, string>();
  const give = (task: TaskSpec, memberId: string): boolean => {
    const load = loads.get(memberId) ?? 0;
    if (load > floor || (load === floor && fullerLeft === 0)) return false;
    if (load === floor) fullerLeft -= 1;
    loads.set(memberId, load + 1);
    owners.set(task.taskId, memberId);
    return true;
  };
  for (const task of tasks) {
    const owner = previous.get(task.taskId);
    if (owner !== undefined) give(task, owner);
  }
  for (const task of tasks) {
    if (owners.has(task.taskId)) continue;
    const byLoad = [...memberIds].sort((left, right) => (loads.get(left) ?? 0) - (loads.get(right) ?? 0));
    for (const memberId of byLoad) if (give(task, memberId)) break;
  }
  return owners;
}
