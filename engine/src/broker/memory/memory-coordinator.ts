import type { TopicPartition, TopicPartitionKey } from '../../base/record-batch.ts';
import type { OffsetAndMetadata } from '../broker.ts';
import type { GroupCoordinator, JoinRequest, JoinResult } from '../group/group-coordinator.ts';
import type { MemberProfile, MemoryGroup } from './memory-group.ts';

/** One member's connection to its {@link MemoryGroup}. */
export class MemoryCoordinator implements GroupCoordinator {
  readonly #group: MemoryGroup;
  readonly #profile: MemberProfile;
  #memberId = '';

  constructor(group: MemoryGroup, profile: MemberProfile) {
    this.#group = group;
    this.#profile = profile;
  }

  async join(request: JoinRequest): Promise<JoinResult> {
    const result = await this.#group.join(request, this.#profile);
    this.#memberId = result.memberId;
    return result;
  }

  async sync(
    membership: { readonly memberId: string; readonly generationId: number },
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<Buffer> {
    return this.#group.sync(membership.memberId, membership.generationId, assignments);
  }

  async heartbeat(memberId: string, generationId: number): Promise<void> {
    this.#group.heartbeat(memberId, generationId);
  }

  async leave(memberId: string): Promise<void> {
    this.#group.leave(memberId);
  }

  async commit(
    memberId: string,
    generationId: number,
    offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>,
  ): Promise<void> {
    this.#group.commit(memberId, generationId, offsets);
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    return this.#group.committed(partitions);
  }

  interrupt(): void {
    if (this.#memberId !== '') this.#group.interrupt(this.#memberId);
  }

  async close(): Promise<void> {}
}
