import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binaryKey } from '../../src/base/bytes.ts';
import { StreamsError } from '../../src/base/errors.ts';
import { decodeHeaders } from '../../src/base/headers-codec.ts';
import { type Header, type TopicPartition, topicPartitionKey } from '../../src/base/record-batch.ts';
import type {
  Broker,
  BrokerConsumer,
  BrokerGroupConsumer,
  BrokerProducer,
  Compression,
  EncodedBatch,
  FetchedPartition,
  GroupAssignor,
  GroupMemberAssignment,
  GroupMembership,
  RebalanceListener,
} from '../../src/broker/broker.ts';
import { BufferPool } from '../../src/broker/buffer-pool.ts';
import { RecordBatchWriter } from '../../src/broker/record-batch-writer.ts';

interface Received {
  topic: string;
  partition: number;
  offset: number;
  timestampMs: number;
  key: string | null;
  value: string | null;
  headers: Header[];
}

const POLL_MS = 250;
const PATIENCE_MS = 20_000;
const noBytes = Buffer.alloc(0);
const pool = new BufferPool(1024 * 1024);

/** One batch; records are [key, value] or [key, value, headers]. */
export function batchOf(
  topic: string,
  partition: number,
  records: readonly (readonly [string | null, string | null, Header[]?])[],
  compression: Compression = 'none',
  timestampMs = 1_700_000_000_000,
): EncodedBatch {
  const writer = new RecordBatchWriter(topic, partition, pool);
  records.forEach(([key, value, headers], index) => {
    const keyBytes = key === null ? null : Buffer.from(key);
    const valueBytes = value === null ? null : Buffer.from(value);
    const keyEnd = keyBytes?.length ?? 0;
    const valueEnd = valueBytes?.length ?? 0;
    expect(writer.append(timestampMs + index, keyBytes, 0, keyEnd, valueBytes, 0, valueEnd, headers)).toBe(true);
  });
  return writer.finish(compression);
}

function receivedOf(fetched: readonly FetchedPartition[]): Received[] {
  const received: Received[] = [];
  for (const { batches, error } of fetched) {
    if (error !== undefined) throw error;
    for (const batch of batches) {
      for (let row = 0; row < batch.count; row += 1) {
        const text = (starts: Int32Array, ends: Int32Array) =>
          starts[row] === -1 ? null : batch.buffer.utf8Slice(starts[row], ends[row]);
        received.push({
          topic: batch.topic,
          partition: batch.partition,
          offset: batch.offsets[row] as number,
          timestampMs: batch.timestamps[row] as number,
          key: text(batch.keyStarts, batch.keyEnds),
          value: text(batch.valueStarts, batch.valueEnds),
          headers: decodeHeaders(batch.buffer, batch.headerStarts[row] as number, batch.headerEnds[row] as number),
        });
      }
      batch.release();
    }
  }
  return received;
}

/** Polls until `count` records have come. */
async function receive(consumer: BrokerConsumer, count: number): Promise<Received[]> {
  const received: Received[] = [];
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (received.length < count && performance.now() < deadlineMs) {
    received.push(...receivedOf(await consumer.poll(POLL_MS)));
  }
  return received;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Gives partitions out in turn; every member's user data comes back to it with `>` before it. */
function roundRobin(topics: readonly string[], protocol: 'eager' | 'cooperative', userData = 'data'): GroupAssignor {
  return {
    name: `round-robin-${protocol}`,
    protocol,
    topics: () => topics,
    userData: () => Buffer.from(userData),
    assign(members, partitionCounts) {
      const all: TopicPartition[] = [...partitionCounts].flatMap(([topic, count]) =>
        Array.from({ length: count }, (_, partition) => ({ topic, partition })),
      );
      return new Map<string, GroupMemberAssignment>(
        members.map((member, index) => [
          member.memberId,
          {
            partitions: all.filter((_, at) => at % members.length === index),
            userData: Buffer.concat([Buffer.from('>'), member.userData]),
          },
        ]),
      );
    },
  };
}

/** A group member that starts at committed offsets or 0, and writes down what happens to it. */
class TestMember implements RebalanceListener {
  readonly events: string[] = [];
  readonly owned = new Set<string>();
  readonly errors: Error[] = [];
  readonly #member: BrokerGroupConsumer;
  userData = '';
  onRevoke: (partitions: readonly TopicPartition[]) => Promise<void> = async () => undefined;

  constructor(broker: Broker, groupId: string, assignor: GroupAssignor, sessionTimeoutMs = 6_000) {
    this.#member = broker.groupConsumer({
      clientId: 'contract',
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: 10_000,
      heartbeatIntervalMs: 50,
      fetchWaitMs: 100,
      assignor,
      listener: this,
    });
  }

  get consumer(): BrokerConsumer {
    return this.#member.records;
  }

  get group(): GroupMembership {
    return this.#member.group;
  }

  close(): Promise<void> {
    return this.#member.close();
  }

  async onPartitionsRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    this.events.push('revoked');
    await this.onRevoke(partitions);
    for (const each of partitions) this.owned.delete(topicPartitionKey(each.topic, each.partition));
  }

  async onPartitionsAssigned(partitions: readonly TopicPartition[], userData: Buffer): Promise<void> {
    this.events.push('assigned');
    this.userData = userData.toString();
    const committed = await this.group.committed(partitions);
    for (const each of partitions) {
      const key = topicPartitionKey(each.topic, each.partition);
      this.owned.add(key);
      this.consumer.seek(each, committed.get(key)?.offset ?? 0);
    }
  }

  async onPartitionsLost(partitions: readonly TopicPartition[]): Promise<void> {
    this.events.push('lost');
    for (const each of partitions) this.owned.delete(topicPartitionKey(each.topic, each.partition));
  }

  onError(error: Error): void {
    this.errors.push(error);
  }
}

