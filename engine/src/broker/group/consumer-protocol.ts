import { StreamsError } from '../../base/errors.ts';
import type { TopicPartition } from '../../base/record-batch.ts';
import type { GroupMemberAssignment } from '../broker.ts';

/** The bytes that members of protocol type `consumer` exchange through the coordinator. */
export interface Subscription {
  /** Topics that the member reads. */
  readonly topics: readonly string[];
  /** What its assignor says besides. */
  readonly userData: Buffer;
  /** Partitions that it has from the generation before. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** Generation in which the partitions were owned; -1 when unknown. */
  readonly generationId: number;
}

const SUBSCRIPTION_VERSION = 2;
const ASSIGNMENT_VERSION = 0;
const noBytes = Buffer.alloc(0);

/** What a member sends with its join, in version 2. */
export function encodeSubscription(subscription: Subscription): Buffer {
  const chunks: Buffer[] = [int16(SUBSCRIPTION_VERSION), int32(subscription.topics.length)];
  for (const topic of subscription.topics) chunks.push(string(topic));
  chunks.push(int32(subscription.userData.length), subscription.userData);
  chunks.push(encodePartitions(subscription.ownedPartitions), int32(subscription.generationId));
  return Buffer.concat(chunks);
}

/** Reads any version: fields that a newer version adds come last and are left alone. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = new ProtocolReader(bytes, 'subscription');
  const version = reader.int16();
  const topics = reader.array(() => reader.string());
  const userData = reader.bytes();
  const ownedPartitions = version >= 1 && reader.hasMore ? reader.partitions() : [];
  const generationId = version >= 2 && reader.hasMore ? reader.int32() : -1;
  return { topics, userData, ownedPartitions, generationId };
}

/** What the leader sends for a member, in version 0. */
export function encodeAssignment(assignment: GroupMemberAssignment): Buffer {
  return Buffer.concat([
    int16(ASSIGNMENT_VERSION),
    encodePartitions(assignment.partitions),
    int32(assignment.userData.length),
    assignment.userData,
  ]);
}

/** An empty answer means: nothing assigned. */
export function decodeAssignment(bytes: Buffer): GroupMemberAssignment {
  if (bytes.length === 0) return { partitions: [], userData: noBytes };
  const reader = new ProtocolReader(bytes, 'assignment');
  reader.int16();
  const partitions = reader.partitions();
  return { partitions, userData: reader.hasMore ? reader.bytes() : noBytes };
}

function encodePartitions(partitions: readonly TopicPartition[]): Buffer {
  const byTopic = Map.groupBy(partitions, (each) => each.topic);
  const chunks: Buffer[] = [int32(byTopic.size)];
  for (const [topic, each] of byTopic) {
    chunks.push(string(topic), int32(each.length));
    for (const { partition } of each) chunks.push(int32(partition));
  }
  return Buffer.concat(chunks);
}

function int16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}

/** Invariants: I1 never reads past the end; throws instead, naming what it reads. */
class ProtocolReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #position = 0;

  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get hasMore(): boolean {
    return this.#position < this.#bytes.length;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  string(): string {
    const length = this.int16();
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** Null reads as empty. The result is a copy. */
  bytes(): Buffer {
    const length = this.int32();
    if (length < 0) return noBytes;
    const start = this.#take(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  array<T>(read: () => T): T[] {
    const count = this.int32();
    const items: T[] = [];
    for (let index = 0; index < count; index += 1) items.push(read());
    return items;
  }

  partitions(): TopicPartition[] {
    return this.array(() => {
      const topic = this.string();
      return this.array(() => ({ topic, partition: this.int32() }));
    }).flat();
  }

  #take(length: number): number {
    const start = this.#position;
    if (length < 0 || start + length > this.#bytes.length) {
      throw new StreamsError(`A group member sent a malformed ${this.#what}`, { code: 'BROKER', recovery: 'fail' });
    }
    this.#position = start + length;
    return start;
  }
}
