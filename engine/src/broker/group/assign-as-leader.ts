import { topicPartitionKey } from '../../base/record-batch.ts';
import type { GroupAssignor, GroupMemberSubscription } from '../broker.ts';
import { decodeSubscription, encodeAssignment } from './consumer-protocol.ts';
import type { JoinedMember } from './group-coordinator.ts';

/** What the leader sends to the coordinator, and the partition counts it was computed from. */
export interface LeaderAssignment {
  /** Encoded assignment of each member, by member id. */
  readonly assignments: ReadonlyMap<string, Buffer>;
  /** By topic: when they change, the leader begins another rebalance. */
  readonly partitionCounts: ReadonlyMap<string, number>;
}

/**
 * Runs the assignor over everybody's subscription. Under the cooperative protocol a partition that another member still owns
 * is held back in this round: its owner gives it up when it sees its own assignment, rejoins, and the next round hands it over.
 */
export async function assignAsLeader(
  assignor: GroupAssignor,
  joined: readonly JoinedMember[],
  partitionCounts: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>,
): Promise<LeaderAssignment> {
  const subscriptions = joined.map((each) => ({ memberId: each.memberId, ...decodeSubscription(each.metadata) }));
  // The assignor's answer may not depend on the order in which members happened to join.
  subscriptions.sort((left, right) => (left.memberId < right.memberId ? -1 : 1));
  const topics = [...new Set(subscriptions.flatMap((each) => each.topics))].sort();
  const counts = await partitionCounts(topics);
  const members: GroupMemberSubscription[] = subscriptions.map(({ memberId, topics, ownedPartitions, userData }) => ({
    memberId,
    topics,
    ownedPartitions,
    userData,
  }));
  const assigned = await assignor.assign(members, counts);

  const ownerByPartition = new Map<string, { readonly memberId: string; readonly generationId: number }>();
  if (assignor.protocol === 'cooperative') {
    for (const { memberId, ownedPartitions, generationId } of subscriptions) {
      for (const each of ownedPartitions) {
        const key = topicPartitionKey(each.topic, each.partition);
        const other = ownerByPartition.get(key);
        // Two claims: the older generation is a zombie's.
        if (other === undefined || other.generationId < generationId)
          ownerByPartition.set(key, { memberId, generationId });
      }
    }
  }
  const assignments = new Map<string, Buffer>();
  for (const { memberId } of subscriptions) {
    const assignment = assigned.get(memberId) ?? { partitions: [], userData: Buffer.alloc(0) };
    const partitions = assignment.partitions.filter((each) => {
      const owner = ownerByPartition.get(topicPartitionKey(each.topic, each.partition));
      return owner === undefined || owner.memberId === memberId;
    });
    assignments.set(memberId, encodeAssignment({ partitions, userData: assignment.userData }));
  }
  return { assignments, partitionCounts: counts };
}
