import { DeserializationError } from '../../base/errors.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { Datum } from '../../processor/datum.ts';
import type { Serde, SerdeUse } from '../../serde/serde.ts';
import { batchOfSlices } from '../processors/table/batch-slices.ts';
import { pseudoTopics } from './pseudo-topics.ts';

/** What the foreign side does with a subscription. Numbers are those of the wire. */
export const instruction = {
  /** Forgets the subscription. */
  deleteSilently: 0,
  /** Forgets it and answers null. */
  deleteAndAnswer: 1,
  /** Keeps it and answers, with null where there is no foreign value. */
  answerAlways: 2,
  /** Keeps it and answers where there is a foreign value. */
  answerIfPresent: 3,
} as const;
/** One of the instructions, by its number on the wire. */
export type Instruction = (typeof instruction)[keyof typeof instruction];

/** Length of a murmur3 hash of 128 bits. */
export const HASH_BYTES = 16;
/** First bit of a message: it carries no hash. The other bits are the version. */
export const NO_HASH_FLAG = 0x80;
const NEWEST_VERSION = 1;
const PARTITION_BYTES = 4;

/** What the left side of a foreign-key join sends to the right one; the record's key is the foreign key. */
export interface SubscriptionWrapper<K> {
  /** Of the serialized left value; undefined where the left entry was deleted. Answers carry it back. */
  readonly hash: Buffer | undefined;
  /** What the right side is to do with it. */
  readonly instruction: Instruction;
  /** Key of the left entry: it comes back as the key of the answer. */
  readonly primaryKey: Datum<K>;
  /** Where the answer goes to; undefined in messages of Kafka Streams before 3.4 (version 0). */
  readonly primaryPartition: number | undefined;
}

/** Where the fields of a serialized subscription lie. */
export interface SubscriptionLayout {
  /** What the right side is to do with it. */
  readonly instruction: Instruction;
  /** Where the hash of {@link HASH_BYTES} begins; -1: there is none. */
  readonly hashStart: number;
  /** Where the primary key begins. */
  readonly keyStart: number;
  /** Where it ends, exclusive. */
  readonly keyEnd: number;
  /** Where the answer goes to; undefined in version 0. */
  readonly primaryPartition: number | undefined;
}

/** Finds the fields of a subscription without decoding its key. Throws `DESERIALIZATION`. */
export function readSubscription(buffer: Buffer, start: number, end: number, topic: string): SubscriptionLayout {
  const broken = (reason: string) =>
    new DeserializationError(`Topic ${topic}: not a foreign-key subscription: ${reason}`);
  if (end - start < 2) throw broken(`${end - start} bytes`);
  const flags = buffer[start] as number;
  const version = flags & ~NO_HASH_FLAG;
  if (version > NEWEST_VERSION)
    throw broken(`version ${version} is newer than ${NEWEST_VERSION}, the newest that is known here`);
  const code = buffer[start + 1] as number;
  if (code > instruction.answerIfPresent) throw broken(`unknown instruction ${code}`);
  const hasHash = (flags & NO_HASH_FLAG) === 0;
  const keyStart = start + 2 + (hasHash ? HASH_BYTES : 0);
  const keyEnd = end - (version > 0 ? PARTITION_BYTES : 0);
  if (keyEnd < keyStart) throw broken('it is shorter than it says');
  return {
    instruction: code as Instruction,
    hashStart: hasHash ? start + 2 : -1,
    keyStart,
    keyEnd,
    primaryPartition: version > 0 ? buffer.readInt32BE(keyEnd) : undefined,
  };
}

/**
 * Subscriptions in Kafka Streams' format, version 1: flags and version, instruction, hash, primary key, primary partition. Version 0,
 * without the partition, is read too.
 *
 * The keys inside are written under the name of a topic that doesn't exist, as Kafka Streams does: registries file their schemas there.
 */
export class SubscriptionSerde<K> implements Serde<SubscriptionWrapper<K>> {
  readonly format: string;
  readonly #key: Serde<K>;
  /** Serdes without topics of their own in this join, which are told to get ready with it. */
  readonly #others: { readonly foreignKey: Serde<never>; readonly leftValue: Serde<never> };

  /**
   * `key` is that of the left table. `others` have no topic of their own in this join, and are told to get ready with
   * it.
   */
  constructor(key: Serde<K>, others: { readonly foreignKey: Serde<never>; readonly leftValue: Serde<never> }) {
    this.format = `foreign-key-subscription(${key.format})`;
    this.#key = key;
    this.#others = others;
  }

  serialize(subscription: SubscriptionWrapper<K>, topic: string): Buffer {
    const { hash, primaryKey, primaryPartition } = subscription;
    const key = this.#key.serialize(primaryKey.get(), pseudoTopics(topic).primaryKey);
    const keyStart = 2 + (hash === undefined ? 0 : HASH_BYTES);
    const version = primaryPartition === undefined ? 0 : NEWEST_VERSION;
    const bytes = Buffer.allocUnsafe(keyStart + key.length + (version > 0 ? PARTITION_BYTES : 0));
    bytes[0] = hash === undefined ? version | NO_HASH_FLAG : version;
    bytes[1] = subscription.instruction;
    hash?.copy(bytes, 2);
    key.copy(bytes, keyStart);
    if (primaryPartition !== undefined) bytes.writeInt32BE(primaryPartition, keyStart + key.length);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): SubscriptionWrapper<K> {
    const layout = readSubscription(buffer, start, end, topic);
    const { hashStart, keyStart, keyEnd } = layout;
    const primaryKey = new Datum<K>();
    const key = Buffer.copyBytesFrom(buffer, keyStart, keyEnd - keyStart);
    primaryKey.setBytes(key, 0, key.length, this.#key, pseudoTopics(topic).primaryKey);
    return {
      hash: hashStart < 0 ? undefined : Buffer.copyBytesFrom(buffer, hashStart, HASH_BYTES),
      instruction: layout.instruction,
      primaryKey,
      primaryPartition: layout.primaryPartition,
    };
  }

  /** A message is kept as it came, in whatever version. */
  isOwnForm(): undefined {
    return undefined;
  }

  async configure(use: SerdeUse): Promise<void> {
    // Called for the topic's sink and source, and for the store, which keeps the bytes as they came.
    if (!use.writes || use.reads) return;
    const topics = pseudoTopics(use.topic);
    const both = { reads: true, writes: true } as const;
    await Promise.all([
      this.#key.configure?.({ ...both, topic: topics.primaryKey, side: 'key' }),
      this.#others.foreignKey.configure?.({ ...both, topic: topics.foreignKey, side: 'key' }),
      this.#others.leftValue.configure?.({ ...both, topic: topics.leftValue, side: 'value' }),
    ]);
  }

  prepare(batch: RecordBatch, side: 'key' | 'value'): Promise<void> | undefined {
    if (this.#key.prepare === undefined) return undefined;
    const starts: number[] = [];
    const ends: number[] = [];
    for (let row = 0; row < batch.count; row += 1) {
      const start = batch.valueStarts[row] as number;
      if (start < 0) continue;
      try {
        const { keyStart, keyEnd } = readSubscription(batch.buffer, start, batch.valueEnds[row] as number, batch.topic);
        starts.push(keyStart);
        ends.push(keyEnd);
      } catch {
        // `deserialize` throws for it when the record is processed.
      }
    }
    return this.#key.prepare(batchOfSlices(batch, starts, ends), side);
  }
}
