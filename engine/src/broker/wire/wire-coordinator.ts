import {
  findCoordinatorV4,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV8,
  offsetFetchV8,
  syncGroupV5,
} from '@platformatic/kafka';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { GroupConsumerOptions, OffsetAndMetadata } from '../broker.ts';
import {
  type GroupCoordinator,
  type JoinRequest,
  type JoinResult,
  MemberIdRequired,
} from '../group/group-coordinator.ts';
import { brokerErrorOf, kafkaCodeOf, kafkaCodes, NO_ANSWER, noAnswerError } from '../kafka-errors.ts';
import type { Address, BrokerLinks } from './connection/broker-links.ts';
import { asConnection, CONTROL_TIMEOUT_MS, callApi } from './connection/call-api.ts';
import type { Transport } from './connection/transport.ts';
import type { ClusterMetadata } from './metadata/cluster-metadata.ts';

const PROTOCOL_TYPE = 'consumer';
const GROUP_KEY_TYPE = 0;

const COORDINATOR_MOVED: ReadonlySet<number> = new Set([
  kafkaCodes.NOT_COORDINATOR,
  kafkaCodes.COORDINATOR_NOT_AVAILABLE,
  NO_ANSWER,
]);

/** The broker that coordinates a group. Rejects with a retriable error while there is none. */
export async function findGroupCoordinator(metadata: ClusterMetadata, groupId: string): Promise<Address> {
  const answer = await callApi(await metadata.anyConnection(), findCoordinatorV4.api, GROUP_KEY_TYPE, [groupId]);
  const [coordinator] = answer.coordinators;
  const errorCode = coordinator?.errorCode ?? kafkaCodes.COORDINATOR_NOT_AVAILABLE;
  if (coordinator === undefined || errorCode !== 0) {
    throw brokerErrorOf(errorCode, `Coordinator of group ${groupId}`, coordinator?.errorMessage ?? null);
  }
  return { host: coordinator.host, port: coordinator.port };
}

/** What of a member's options its coordinator is told. */
export type CoordinatorGroup = Pick<
  GroupConsumerOptions,
  'groupId' | 'groupInstanceId' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'
>;

/**
 * One member's way to its coordinator. Joins and syncs, which the broker holds open, have a connection of their own; heartbeats
 * and commits never queue behind them.
 *
 * Owns: the coordinator's address, two connections. Called by: {@link GroupMember}.
 * Invariants: I1 after an answer that the coordinator moved, the next call looks for it again.
 */
export class WireCoordinator implements GroupCoordinator {
  readonly #links: BrokerLinks;
  readonly #metadata: ClusterMetadata;
  readonly #group: CoordinatorGroup;
  readonly #joinPurpose: string;
  readonly #callPurpose: string;
  #address: Address | undefined;
  #isInterrupted = false;

  constructor(links: BrokerLinks, metadata: ClusterMetadata, group: CoordinatorGroup, name: string) {
    this.#links = links;
    this.#metadata = metadata;
    this.#group = group;
    this.#joinPurpose = `${name}-join`;
    this.#callPurpose = `${name}-group`;
  }

