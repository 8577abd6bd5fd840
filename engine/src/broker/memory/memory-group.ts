import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { OffsetAndMetadata } from '../broker.ts';
import type { JoinRequest, JoinResult } from '../group/group-coordinator.ts';
import { brokerErrorOf, kafkaCodes } from '../kafka-errors.ts';

type GroupState = 'empty' | 'preparing' | 'completing' | 'stable';

interface Member {
  readonly memberId: string;
  readonly instanceId: string | undefined;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  metadata: Buffer;
  assignment: Buffer;
  pendingJoin: PromiseWithResolvers<JoinResult> | undefined;
  pendingSync: PromiseWithResolvers<Buffer> | undefined;
  sessionTimer: Timer | undefined;
}

/** What a member says about itself when it joins. */
export interface MemberProfile {
  /** The beginning of the member's id. */
  readonly clientId: string;
  /** Name of a static member, which takes the place of an earlier one of the name; undefined: a dynamic member. */
  readonly instanceId: string | undefined;
  /** Without a heartbeat for so long the member is thrown out, ms. */
  readonly sessionTimeoutMs: number;
  /** How long the group waits for the member to join again, ms. */
  readonly rebalanceTimeoutMs: number;
}

/**
 * A group as Kafka's classic coordinator keeps it.
 *
 * Owns: members, generation, committed offsets, session and rebalance timers. Called by: the memory coordinators of its members.
 * Invariants: I1 a generation begins when every member has joined, or the rebalance timeout threw out those who had not;
 * I2 offsets are taken from members of the current generation only; I3 in `stable` nobody waits.
 */
export class MemoryGroup {
  readonly #groupId: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #members = new Map<string, Member>();
  readonly #offsets = new Map<TopicPartitionKey, OffsetAndMetadata>();
  #state: GroupState = 'empty';
  #generationId = 0;
  #leaderId = '';
  #rebalanceTimer: Timer | undefined;

  constructor(groupId: string, clock: Clock, random: Random) {
    this.#groupId = groupId;
    this.#clock = clock;
    this.#random = random;
  }

