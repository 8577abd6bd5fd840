import { afterEach, describe, expect, it } from 'vitest';
import { StreamsError } from '../../../src/base/errors.ts';
import type { Broker, GroupMetadata, OffsetAndMetadata, ProducerTransactions } from '../../../src/broker/broker.ts';
import type { MemoryCluster } from '../../../src/broker/memory/memory-cluster.ts';
import type { CommitProtocolOptions, CreateCommitProtocol } from '../../../src/runtime/commit/commit-protocol.ts';
import type { StreamThread } from '../../../src/runtime/thread/stream-thread.ts';
import { brokerOf, produceText, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, pause, processing } from '../../support/streams-harness.ts';
import { threadOn } from '../../support/thread-harness.ts';
import { TransactionalProtocol } from '../../support/transactional-protocol.ts';

const threads: StreamThread[] = [];

afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.stop(false)));
});

/** Transactions as far as a thread sees them: offsets are committed with the end, and not at all by an abort. */
class FakeTransactions {
  readonly ends: string[] = [];
  /** Awaited before a transaction ends. */
  before: Promise<void> = Promise.resolve();

  readonly create: CreateCommitProtocol = (options) => new TransactionalProtocol(options, () => this.#new(options));

  #new({ group }: CommitProtocolOptions): ProducerTransactions {
    let offsets: Parameters<ProducerTransactions['sendOffsets']>[0] = new Map();
    return {
      init: async () => {},
      begin: () => {
        offsets = new Map();
      },
      sendOffsets: async (
        sent: ReadonlyMap<string, { topic: string; partition: number } & OffsetAndMetadata>,
        _group: GroupMetadata,
      ) => {
        offsets = sent;
      },
      commit: async () => {
        await this.before;
        await group.commit(offsets);
        this.ends.push('commit');
      },
      abort: async () => {
        this.ends.push('abort');
      },
    };
  }
}

async function start(cluster: MemoryCluster, process: (value: string, partition: number | undefined) => void) {
  const transactions = new FakeTransactions();
  const topology = processing((record, context) => process(record.value, context.recordMetadata()?.partition));
  const broker: Broker = brokerOf(cluster);
  const { thread, failures } = await threadOn(broker, topology, transactions.create);
  threads.push(thread);
  await until(() => thread.tasks.every(({ isStarted }) => isStarted), 'all tasks');
  return { thread, transactions, failures };
}

const produce = (cluster: MemoryCluster, value: string, partition = 0) =>
  produceText(brokerOf(cluster), 'in', partition, [['k', value]]);

async function committed(cluster: MemoryCluster): Promise<readonly number[]> {
  const partitions = [0, 1].map((partition) => ({ topic: 'in', partition }));
  const offsets = await brokerOf(cluster).admin().committedOffsets('app', partitions);
  return partitions.map(({ partition }) => offsets.get(`in-${partition}`)?.offset ?? 0);
}

describe('a thread whose protocol is a transaction', () => {
  it('goes on processing while one is being committed, which says where tasks stood when it began', async () => {
    const cluster = await clusterWith({ in: 2 });
    const seen: string[] = [];
    const { transactions } = await start(cluster, (value) => seen.push(value));
    const { promise, resolve } = Promise.withResolvers<void>();
    transactions.before = promise;
    await produce(cluster, 'a', 0);
    await until(() => seen.length === 1, 'the first record');
    await pause(50);
    await produce(cluster, 'b', 0);
    await produce(cluster, 'c', 1);
    await until(() => seen.length === 3, 'the others, while the first is being committed');
    expect(await committed(cluster)).toEqual([0, 0]);
    const second = Promise.withResolvers<void>();
    transactions.before = second.promise;
    resolve();
    await until(async () => (await committed(cluster))[0] === 1, 'the first commit');
    await pause(50);
    expect(await committed(cluster)).toEqual([1, 0]);
    expect(transactions.ends).toEqual(['commit']);
    second.resolve();
    await until(async () => (await committed(cluster)).join() === '2,1', 'the second commit');
  });

  it('commits everything once more when it stops, in one transaction with the tasks that leave', async () => {
    const cluster = await clusterWith({ in: 2 });
    const seen: string[] = [];
    const { thread, transactions } = await start(cluster, (value) => seen.push(value));
    const { promise, resolve } = Promise.withResolvers<void>();
    transactions.before = promise;
    await produce(cluster, 'a', 0);
    await until(() => seen.length === 1, 'the first record');
    await pause(50);
    await produce(cluster, 'b', 0);
    await produce(cluster, 'c', 1);
    await until(() => seen.length === 3, 'the others');
    const stopped = thread.stop(true);
    await pause(50);
    resolve();
    await stopped;
    expect(await committed(cluster)).toEqual([2, 1]);
    expect(transactions.ends).toEqual(['commit', 'commit']);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('lets all tasks begin again with the one that failed, and commits nothing that was undone', async () => {
    const cluster = await clusterWith({ in: 2 });
    const seen: string[] = [];
    let failures = 0;
    const { thread, transactions } = await start(cluster, (value) => {
      seen.push(value);
      if (value !== 'bad' || failures > 0) return;
      failures += 1;
      throw new StreamsError('not now', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' });
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    transactions.before = promise;
    await produce(cluster, 'a', 0);
    await until(() => seen.length === 1, 'the first record');
    await pause(50);
    const before = thread.tasks;
    await produce(cluster, 'b', 0);
    await until(() => seen.includes('b'), 'a record after the commit began');
    await produce(cluster, 'bad', 1);
    await until(() => failures === 1, 'the failure');
    resolve();
    await until(async () => (await committed(cluster)).join() === '2,1', 'everything committed');
    expect(seen.filter((value) => value === 'a')).toHaveLength(1);
    expect(seen.filter((value) => value === 'b')).toHaveLength(2);
    expect(seen.filter((value) => value === 'bad')).toHaveLength(2);
    expect(transactions.ends.slice(0, 2)).toEqual(['commit', 'abort']);
    expect(thread.tasks.some((task) => before.includes(task))).toBe(false);
  });
});