  join(request: JoinRequest): Promise<JoinResult> {
    const { groupId, groupInstanceId, rebalanceTimeoutMs, sessionTimeoutMs } = this.#group;
    return this.#call('JoinGroup', this.#joinPurpose, async (transport) => {
      if (this.#isInterrupted) throw noAnswerError('JoinGroup');
      const connection = asConnection(transport, rebalanceTimeoutMs + CONTROL_TIMEOUT_MS);
      const answer = await callApi(
        connection,
        joinGroupV9.api,
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        request.memberId,
        groupInstanceId ?? null,
        PROTOCOL_TYPE,
        [{ name: request.protocolName, metadata: request.metadata }],
        null,
      );
      if (answer.errorCode === kafkaCodes.MEMBER_ID_REQUIRED) throw new MemberIdRequired(answer.memberId ?? '');
      this.#check(answer.errorCode, 'JoinGroup');
      return {
        memberId: answer.memberId ?? '',
        generationId: answer.generationId,
        leaderId: answer.leader,
        members: answer.members.map(({ memberId, metadata }) => ({
          memberId,
          metadata: metadata ?? Buffer.alloc(0),
        })),
      };
    });
  }

  sync(
    membership: { readonly memberId: string; readonly generationId: number; readonly protocolName: string },
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<Buffer> {
    const { groupId, groupInstanceId, rebalanceTimeoutMs } = this.#group;
    return this.#call('SyncGroup', this.#joinPurpose, async (transport) => {
      if (this.#isInterrupted) throw noAnswerError('SyncGroup');
      const answer = await callApi(
        asConnection(transport, rebalanceTimeoutMs + CONTROL_TIMEOUT_MS),
        syncGroupV5.api,
        groupId,
        membership.generationId,
        membership.memberId,
        groupInstanceId ?? null,
        PROTOCOL_TYPE,
        membership.protocolName,
        [...assignments].map(([memberId, assignment]) => ({ memberId, assignment })),
      );
      this.#check(answer.errorCode, 'SyncGroup');
      return answer.assignment;
    });
  }

  heartbeat(memberId: string, generationId: number): Promise<void> {
    const { groupId, groupInstanceId } = this.#group;
    return this.#call('Heartbeat', this.#callPurpose, async (transport) => {
      const answer = await callApi(
        transport,
        heartbeatV4.api,
        groupId,
        generationId,
        memberId,
        groupInstanceId ?? null,
      );
      this.#check(answer.errorCode, 'Heartbeat');
    });
  }

  async leave(memberId: string): Promise<void> {
    const { groupId, groupInstanceId } = this.#group;
    // A static member keeps its place over a restart.
    if (groupInstanceId !== undefined) return;
    await this.#call('LeaveGroup', this.#callPurpose, async (transport) => {
      const members = [{ memberId, groupInstanceId: null, reason: 'the consumer is being closed' }];
      const answer = await callApi(transport, leaveGroupV5.api, groupId, members);
      this.#check(answer.errorCode, 'LeaveGroup');
    });
  }

  commit(
    memberId: string,
    generationId: number,
    offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>,
  ): Promise<void> {
    const { groupId, groupInstanceId } = this.#group;
    const topics = [...Map.groupBy(offsets.values(), ({ topic }) => topic)].map(([name, partitions]) => ({
      name,
      partitions: partitions.map(({ partition, offset, metadata, leaderEpoch }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: leaderEpoch ?? -1,
        committedMetadata: metadata,
      })),
    }));
    return this.#call('OffsetCommit', this.#callPurpose, async (transport) => {
      const instanceId = groupInstanceId ?? null;
      const answer = await callApi(transport, offsetCommitV8.api, groupId, generationId, memberId, instanceId, topics);
      for (const { partitions } of answer.topics) {
        for (const { errorCode } of partitions) this.#check(errorCode, 'OffsetCommit');
      }
    });
  }

  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    return this.#call('OffsetFetch', this.#callPurpose, (transport) =>
      fetchCommittedOffsets(transport, this.#group.groupId, partitions),
    );
  }

  interrupt(): void {
    // Also for one that is still on its way to a connection: sent now, it would be held open for minutes.
    this.#isInterrupted = true;
    this.#links.closePurpose(this.#joinPurpose);
  }

  async close(): Promise<void> {
    this.#links.closePurpose(this.#joinPurpose);
    this.#links.closePurpose(this.#callPurpose);
  }

  async #call<T>(what: string, purpose: string, ask: (transport: Transport) => Promise<T>): Promise<T> {
    try {
      this.#address ??= await findGroupCoordinator(this.#metadata, this.#group.groupId);
      return await ask(await this.#links.connect(this.#address, purpose));
    } catch (error) {
      const code = kafkaCodeOf(error);
      if (code !== undefined && COORDINATOR_MOVED.has(code)) this.#address = undefined;
      // A coordinator that is gone may still be named by the others for a moment: metadata is asked for anew.
      if (code === NO_ANSWER && what !== 'JoinGroup') await this.#metadata.refresh().catch(() => undefined);
      throw error;
    }
  }

  #check(errorCode: number, what: string): void {
    if (errorCode !== 0) throw brokerErrorOf(errorCode, `${what} of group ${this.#group.groupId}`);
  }
}

/** Committed offsets of a group; unstable ones (open transactions) are a retriable error. */
export async function fetchCommittedOffsets(
  transport: Transport,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, each]) => ({
    name,
    partitionIndexes: each.map(({ partition }) => partition),
  }));
  const answer = await callApi(transport, offsetFetchV8.api, [{ groupId, memberEpoch: -1, topics }], true);
  const found = new Map<TopicPartitionKey, OffsetAndMetadata>();
  for (const group of answer.groups) {
    if (group.errorCode !== 0) throw brokerErrorOf(group.errorCode, `OffsetFetch of group ${groupId}`);
    for (const { name, partitions: answered } of group.topics) {
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode } of answered) {
        const key = topicPartitionKey(name, partitionIndex);
        if (errorCode !== 0) throw brokerErrorOf(errorCode, `Committed offset of ${key} in group ${groupId}`);
        if (committedOffset < 0n) continue;
        found.set(key, {
          offset: Number(committedOffset),
          metadata: metadata ?? '',
          ...(committedLeaderEpoch < 0 ? {} : { leaderEpoch: committedLeaderEpoch }),
        });
      }
    }
  }
  return found;
}
