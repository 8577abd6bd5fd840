import type { TopicPartition, TopicPartitionKey } from '../../base/record-batch.ts';
import type { OffsetAndMetadata } from '../broker.ts';

export interface JoinRequest {
  /** Empty on the first join; the coordinator may answer MEMBER_ID_REQUIRED with an id to come back with. */
  readonly memberId: string;
  readonly protocolName: string;
  readonly metadata: Buffer;
}

export interface JoinedMember {
  readonly memberId: string;
  readonly metadata: Buffer;
}

export interface JoinResult {
  readonly memberId: string;
  readonly generationId: number;
  readonly leaderId: string;
  /** Everybody's metadata, on the leader only. */
  readonly members: readonly JoinedMember[];
}

/** Rejection of a first join by coordinators that hand out ids before they count the member. */
export class MemberIdRequired extends Error {
  override readonly name = 'MemberIdRequired';
  readonly memberId: string;

  constructor(memberId: string) {
    super(`The coordinator wants the member to join again as ${memberId}`);
    this.memberId = memberId;
  }
}

/**
 * The coordinator's side of the classic group protocol for one group and one member, as {@link GroupMember} needs it. Every
 * rejection is a `BrokerError` with Kafka's code; finding the coordinator anew after a retriable one is the implementation's work.
 */
export interface GroupCoordinator {
  /** May stay open as long as the rebalance timeout. */
  join(request: JoinRequest): Promise<JoinResult>;
  /** The leader gives everybody's assignment, the others give none. Answers this member's. */
  sync(
    membership: { readonly memberId: string; readonly generationId: number; readonly protocolName: string },
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<Buffer>;
  heartbeat(memberId: string, generationId: number): Promise<void>;
  leave(memberId: string): Promise<void>;
  commit(
    memberId: string,
    generationId: number,
    offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>,
  ): Promise<void>;
  /** Partitions without a committed offset are absent. */
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>>;
  /** Makes an open `join` or `sync` reject, for closing. */
  interrupt(): void;
  close(): Promise<void>;
}
