import type { BrokerConsumer, BrokerGroupConsumer } from '../broker.ts';
import { GroupMember, type GroupMemberDependencies } from './group-member.ts';

/**
 * A consumer whose assignment the group decides.
 *
 * Owns: one consumer and one membership. Called by: the runtime.
 * Invariants: I1 revoked partitions stay fetched and committable until the listener has finished with them.
 */
export class GroupConsumer implements BrokerGroupConsumer {
  readonly records: BrokerConsumer;
  readonly group: GroupMember;

  constructor(records: BrokerConsumer, dependencies: Omit<GroupMemberDependencies, 'onAdded' | 'onRemoved'>) {
    this.records = records;
    this.group = new GroupMember({
      ...dependencies,
      onAdded: (partitions) => records.add(partitions.map((each) => ({ ...each, offset: -1 }))),
      onRemoved: (partitions) => records.remove(partitions),
    });
  }

  async close(): Promise<void> {
    this.records.wakeup();
    await this.group.close();
    await this.records.close();
  }
}
