import { type Clock, sleep, type Timer } from '../../base/clock.ts';
import { BrokerError, StreamsError, TaskMigratedError } from '../../base/errors.ts';
import type { Log } from '../../base/metrics.ts';
import type { Random } from '../../base/random.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import { retryBackoffMs } from '../backoff.ts';
import type { GroupConsumerOptions, GroupMembership, GroupMetadata, OffsetAndMetadata } from '../broker.ts';
import { isFencedCode, isRetriableCode, kafkaCodeOf, kafkaCodes } from '../kafka-errors.ts';
import { retrying } from '../retrying.ts';
import { assignAsLeader } from './assign-as-leader.ts';
import { decodeAssignment, encodeSubscription } from './consumer-protocol.ts';
import { type GroupCoordinator, type JoinResult, MemberIdRequired } from './group-coordinator.ts';

/** How often the leader looks whether subscribed topics have other partition counts than it assigned. */
const TOPIC_CHECK_INTERVAL_MS = 30_000;
/** Pause before a commit that met a rebalance looks again. */
const COMMIT_RECHECK_MS = 20;

/** What a membership works with. */
export interface GroupMemberDependencies {
  /** Group, topics, timeouts, assignor and listener of the member. */
  readonly options: GroupConsumerOptions;
  /** The group's side. */
  readonly coordinator: GroupCoordinator;
  /** Partition counts of the topics that exist. */
  readonly partitionCounts: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** Measures heartbeats, rebalances and waits. */
  readonly clock: Clock;
  /** Spreads the waits between attempts. */
  readonly random: Random;
  /** Told of rebalances and of what ends the membership. */
  readonly log: Log;
  /** Called before the listener hears of an assignment. */
  readonly onAdded: (partitions: readonly TopicPartition[]) => void;
  /** Called after the listener has finished with a revocation, or with a loss. */
  readonly onRemoved: (partitions: readonly TopicPartition[]) => void;
}

/**
 * Membership of one consumer in one group: classic protocol, eager or cooperative, for any coordinator.
 *
 * Owns: member id, generation, owned partitions, the heartbeat timer. Called by: {@link GroupConsumer}.
 * Calls: the coordinator, the assignor (on the leader), the rebalance listener, one at a time.
 * Invariants: I1 listener calls never overlap; I2 a partition is revoked or lost before somebody else's assignment can reach
 * this member's listener again; I3 heartbeats go on while the listener works; I4 offsets are committed for owned partitions
 * only, under the generation that owns them.
 */
export class GroupMember implements GroupMembership {
  readonly #dependencies: GroupMemberDependencies;
  #memberId = '';
  #generationId = -1;
  #isLeader = false;
  readonly #owned = new Map<TopicPartitionKey, TopicPartition>();
  #assignedCounts: ReadonlyMap<string, number> = new Map();
  #lastTopicCheckMs = 0;
  #needsJoin = true;
  /** Between the sending of a join and the answer to the sync. */
  #isRebalancing = false;
  #isJoining = false;
  /** Why the membership is over, until the loop has told the listener. */
  #lostBecause: unknown;
  #isClosing = false;
  #failure: unknown;
  #heartbeatTimer: Timer | undefined;
  #wake: (() => void) | undefined;
  #loop: Promise<void> | undefined;
  readonly #first = Promise.withResolvers<void>();

  constructor(dependencies: GroupMemberDependencies) {
    this.#dependencies = dependencies;
    // A failure before anybody awaits the first assignment also reaches the listener.
    this.#first.promise.catch(() => undefined);
  }

  /** Starts joining; resolves with the first assignment, rejects when membership failed for good. */
  join(): Promise<void> {
    if (this.#loop === undefined) {
      this.#loop = this.#run();
      this.#scheduleHeartbeat();
    }
    return this.#first.promise;
  }

  rejoin(): void {
    this.#needsJoin = true;
    this.#wake?.();
  }