function offsetsOf(entries: readonly (readonly [string, number, number])[]) {
  return new Map(
    entries.map(([topic, partition, offset]) => [
      topicPartitionKey(topic, partition),
      { topic, partition, offset, metadata: `at ${offset}` },
    ]),
  );
}

/** What every {@link Broker} adapter keeps. `connect` opens a broker whose topics persist while the suite runs. */
export function describeBrokerContract(name: string, connect: () => Promise<Broker>): void {
  describe(`${name} broker`, () => {
    let broker: Broker;
    let producer: BrokerProducer;

    beforeAll(async () => {
      broker = await connect();
      producer = broker.producer({ clientId: 'contract' });
    });

    afterAll(async () => {
      await producer?.close();
      await broker?.close();
    });

    async function topicOf(partitions: number): Promise<string> {
      const topic = `contract-${randomUUID()}`;
      await broker.admin().createTopics([{ topic, partitions, replicationFactor: -1, configs: {} }]);
      return topic;
    }

    function reader(topic: string, partitions: readonly number[], offset = 0): BrokerConsumer {
      const consumer = broker.consumer({ clientId: 'contract', fetchWaitMs: 100 });
      consumer.assign(partitions.map((partition) => ({ topic, partition, offset })));
      return consumer;
    }

    async function send(...batches: EncodedBatch[]): Promise<void> {
      for (const result of await producer.produce(batches)) if (result.error !== undefined) throw result.error;
    }

    it.each<Compression>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
      'keeps order, bytes, headers, timestamps, null keys and null values (%s)',
      async (compression) => {
        const topic = await topicOf(1);
        const headers: Header[] = [
          { key: 'a', value: Buffer.from([0, 255]) },
          { key: 'a', value: null },
          { key: 'é', value: noBytes },
        ];
        await send(
          batchOf(
            topic,
            0,
            [
              ['k', 'v'],
              [null, 'only value'],
              ['only key', null],
              ['', '', headers],
            ],
            compression,
          ),
        );
        const consumer = reader(topic, [0]);
        const received = await receive(consumer, 4);
        const base = { topic, partition: 0, headers: [] as Header[] };
        expect(received).toEqual([
          { ...base, offset: 0, timestampMs: 1_700_000_000_000, key: 'k', value: 'v' },
          { ...base, offset: 1, timestampMs: 1_700_000_000_001, key: null, value: 'only value' },
          { ...base, offset: 2, timestampMs: 1_700_000_000_002, key: 'only key', value: null },
          { ...base, offset: 3, timestampMs: 1_700_000_000_003, key: '', value: '', headers },
        ]);
        expect(consumer.position({ topic, partition: 0 })).toBe(4);
        await consumer.close();
      },
    );

    it('answers a produce with base offsets and gives every buffer back', async () => {
      const topic = await topicOf(2);
      const batches = [
        batchOf(topic, 0, [
          ['a', '1'],
          ['b', '2'],
        ]),
        batchOf(topic, 1, [['c', '3']]),
      ];
      let released = 0;
      const watched = batches.map((batch) => ({
        topic: batch.topic,
        partition: batch.partition,
        bytes: batch.bytes,
        recordCount: batch.recordCount,
        release() {
          released += 1;
          batch.release();
        },
      }));
      const first = await producer.produce(watched);
      expect(first.map(({ partition, baseOffset, error }) => ({ partition, baseOffset, error }))).toEqual([
        { partition: 0, baseOffset: 0, error: undefined },
        { partition: 1, baseOffset: 0, error: undefined },
      ]);
      expect(released).toBe(2);
      const [second] = await producer.produce([batchOf(topic, 0, [['d', '4']])]);
      expect(second?.baseOffset).toBe(2);
      expect(producer.inFlight).toBe(0);
    });

    it('keeps the order of concurrent produce calls', async () => {
      const topic = await topicOf(2);
      const calls: Promise<unknown>[] = [];
      for (let index = 0; index < 200; index += 1) {
        calls.push(send(batchOf(topic, 0, [['k', `${index}`]]), batchOf(topic, 1, [['k', `${index}`]])));
      }
      await Promise.all(calls);
      const consumer = reader(topic, [0, 1]);
      const received = await receive(consumer, 400);
      for (const partition of [0, 1]) {
        expect(received.filter((each) => each.partition === partition).map((each) => each.value)).toEqual(
          Array.from({ length: 200 }, (_, index) => `${index}`),
        );
      }
      await consumer.close();
    });

    it('carries thousands of records and large values', async () => {
      const topic = await topicOf(1);
      const large = 'x'.repeat(200_000);
      for (let call = 0; call < 5; call += 1) {
        const records = Array.from({ length: 2000 }, (_, index) => [`${index}`, `value ${call} ${index}`] as const);
        await send(batchOf(topic, 0, records));
        await send(batchOf(topic, 0, [[null, large]], 'zstd'));
        await send(batchOf(topic, 0, [[null, large]]));
      }
      const consumer = broker.consumer({ clientId: 'contract', partitionFetchBytesMax: 50_000, fetchWaitMs: 100 });
      consumer.assign([{ topic, partition: 0, offset: 0 }]);
      const received = await receive(consumer, 10_010);
      expect(received.map((each) => each.offset)).toEqual(Array.from({ length: 10_010 }, (_, index) => index));
      expect(received[2000 + 1]?.value).toBe(large);
      await consumer.close();
    });

    it('loses and repeats nothing over pause and resume', async () => {
      const topic = await topicOf(2);
      const consumer = reader(topic, [0, 1]);
      const received: Received[] = [];
      for (let round = 0; round < 20; round += 1) {
        await send(batchOf(topic, 0, [['k', `${round}`]]), batchOf(topic, 1, [['k', `${round}`]]));
        consumer.pause([{ topic, partition: round % 2 }]);
        const now = receivedOf(await consumer.poll(20));
        expect(now.filter((each) => each.partition === round % 2)).toEqual([]);
        received.push(...now);
        if (round % 3 === 0) consumer.resume([0, 1].map((partition) => ({ topic, partition })));
      }
      consumer.resume([0, 1].map((partition) => ({ topic, partition })));
      received.push(...(await receive(consumer, 40 - received.length)));
      for (const partition of [0, 1]) {
        expect(received.filter((each) => each.partition === partition).map((each) => each.value)).toEqual(
          Array.from({ length: 20 }, (_, index) => `${index}`),
        );
      }
      await consumer.close();
    });

    it('goes on at once with a partition that is resumed while another one waits', async () => {
      const topic = await topicOf(2);
      const consumer = broker.consumer({ clientId: 'contract', fetchWaitMs: 10_000 });
      consumer.assign([0, 1].map((partition) => ({ topic, partition, offset: 0 })));
      consumer.pause([{ topic, partition: 1 }]);
      await consumer.poll(100);
      await send(batchOf(topic, 1, [['k', 'v']]));
      consumer.resume([{ topic, partition: 1 }]);
      const startMs = performance.now();
      expect(await receive(consumer, 1)).toHaveLength(1);
      expect(performance.now() - startMs).toBeLessThan(5_000);
      await consumer.close();
    });

    it('reads from where it is told to, forwards and backwards', async () => {
      const topic = await topicOf(1);
      await send(
        batchOf(
          topic,
          0,
          Array.from({ length: 10 }, (_, index) => [null, `${index}`] as const),
        ),
      );
      const partition = { topic, partition: 0 };
      const consumer = reader(topic, [0], 7);
      expect((await receive(consumer, 3)).map((each) => each.value)).toEqual(['7', '8', '9']);
      consumer.seek(partition, 2);
      expect(consumer.position(partition)).toBe(2);
      expect((await receive(consumer, 8)).map((each) => each.value)).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
      consumer.seek(partition, 9);
      expect((await receive(consumer, 1)).map((each) => each.value)).toEqual(['9']);
      expect(consumer.position(partition)).toBe(10);
      await consumer.close();
    });

    it('drops what a fetch in flight brings after a seek', async () => {
      const topic = await topicOf(1);
      await send(
        batchOf(
          topic,
          0,
          Array.from({ length: 10 }, (_, index) => [null, `${index}`] as const),
        ),
      );
      const consumer = reader(topic, [0]);
      consumer.take();
      consumer.seek({ topic, partition: 0 }, 5);
      expect((await receive(consumer, 5)).map((each) => each.value)).toEqual(['5', '6', '7', '8', '9']);
      await consumer.close();
    });

    it('fetches nothing for a partition without a position, nor for a removed one', async () => {
      const topic = await topicOf(3);
      await send(...[0, 1, 2].map((partition) => batchOf(topic, partition, [[null, `${partition}`]])));
      const consumer = reader(topic, [0]);
      consumer.add([
        { topic, partition: 1, offset: -1 },
        { topic, partition: 2, offset: 0 },
      ]);
      consumer.remove([{ topic, partition: 0 }]);
      expect((await receive(consumer, 1)).map((each) => each.value)).toEqual(['2']);
      expect(receivedOf(await consumer.poll(100))).toEqual([]);
      expect(consumer.assignment()).toEqual([
        { topic, partition: 1 },
        { topic, partition: 2 },
      ]);
      consumer.seek({ topic, partition: 1 }, 0);
      expect((await receive(consumer, 1)).map((each) => each.value)).toEqual(['1']);
      await consumer.close();
    });

    it('tells the end of the log with each fetch', async () => {
      const topic = await topicOf(1);
      const consumer = reader(topic, [0]);
      await send(
        batchOf(topic, 0, [
          [null, 'a'],
          [null, 'b'],
        ]),
      );
      const received = await receive(consumer, 2);
      expect(received).toHaveLength(2);
      expect(consumer.knownEndOffset({ topic, partition: 0 })).toBe(2);
      await consumer.close();
    });

    it('hands over an offset outside the log as an error, once, and goes on after a seek', async () => {
      const topic = await topicOf(1);
      await send(batchOf(topic, 0, [[null, 'a']]));
      const consumer = reader(topic, [0], 99);
      let fetched: readonly FetchedPartition[] = [];
      await until(async () => {
        fetched = await consumer.poll(POLL_MS);
        return fetched.length > 0;
      }, 'the error came');
      expect(fetched[0]?.error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
      expect(await consumer.poll(50)).toEqual([]);
      consumer.seek({ topic, partition: 0 }, 0);
      expect(await receive(consumer, 1)).toHaveLength(1);
      await consumer.close();
    });

    it('ends a waiting poll on wakeup and on close', async () => {
      const topic = await topicOf(1);
      const consumer = reader(topic, [0]);
      await consumer.poll(50);
      const startMs = performance.now();
      const waiting = consumer.poll(60_000);
      consumer.wakeup();
      expect(await waiting).toEqual([]);
      const closing = consumer.poll(60_000);
      await consumer.close();
      expect(await closing).toEqual([]);
      await expect(consumer.poll(60_000)).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(performance.now() - startMs).toBeLessThan(10_000);
    });

    it('answers an unknown topic with an error on both sides', async () => {
      const topic = `contract-missing-${randomUUID()}`;
      const impatient = broker.producer({ clientId: 'contract', deliveryTimeoutMs: 1_000 });
      const [result] = await impatient.produce([batchOf(topic, 0, [[null, 'a']])]);
      expect(result?.error).toBeInstanceOf(StreamsError);
      await impatient.close();
      const consumer = reader(topic, [0]);
      let error: Error | undefined;
      await until(async () => {
        error = (await consumer.poll(POLL_MS))[0]?.error;
        return error !== undefined;
      }, 'the error came');
      expect(error).toBeInstanceOf(StreamsError);
      await consumer.close();
    });

    it('creates topics again without an error, counts partitions, deletes', async () => {
      const topic = await topicOf(3);
      const admin = broker.admin();
      await admin.createTopics([
        { topic, partitions: 3, replicationFactor: -1, configs: { 'cleanup.policy': 'compact' } },
      ]);
      const missing = `contract-missing-${randomUUID()}`;
      expect(await admin.partitionCounts([topic, missing])).toEqual(new Map([[topic, 3]]));
      expect(await admin.topics()).toContain(topic);
      await admin.deleteTopics([topic]);
      await until(async () => !(await admin.topics()).includes(topic), 'the topic was gone');
    });

    it('finds offsets by end, beginning and time, and deletes records', async () => {
      const topic = await topicOf(2);
      const admin = broker.admin();
      await send(
        batchOf(topic, 0, [
          [null, 'a'],
          [null, 'b'],
          [null, 'c'],
        ]),
      );
      await send(batchOf(topic, 0, [[null, 'd']], 'none', 1_700_000_100_000));
      const partitions = [0, 1].map((partition) => ({ topic, partition }));
      const keys = [`${topic}-0`, `${topic}-1`] as const;
      expect(await admin.endOffsets(partitions)).toEqual(
        new Map([
          [keys[0], 4],
          [keys[1], 0],
        ]),
      );
      const at = (timestampMs: number) => admin.offsetsForTimes([{ topic, partition: 0, timestampMs }]);
      expect(await at(1_700_000_000_001)).toEqual(new Map([[keys[0], 1]]));
      expect(await at(1_700_000_050_000)).toEqual(new Map([[keys[0], 3]]));
      expect(await at(1_800_000_000_000)).toEqual(new Map());
      await admin.deleteRecords([{ topic, partition: 0, offset: 2 }]);
      expect(await admin.beginningOffsets(partitions)).toEqual(
        new Map([
          [keys[0], 2],
          [keys[1], 0],
        ]),
      );
      const consumer = reader(topic, [0], 2);
      expect((await receive(consumer, 2)).map((each) => each.value)).toEqual(['c', 'd']);
      await consumer.close();
    });

    describe('groups', () => {
      it('gives a single member everything, with user data, and keeps its commits', async () => {
        const topic = await topicOf(2);
        const groupId = `contract-${randomUUID()}`;
        await send(
          batchOf(topic, 0, [
            [null, 'a'],
            [null, 'b'],
          ]),
        );
        const member = new TestMember(broker, groupId, roundRobin([topic], 'eager'));
        await member.group.join();
        expect([...member.owned].sort()).toEqual([`${topic}-0`, `${topic}-1`]);
        expect(member.userData).toBe('>data');
        expect(await receive(member.consumer, 2)).toHaveLength(2);
        await member.group.commit(offsetsOf([[topic, 0, 2]]));
        expect(await member.group.committed([0, 1].map((partition) => ({ topic, partition })))).toEqual(
          new Map([[`${topic}-0`, expect.objectContaining({ offset: 2, metadata: 'at 2' })]]),
        );
        await member.close();
        expect(member.events).toEqual(['assigned', 'revoked']);
        const heir = new TestMember(broker, groupId, roundRobin([topic], 'eager'));
        await send(batchOf(topic, 0, [[null, 'c']]));
        await heir.group.join();
        expect((await receive(heir.consumer, 1)).map((each) => each.value)).toEqual(['c']);
        await heir.close();
        const committed = await broker.admin().committedOffsets(groupId, [{ topic, partition: 0 }]);
        expect(committed.get(`${topic}-0`)?.offset).toBe(2);
        await broker.admin().deleteGroups([groupId]);
      });

      it.each(['eager', 'cooperative'] as const)(
        'shares partitions between two members and gives them back (%s)',
        async (protocol) => {
          const topic = await topicOf(4);
          const groupId = `contract-${randomUUID()}`;
          const first = new TestMember(broker, groupId, roundRobin([topic], protocol));
          await first.group.join();
          expect(first.owned.size).toBe(4);
          first.onRevoke = (partitions) =>
            first.group.commit(offsetsOf(partitions.map((each) => [each.topic, each.partition, 0] as const)));
          const second = new TestMember(broker, groupId, roundRobin([topic], protocol));
          await second.group.join();
          await until(() => first.owned.size === 2 && second.owned.size === 2, 'both had two');
          expect(new Set([...first.owned, ...second.owned]).size).toBe(4);
          await send(...[0, 1, 2, 3].map((partition) => batchOf(topic, partition, [[null, `${partition}`]])));
          const received = [...(await receive(first.consumer, 2)), ...(await receive(second.consumer, 2))];
          expect(received.map((each) => each.value).sort()).toEqual(['0', '1', '2', '3']);
          await second.close();
          await until(() => first.owned.size === 4, 'the first had all again');
          expect(first.errors).toEqual([]);
          await first.close();
        },
      );

      it('keeps partitions that stay with their owner under the cooperative protocol', async () => {
        const topic = await topicOf(4);
        const groupId = `contract-${randomUUID()}`;
        const first = new TestMember(broker, groupId, roundRobin([topic], 'cooperative'));
        await first.group.join();
        const given: string[] = [];
        first.onRevoke = async (partitions) => {
          given.push(...partitions.map((each) => topicPartitionKey(each.topic, each.partition)));
        };
        const second = new TestMember(broker, groupId, roundRobin([topic], 'cooperative'));
        await second.group.join();
        await until(() => first.owned.size === 2 && second.owned.size === 2, 'both had two');
        expect(given).toHaveLength(2);
        expect([...second.owned].sort()).toEqual(given.sort());
        await Promise.all([first.close(), second.close()]);
      });

      it('refuses commits for partitions that are gone, and of members that were thrown out, with recovery "migrate"', async () => {
        const topic = await topicOf(2);
        const groupId = `contract-${randomUUID()}`;
        const member = new TestMember(broker, groupId, roundRobin([topic], 'eager'));
        await member.group.join();
        const other = new TestMember(broker, groupId, roundRobin([topic], 'eager'));
        await other.group.join();
        await until(() => member.owned.size === 1 && other.owned.size === 1, 'both had one');
        const [foreign] = [...other.owned];
        const partition = foreign === `${topic}-0` ? 0 : 1;
        await expect(member.group.commit(offsetsOf([[topic, partition, 1]]))).rejects.toMatchObject({
          recovery: 'migrate',
        });
        await other.close();
        await member.close();
        await expect(member.group.commit(offsetsOf([[topic, 0, 1]]))).rejects.toMatchObject({ recovery: 'migrate' });
      });

      it('rebalances when a member asks for it with other user data', async () => {
        const topic = await topicOf(1);
        let userData = 'one';
        const assignor = { ...roundRobin([topic], 'cooperative'), userData: () => Buffer.from(userData) };
        const member = new TestMember(broker, `contract-${randomUUID()}`, assignor);
        await member.group.join();
        expect(member.userData).toBe('>one');
        const { generationId } = member.group.metadata();
        userData = 'two';
        member.group.rejoin();
        await until(() => member.userData === '>two', 'the new user data came back');
        expect(member.group.metadata().generationId).toBeGreaterThan(generationId);
        expect(member.owned.size).toBe(1);
        expect(member.events).not.toContain('revoked');
        await member.close();
      });

      it('closes while it joins, and before it joined', async () => {
        const topic = await topicOf(1);
        const groupId = `contract-${randomUUID()}`;
        const never = new TestMember(broker, groupId, roundRobin([topic], 'eager'));
        await never.close();
        const hasty = new TestMember(broker, groupId, roundRobin([topic], 'eager'));
        const joining = hasty.group.join().catch((error: unknown) => error);
        await hasty.close();
        await joining;
        expect(hasty.owned.size).toBe(0);
      });
    });

    it('takes changelog records whose key is text', async () => {
      const topic = await topicOf(1);
      const writer = new RecordBatchWriter(topic, 0, pool);
      writer.appendKeyed(5, binaryKey(Buffer.from([0, 200, 255])), Buffer.from('v'));
      writer.appendKeyed(6, binaryKey(Buffer.from('gone')), null);
      await send(writer.finish('none'));
      const consumer = reader(topic, [0]);
      const fetched = (await receive(consumer, 2)).map(({ value, timestampMs }) => ({ value, timestampMs }));
      expect(fetched).toEqual([
        { value: 'v', timestampMs: 5 },
        { value: null, timestampMs: 6 },
      ]);
      await consumer.close();
    });
  });
}
