import type { TopicPartition, TopicPartitionKey } from '../../base/record-batch.ts';
import type { OffsetAndMetadata } from '../broker.ts';

/** What a member joins with. */
export interface JoinRequest {
  /** Empty on the first join; the coordinator may answer MEMBER_ID_REQUIRED with an id to come back with. */
  readonly memberId: string;
  /** Name of its assignor. */
  readonly protocolName: string;
  /** Its encoded subscription. */
  readonly metadata: Buffer;
}

/** A member as the leader gets to know it. */
export interface JoinedMember {
  /** Id that the coordinator gave it. */
  readonly memberId: string;
  /** Its encoded subscription. */
  readonly metadata: Buffer;
}

/** The generation that a join led to. */
export interface JoinResult {
  /** Id that this member goes by from now on. */
  readonly memberId: string;
  /** Number of the generation; commits and heartbeats name it. */
  readonly generationId: number;
  /** Member that assigns. */
  readonly leaderId: string;
  /** Everybody's metadata, on the leader only. */
  readonly members: readonly JoinedMember[];
}

/** Rejection of a first join by coordinators that hand out ids before they count the member. */
export class MemberIdRequired extends Error {
  override readonly name = 'MemberIdRequired';
  /** Id to come back with. */
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
    membership: {
      /** This member. */
      readonly memberId: string;
      /** The generation that the join led to. */
      readonly generationId: number;
      /** Name of the assignor that the group agreed on. */
      readonly protocolName: string;
    },
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<Buffer>;
  /** Rejects with the code that says what has changed: a rebalance, or a membership that is over. */
  heartbeat(memberId: string, generationId: number): Promise<void>;
  /** Gives the membership up, so that the others need not wait for the session to expire. */
  leave(memberId: string): Promise<void>;
  /** Stores positions for a generation; rejects when that is over. */
  commit(
    memberId: string,
    generationId: number,
    offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>,
  ): Promise<void>;
  /** Partitions without a committed offset are absent. */
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>>;
  /** Makes an open `join` or `sync` reject, for closing. */
  interrupt(): void;
  /** Ends the connections. */
  close(): Promise<void>;
}