  /** Resolves when the generation begins. Rejects with UNKNOWN_MEMBER_ID for an id that the group does not know. */
  join(request: JoinRequest, profile: MemberProfile): Promise<JoinResult> {
    let member = this.#members.get(request.memberId);
    if (request.memberId !== '' && member === undefined) throw this.#error(kafkaCodes.UNKNOWN_MEMBER_ID);
    if (member === undefined) {
      this.#fenceInstance(profile.instanceId);
      member = {
        memberId: `${profile.clientId}-${this.#random.uuid()}`,
        instanceId: profile.instanceId,
        sessionTimeoutMs: profile.sessionTimeoutMs,
        rebalanceTimeoutMs: profile.rebalanceTimeoutMs,
        metadata: request.metadata,
        assignment: Buffer.alloc(0),
        pendingJoin: undefined,
        pendingSync: undefined,
        sessionTimer: undefined,
      };
      this.#members.set(member.memberId, member);
      this.#prepareRebalance();
    } else {
      const isUnchanged = member.metadata.equals(request.metadata) && member.memberId !== this.#leaderId;
      member.metadata = request.metadata;
      if (this.#state === 'stable' && isUnchanged) return Promise.resolve(this.#joinResult(member));
      if (this.#state !== 'preparing') this.#prepareRebalance();
    }
    member.sessionTimer?.cancel();
    member.pendingJoin = Promise.withResolvers<JoinResult>();
    const { promise } = member.pendingJoin;
    this.#completeJoinIfAllAreHere();
    return promise;
  }

  /** The member's assignment, once the leader has given everybody's. Rejects when another rebalance has begun. */
  sync(memberId: string, generationId: number, assignments: ReadonlyMap<string, Buffer>): Promise<Buffer> {
    const member = this.#current(memberId, generationId);
    if (this.#state === 'preparing') throw this.#error(kafkaCodes.REBALANCE_IN_PROGRESS);
    if (this.#state === 'stable') return Promise.resolve(member.assignment);
    member.pendingSync = Promise.withResolvers<Buffer>();
    const { promise } = member.pendingSync;
    if (memberId === this.#leaderId) {
      this.#state = 'stable';
      for (const each of this.#members.values()) {
        each.assignment = assignments.get(each.memberId) ?? Buffer.alloc(0);
        each.pendingSync?.resolve(each.assignment);
        each.pendingSync = undefined;
      }
    }
    return promise;
  }

  /** Begins the member's session anew. Throws REBALANCE_IN_PROGRESS where it is to join again. */
  heartbeat(memberId: string, generationId: number): void {
    const member = this.#current(memberId, generationId);
    this.#startSession(member);
    if (this.#state === 'preparing') throw this.#error(kafkaCodes.REBALANCE_IN_PROGRESS);
  }

  /** Takes a dynamic member out and begins a rebalance for the others; a static one stays until its session expires. */
  leave(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) throw this.#error(kafkaCodes.UNKNOWN_MEMBER_ID);
    if (member.instanceId === undefined) this.#remove(member);
  }

  /** Stops waiting for a member whose connection closed while it joined. */
  interrupt(memberId: string): void {
    const member = this.#members.get(memberId);
    member?.pendingJoin?.reject(this.#error(kafkaCodes.NETWORK_EXCEPTION));
    member?.pendingSync?.reject(this.#error(kafkaCodes.NETWORK_EXCEPTION));
    if (member !== undefined) this.#remove(member);
  }

  /** Stores offsets. Throws where the member is not of this generation. */
  commit(
    memberId: string,
    generationId: number,
    offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>,
  ): void {
    const isAdmin = generationId < 0 && this.#members.size === 0;
    if (!isAdmin) {
      this.#startSession(this.#current(memberId, generationId));
      if (this.#state === 'completing') throw this.#error(kafkaCodes.REBALANCE_IN_PROGRESS);
    }
    for (const [key, { offset, metadata }] of offsets) this.#offsets.set(key, { offset, metadata });
  }

  /** Partitions without a committed offset are absent. */
  committed(partitions: readonly TopicPartition[]): ReadonlyMap<TopicPartitionKey, OffsetAndMetadata> {
    const found = new Map<TopicPartitionKey, OffsetAndMetadata>();
    for (const { topic, partition } of partitions) {
      const key = topicPartitionKey(topic, partition);
      const committed = this.#offsets.get(key);
      if (committed !== undefined) found.set(key, committed);
    }
    return found;
  }

  #current(memberId: string, generationId: number): Member {
    const member = this.#members.get(memberId);
    if (member === undefined) throw this.#error(kafkaCodes.UNKNOWN_MEMBER_ID);
    if (generationId !== this.#generationId) throw this.#error(kafkaCodes.ILLEGAL_GENERATION);
    return member;
  }

  #prepareRebalance(): void {
    if (this.#state === 'preparing') return;
    for (const member of this.#members.values()) {
      member.pendingSync?.reject(this.#error(kafkaCodes.REBALANCE_IN_PROGRESS));
      member.pendingSync = undefined;
    }
    this.#state = 'preparing';
    const timeoutMs = Math.max(...[...this.#members.values()].map((member) => member.rebalanceTimeoutMs));
    this.#rebalanceTimer = this.#clock.setTimer(timeoutMs, () => {
      for (const member of [...this.#members.values()]) if (member.pendingJoin === undefined) this.#drop(member);
      this.#completeJoinIfAllAreHere();
    });
  }

  #completeJoinIfAllAreHere(): void {
    if (this.#state !== 'preparing') return;
    const members = [...this.#members.values()];
    if (members.some((member) => member.pendingJoin === undefined)) return;
    this.#rebalanceTimer?.cancel();
    const [first] = members;
    if (first === undefined) {
      this.#state = 'empty';
      return;
    }
    this.#generationId += 1;
    this.#state = 'completing';
    if (!this.#members.has(this.#leaderId)) this.#leaderId = first.memberId;
    for (const member of members) {
      this.#startSession(member);
      member.pendingJoin?.resolve(this.#joinResult(member));
      member.pendingJoin = undefined;
    }
  }

  #joinResult(member: Member): JoinResult {
    const isLeader = member.memberId === this.#leaderId;
    return {
      memberId: member.memberId,
      generationId: this.#generationId,
      leaderId: this.#leaderId,
      members: isLeader ? [...this.#members.values()].map(({ memberId, metadata }) => ({ memberId, metadata })) : [],
    };
  }

  #startSession(member: Member): void {
    member.sessionTimer?.cancel();
    member.sessionTimer = this.#clock.setTimer(member.sessionTimeoutMs, () => {
      if (member.pendingJoin === undefined) this.#remove(member);
    });
  }

  #remove(member: Member): void {
    this.#drop(member);
    if (this.#members.size === 0) {
      this.#rebalanceTimer?.cancel();
      this.#state = 'empty';
      this.#generationId += 1;
      return;
    }
    this.#prepareRebalance();
    this.#completeJoinIfAllAreHere();
  }

  #drop(member: Member): void {
    member.sessionTimer?.cancel();
    this.#members.delete(member.memberId);
  }

  /** A static member that comes back under a new id takes the place of the old one. */
  #fenceInstance(instanceId: string | undefined): void {
    if (instanceId === undefined) return;
    for (const member of this.#members.values()) {
      if (member.instanceId !== instanceId) continue;
      member.pendingJoin?.reject(this.#error(kafkaCodes.FENCED_INSTANCE_ID));
      member.pendingSync?.reject(this.#error(kafkaCodes.FENCED_INSTANCE_ID));
      this.#drop(member);
    }
  }

  #error(code: number): Error {
    return brokerErrorOf(code, `Group ${this.#groupId}`);
  }
}