  metadata(): GroupMetadata {
    return { groupId: this.#dependencies.options.groupId, memberId: this.#memberId, generationId: this.#generationId };
  }

  /** Waits for a running rebalance where the coordinator wants it; rejects with `TaskMigratedError` when the generation is over. */
  async commit(offsets: ReadonlyMap<TopicPartitionKey, TopicPartition & OffsetAndMetadata>): Promise<void> {
    if (offsets.size === 0) return;
    const { clock, coordinator, options, random } = this.#dependencies;
    const deadlineMs = clock.monotonicMs() + options.rebalanceTimeoutMs;
    for (let failures = 1; ; failures += 1) {
      for (const key of offsets.keys()) {
        if (!this.#owned.has(key)) throw new TaskMigratedError(`${key} is not owned by ${this.#who()}`);
      }
      const memberId = this.#memberId;
      const generationId = this.#generationId;
      try {
        await coordinator.commit(memberId, generationId, offsets);
        return;
      } catch (error) {
        const code = kafkaCodeOf(error);
        if (code === undefined) throw error;
        const movedOn = this.#isRebalancing || generationId !== this.#generationId || memberId !== this.#memberId;
        if (isFencedCode(code) && !movedOn) {
          this.#lose(error);
          throw new TaskMigratedError(`Commit refused: ${this.#who()} is no longer a member`, error);
        }
        const isRebalance = code === kafkaCodes.REBALANCE_IN_PROGRESS || isFencedCode(code);
        if ((!isRebalance && !isRetriableCode(code)) || this.#isClosing || clock.monotonicMs() >= deadlineMs) {
          if (isRebalance) throw new TaskMigratedError(`Commit of ${this.#who()} met a rebalance`, error);
          throw error;
        }
        if (isRebalance && !movedOn) this.rejoin();
        await sleep(clock, isRebalance ? COMMIT_RECHECK_MS : retryBackoffMs(failures, random));
      }
    }
  }

  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    if (partitions.length === 0) return Promise.resolve(new Map());
    return retrying(this.#dependencies, () => this.#dependencies.coordinator.committed(partitions));
  }

  /** Revokes what is owned, leaves the group and ends. Not to be called from a listener. */
  async close(): Promise<void> {
    if (this.#isClosing) return this.#loop;
    this.#isClosing = true;
    if (this.#isRebalancing) this.#dependencies.coordinator.interrupt();
    this.#wake?.();
    await this.#loop;
    this.#heartbeatTimer?.cancel();
    this.#first.reject(
      new StreamsError(`${this.#who()} was closed before it joined`, { code: 'CANCELLED', recovery: 'fail' }),
    );
    await this.#dependencies.coordinator.close();
  }

  async #run(): Promise<void> {
    const { clock, log, random } = this.#dependencies;
    const { listener } = this.#dependencies.options;
    let failures = 0;
    while (!this.#isClosing && this.#failure === undefined) {
      try {
        if (this.#lostBecause !== undefined) await this.#tellLost();
        else if (this.#needsJoin) {
          await this.#rebalance();
          this.#first.resolve();
        } else await this.#untilWoken();
        failures = 0;
      } catch (error) {
        if (this.#isClosing) break;
        if (error instanceof MemberIdRequired) {
          this.#memberId = error.memberId;
          continue;
        }
        const code = kafkaCodeOf(error);
        if (code === kafkaCodes.REBALANCE_IN_PROGRESS) continue;
        if (code === kafkaCodes.UNKNOWN_MEMBER_ID || code === kafkaCodes.ILLEGAL_GENERATION) {
          this.#lose(error);
          continue;
        }
        const isMigration = error instanceof TaskMigratedError;
        if (!isMigration && (code === undefined || !isRetriableCode(code))) {
          this.#failure = code === kafkaCodes.INCONSISTENT_GROUP_PROTOCOL ? this.#refused(error) : error;
          break;
        }
        this.#needsJoin = true;
        failures += 1;
        log.warn({ err: error, failures }, `${this.#who()} could not join and tries again`);
        await sleep(clock, retryBackoffMs(failures, random));
      }
    }
    await this.#end(listener);
  }

  async #end(listener: GroupConsumerOptions['listener']): Promise<void> {
    this.#heartbeatTimer?.cancel();
    if (this.#failure !== undefined) {
      await this.#release((partitions) => listener.onPartitionsLost(partitions));
      this.#first.reject(this.#failure);
      listener.onError(this.#failure instanceof Error ? this.#failure : new Error(String(this.#failure)));
      return;
    }
    const isLost = this.#lostBecause !== undefined;
    await this.#release((partitions) =>
      isLost ? listener.onPartitionsLost(partitions) : listener.onPartitionsRevoked(partitions),
    );
    if (this.#memberId === '' || isLost) return;
    try {
      await this.#dependencies.coordinator.leave(this.#memberId);
    } catch (error) {
      // If leaving fails, the others wait until the session expires; nothing is lost.
      this.#dependencies.log.warn({ err: error }, `${this.#who()} could not leave its group`);
    }
    this.#memberId = '';
    this.#generationId = -1;
  }

  /** Tells the listener that all owned partitions go, then forgets them, even when the listener throws. */
  async #release(tell: (partitions: readonly TopicPartition[]) => Promise<void>): Promise<void> {
    const partitions = [...this.#owned.values()];
    if (partitions.length === 0) return;
    try {
      await tell(partitions);
    } catch (error) {
      // The partitions have gone to somebody else meanwhile; they were being given up in any case.
      if (error instanceof TaskMigratedError)
        this.#dependencies.log.warn({ err: error }, `${this.#who()} gave up partitions late`);
      else this.#dependencies.options.listener.onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#owned.clear();
      this.#dependencies.onRemoved(partitions);
    }
  }

  async #rebalance(): Promise<void> {
    const { assignor, listener } = this.#dependencies.options;
    const { coordinator } = this.#dependencies;
    this.#needsJoin = false;
    if (assignor.protocol === 'eager') await this.#release((partitions) => listener.onPartitionsRevoked(partitions));
    if (this.#lostBecause !== undefined || this.#isClosing) return;
    this.#isRebalancing = true;
    let bytes: Buffer;
    try {
      const joined = await this.#join();
      const assignments = this.#isLeader ? await this.#assignAsLeader(joined) : new Map<string, Buffer>();
      bytes = await coordinator.sync(
        { memberId: this.#memberId, generationId: this.#generationId, protocolName: assignor.name },
        assignments,
      );
    } catch (error) {
      this.#needsJoin = true;
      throw error;
    } finally {
      this.#isRebalancing = false;
    }
    const assignment = decodeAssignment(bytes);
    await this.#apply(assignment.partitions, assignment.userData);
  }

  async #join(): Promise<JoinResult> {
    const { assignor } = this.#dependencies.options;
    this.#isJoining = true;
    try {
      const joined = await this.#dependencies.coordinator.join({
        memberId: this.#memberId,
        protocolName: assignor.name,
        metadata: encodeSubscription({
          topics: assignor.topics(),
          userData: assignor.userData(),
          ownedPartitions: [...this.#owned.values()],
          generationId: this.#owned.size === 0 ? -1 : this.#generationId,
        }),
      });
      this.#memberId = joined.memberId;
      this.#generationId = joined.generationId;
      this.#isLeader = joined.leaderId === joined.memberId;
      return joined;
    } finally {
      this.#isJoining = false;
    }
  }

  async #assignAsLeader(joined: JoinResult): Promise<ReadonlyMap<string, Buffer>> {
    const { assignments, partitionCounts } = await assignAsLeader(
      this.#dependencies.options.assignor,
      joined.members,
      this.#dependencies.partitionCounts,
    );
    this.#assignedCounts = partitionCounts;
    this.#lastTopicCheckMs = this.#dependencies.clock.monotonicMs();
    return assignments;
  }

  async #apply(assigned: readonly TopicPartition[], userData: Buffer): Promise<void> {
    const { listener } = this.#dependencies.options;
    const assignedKeys = new Set(assigned.map((each) => topicPartitionKey(each.topic, each.partition)));
    const removed = [...this.#owned].filter(([key]) => !assignedKeys.has(key));
    if (removed.length > 0) {
      const partitions = removed.map(([, partition]) => partition);
      // What is given up goes to its new owner in a rebalance of its own.
      this.#needsJoin = true;
      try {
        await listener.onPartitionsRevoked(partitions);
      } finally {
        for (const [key] of removed) this.#owned.delete(key);
        this.#dependencies.onRemoved(partitions);
      }
    }
    const added = assigned.filter((each) => !this.#owned.has(topicPartitionKey(each.topic, each.partition)));
    for (const each of added) this.#owned.set(topicPartitionKey(each.topic, each.partition), each);
    this.#dependencies.onAdded(added);
    try {
      await listener.onPartitionsAssigned(added, userData);
    } catch (error) {
      // Partitions that the listener could not take over are given back; the next assignment brings them again.
      for (const each of added) this.#owned.delete(topicPartitionKey(each.topic, each.partition));
      await listener.onPartitionsLost(added);
      this.#dependencies.onRemoved(added);
      throw error;
    }
  }

  async #tellLost(): Promise<void> {
    const because = this.#lostBecause;
    this.#dependencies.log.warn({ err: because }, `${this.#who()} lost its membership and joins anew`);
    if (kafkaCodeOf(because) !== kafkaCodes.ILLEGAL_GENERATION) this.#memberId = '';
    this.#generationId = -1;
    await this.#release((partitions) => this.#dependencies.options.listener.onPartitionsLost(partitions));
    this.#lostBecause = undefined;
    this.#needsJoin = true;
  }

  #lose(because: unknown): void {
    if (kafkaCodeOf(because) === kafkaCodes.FENCED_INSTANCE_ID) this.#failure ??= because;
    else this.#lostBecause ??= because;
    this.#wake?.();
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #scheduleHeartbeat(): void {
    this.#heartbeatTimer = this.#dependencies.clock.setTimer(this.#dependencies.options.heartbeatIntervalMs, () => {
      void this.#heartbeat().finally(() => {
        if (!this.#isClosing && this.#failure === undefined) this.#scheduleHeartbeat();
      });
    });
  }

  /** Never rejects. */
  async #heartbeat(): Promise<void> {
    const generationId = this.#generationId;
    if (this.#isJoining || generationId < 0 || this.#lostBecause !== undefined) return;
    try {
      await this.#dependencies.coordinator.heartbeat(this.#memberId, generationId);
      await this.#checkTopics();
    } catch (error) {
      // An answer to a heartbeat of an older generation says nothing about this one.
      if (generationId !== this.#generationId || this.#isJoining) return;
      const code = kafkaCodeOf(error);
      if (code === kafkaCodes.REBALANCE_IN_PROGRESS) {
        if (!this.#isRebalancing) this.rejoin();
      } else if (code !== undefined && isFencedCode(code)) this.#lose(error);
      else if (code === undefined || !isRetriableCode(code)) {
        this.#failure ??= error;
        this.#wake?.();
      } else this.#dependencies.log.debug({ err: error }, `A heartbeat of ${this.#who()} failed; the next one follows`);
    }
  }

  async #checkTopics(): Promise<void> {
    const now = this.#dependencies.clock.monotonicMs();
    if (!this.#isLeader || now - this.#lastTopicCheckMs < TOPIC_CHECK_INTERVAL_MS) return;
    this.#lastTopicCheckMs = now;
    const counts = await this.#dependencies.partitionCounts(this.#dependencies.options.assignor.topics());
    for (const [topic, count] of counts) if (this.#assignedCounts.get(topic) !== count) this.rejoin();
  }

  /** Members of one group share a protocol of assignment; Kafka Streams for Java has its own. */
  #refused(error: unknown): BrokerError {
    const { groupId } = this.#dependencies.options;
    return new BrokerError(
      `Group ${groupId} has members of another program, such as Kafka Streams for Java: stop them. Members that did not leave the group stay until their session times out.`,
      { kafkaCode: kafkaCodes.INCONSISTENT_GROUP_PROTOCOL, retriable: false, cause: error },
    );
  }

  #who(): string {
    return `member ${this.#memberId || '(new)'} of group ${this.#dependencies.options.groupId}`;
  }
}
