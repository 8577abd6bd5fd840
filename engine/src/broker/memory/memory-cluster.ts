import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { MemoryGroup } from './memory-group.ts';
import { MemoryLog } from './memory-log.ts';

/**
 * What the clients of a memory broker share: topics and groups.
 *
 * Owns: logs and groups. Called by: the memory broker's clients; tests share one between several brokers, as processes share
 * a real cluster. Invariants: I1 time and randomness come from the ports only, so a run can be repeated exactly.
 */
export class MemoryCluster {
  /** Time of the groups' sessions and rebalances. */
  readonly clock: Clock;
  /** Makes the members' ids. */
  readonly random: Random;
  readonly #topics = new Map<string, readonly MemoryLog[]>();
  readonly #groups = new Map<string, MemoryGroup>();

  /** Without topics and groups. */
  constructor(ports: { readonly clock: Clock; readonly random: Random }) {
    this.clock = ports.clock;
    this.random = ports.random;
  }

  /** False when the topic exists already. */
  createTopic(topic: string, partitions: number): boolean {
    if (this.#topics.has(topic)) return false;
    this.#topics.set(
      topic,
      Array.from({ length: partitions }, () => new MemoryLog()),
    );
    return true;
  }

  /** False where there is no such topic. Committed offsets stay, as in Kafka. */
  deleteTopic(topic: string): boolean {
    return this.#topics.delete(topic);
  }

  /** Names of all topics, sorted. */
  topics(): readonly string[] {
    return [...this.#topics.keys()].sort();
  }

  /** Undefined where there is no such topic. */
  partitionCount(topic: string): number | undefined {
    return this.#topics.get(topic)?.length;
  }

  /** Undefined where there is no such topic or partition. */
  log(topic: string, partition: number): MemoryLog | undefined {
    return this.#topics.get(topic)?.[partition];
  }

  /** The group, made on first use. */
  group(groupId: string): MemoryGroup {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = new MemoryGroup(groupId, this.clock, this.random);
      this.#groups.set(groupId, group);
    }
    return group;
  }

  /** Forgets the group and its committed offsets. */
  deleteGroup(groupId: string): void {
    this.#groups.delete(groupId);
  }
}
