import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { TopicPartition, TopicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerConsumer, BrokerGroupConsumer, FetchedPartition, OffsetAndMetadata } from '../broker.ts';
import { retrying } from '../retrying.ts';
import type { GroupCoordinator } from './group-coordinator.ts';
import { GroupMember, type GroupMemberDependencies } from './group-member.ts';

/**
 * A consumer whose assignment the group decides. Newly assigned partitions are added without a position before
 * `onPartitionsAssigned` runs: the listener reads committed offsets and seeks; until then they are not fetched.
 *
 * Owns: one consumer and one membership. Called by: the runtime.
 * Invariants: I1 revoked partitions stay fetched and committable until the listener has finished with them.
 */
export class GroupConsumer implements BrokerGroupConsumer {
  readonly #consumer: BrokerConsumer;
  readonly #coordinator: GroupCoordinator;
  readonly #member: GroupMember;
  readonly #ports: { readonly clock: Clock; readonly random: Random };

  constructor(consumer: BrokerConsumer, dependencies: Omit<GroupMemberDependencies, 'onAdded' | 'onRemoved'>) {
    this.#consumer = consumer;
    this.#coordinator = dependencies.coordinator;
    this.#ports = dependencies;
    this.#member = new GroupMember({
      ...dependencies,
      onAdded: (partitions) => consumer.add(partitions.map((each) => ({ ...each, offset: -1 }))),
      onRemoved: (partitions) => consumer.remove(partitions),
    });
  }

  join(): Promise<void> {
    return this.#member.join();
  }

  rejoin(): void {
    this.#member.rejoin();
  }

  commit(offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>): Promise<void> {
    return offsets.size === 0 ? Promise.resolve() : this.#member.commit(offsets);
  }

  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    if (partitions.length === 0) return Promise.resolve(new Map());
    return retrying(this.#ports, () => this.#coordinator.committed(partitions));
  }

  groupMetadata(): { readonly groupId: string; readonly memberId: string; readonly generationId: number } {
    return this.#member.metadata();
  }

  async close(): Promise<void> {
    this.#consumer.wakeup();
    await this.#member.close();
    await this.#consumer.close();
  }

  assign(positions: readonly (TopicPartition & { offset: number })[]): void {
    this.#consumer.assign(positions);
  }

  add(positions: readonly (TopicPartition & { offset: number })[]): void {
    this.#consumer.add(positions);
  }

  remove(partitions: readonly TopicPartition[]): void {
    this.#consumer.remove(partitions);
  }

  assignment(): readonly TopicPartition[] {
    return this.#consumer.assignment();
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#consumer.seek(partition, offset);
  }

  position(partition: TopicPartition): number {
    return this.#consumer.position(partition);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#consumer.pause(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#consumer.resume(partitions);
  }

  knownEndOffset(partition: TopicPartition): number | undefined {
    return this.#consumer.knownEndOffset(partition);
  }

  poll(timeoutMs: number): Promise<readonly FetchedPartition[]> {
    return this.#consumer.poll(timeoutMs);
  }

  take(): readonly FetchedPartition[] {
    return this.#consumer.take();
  }

  wakeup(): void {
    this.#consumer.wakeup();
  }
}
