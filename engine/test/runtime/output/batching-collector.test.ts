import { describe, expect, it } from 'vitest';
import type { BinaryKey } from '../../../src/base/bytes.ts';
import { resolveConfig } from '../../../src/base/default-config.ts';
import { BrokerError } from '../../../src/base/errors.ts';
import type { BrokerProducer, EncodedBatch, ProduceResult } from '../../../src/broker/broker.ts';
import { partitionForBytes } from '../../../src/broker/partitioner.ts';
import { Record } from '../../../src/processor/record.ts';
import { BatchingCollector } from '../../../src/runtime/output/batching-collector.ts';
import { bytes, long, string } from '../../../src/serde/primitives.ts';
import { windowed } from '../../../src/serde/windowed.ts';
import { TestClock } from '../../../src/testing/driver/test-clock.ts';

interface Call {
  readonly batches: readonly { topic: string; partition: number; count: number }[];
  readonly ack: (error?: Error) => void;
}

/** A producer whose requests are acknowledged by hand. */
function manual(options: { handler?: () => 'continue' | 'fail'; lookUp?: (topic: string) => Promise<number> } = {}) {
  const calls: Call[] = [];
  const ends = new Map<string, number>();
  const producer: BrokerProducer = {
    inFlight: 0,
    transactions: undefined,
    produce(batches: readonly EncodedBatch[]) {
      const given = Promise.withResolvers<readonly ProduceResult[]>();
      calls.push({
        batches: batches.map(({ topic, partition, recordCount }) => ({ topic, partition, count: recordCount })),
        ack: (error) =>
          given.resolve(
            batches.map(({ topic, partition, recordCount }) => {
              const key = `${topic}-${partition}`;
              const baseOffset = ends.get(key) ?? 0;
              if (error !== undefined)
                return { topic, partition, baseOffset: -1, nextOffset: -1, logStartOffset: -1, error };
              const nextOffset = baseOffset + recordCount;
              ends.set(key, nextOffset);
              return { topic, partition, baseOffset, nextOffset, logStartOffset: 0 };
            }),
          ),
      });
      return given.promise;
    },
    async close() {},
  };
  const clock = new TestClock();
  const config = resolveConfig({
    applicationId: 'app',
    clock,
    lingerMs: 10,
    batchSizeBytes: 2_048,
    ...(options.handler === undefined ? {} : { productionExceptionHandler: options.handler }),
  });
  const collector = new BatchingCollector({
    producer,
    config,
    partitionCounts: new Map([
      ['out', 4],
      ['one', 1],
    ]),
    lookUpPartitionCount: options.lookUp ?? (() => Promise.reject(new Error('no such topic'))),
    wake: () => {},
  });
  return { calls, clock, collector };
}

const text = { keySerde: string(), valueSerde: string(), partitioner: undefined } as never;
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('BatchingCollector', () => {
  it('sends at once when nothing is in flight, then gathers until the linger is over', async () => {
    const { calls, clock, collector } = manual();
    const output = collector.output('one');
    output.send(new Record('a', '1', 0), text);
    collector.sendIfDue();
    expect(calls).toHaveLength(1);
    output.send(new Record('a', '2', 0), text);
    output.send(new Record('a', '3', 0), text);
    collector.sendIfDue();
    expect(calls).toHaveLength(1);
    clock.advance(10);
    collector.sendIfDue();
    expect(calls[1]?.batches).toEqual([{ topic: 'one', partition: 0, count: 2 }]);
    output.send(new Record('a', '4', 0), text);
    for (const { ack } of calls) ack();
    await settle();
    collector.sendIfDue();
    expect(calls).toHaveLength(3);
  });

  it('puts outputs and changelogs into one request', async () => {
    const { calls, collector } = manual();
    collector.changelog('app-s-changelog', 2).append('k' as BinaryKey, Buffer.from('v'), 5);
    collector.output('one').send(new Record('a', '1', 0), text);
    const flushed = collector.flush();
    expect(calls[0]?.batches).toEqual([
      { topic: 'app-s-changelog', partition: 2, count: 1 },
      { topic: 'one', partition: 0, count: 1 },
    ]);
    calls[0]?.ack();
    await flushed;
    expect(collector.ackedEnd('app-s-changelog', 2)).toBe(1);
    expect(collector.ackedEnd('app-s-changelog', 0)).toBeUndefined();
  });

  it('sends what it has when a batch is full and loses no record', async () => {
    const { calls, collector } = manual();
    const output = collector.output('one');
    for (let i = 0; i < 100; i += 1) output.send(new Record(`key-${i}`, 'x'.repeat(100), 0), text);
    void collector.flush();
    expect(calls.length).toBeGreaterThan(4);
    expect(calls.flatMap(({ batches }) => batches).reduce((sum, { count }) => sum + count, 0)).toBe(100);
  });

  it('chooses partitions as Kafka does: murmur2 of the key, the inner key of a window, one partition for null keys', async () => {
    const { calls, collector } = manual();
    const output = collector.output('out');
    output.send(new Record('some-key', '1', 0), text);
    const window = { key: 'some-key', window: { startMs: 60_000, endMs: 120_000 } };
    const windowedText = {
      keySerde: windowed(string(), 60_000),
      valueSerde: string(),
      partitioner: undefined,
      partitionsByInnerKey: true,
    } as never;
    output.send(new Record(window, '2', 0), windowedText);
    void collector.flush();
    const expected = partitionForBytes(Buffer.from('some-key'), 0, 'some-key'.length, 4);
    expect(calls[0]?.batches).toEqual([{ topic: 'out', partition: expected, count: 2 }]);
    for (let i = 0; i < 3; i += 1) output.send(new Record(null, 'x', 0), text);
    const chosen = { keySerde: string(), valueSerde: string(), partitioner: () => 3 } as never;
    output.send(new Record('any', 'x', 0), chosen);
    void collector.flush();
    const counts = (calls[1]?.batches ?? []).map(({ count }) => count).sort();
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(Math.max(...counts)).toBeGreaterThanOrEqual(3);
  });

  it('keeps records of a topic chosen at run time until its partitions are known', async () => {
    const known = Promise.withResolvers<number>();
    const { calls, collector } = manual({ lookUp: () => known.promise });
    const output = collector.output('dynamic');
    output.send(new Record('a', '1', 0), text);
    output.send(new Record('a', '2', 0), text);
    const flushed = collector.flush();
    await settle();
    expect(calls).toHaveLength(0);
    known.resolve(1);
    await settle();
    expect(calls[0]?.batches).toEqual([{ topic: 'dynamic', partition: 0, count: 2 }]);
    calls[0]?.ack();
    await flushed;
  });

  it('sends records that waited for their topic where they would have gone at once', async () => {
    const known = Promise.withResolvers<number>();
    const { calls, collector } = manual({ lookUp: () => known.promise });
    const output = collector.output('dynamic');
    const second = { keySerde: string(), valueSerde: string(), partitioner: () => 1 } as never;
    output.send(new Record('a', '1', 0), second);
    const inWindow = {
      keySerde: windowed(string(), 10),
      valueSerde: string(),
      partitioner: undefined,
      partitionsByInnerKey: true,
    } as never;
    output.send(new Record({ key: 'a', window: { startMs: 70, endMs: 80 } }, '2', 0), inWindow);
    known.resolve(64);
    await settle();
    const flushed = collector.flush();
    const home = partitionForBytes(Buffer.from('a'), 0, 1, 64);
    expect(calls.flatMap(({ batches }) => batches).map(({ partition }) => partition)).toEqual([1, home]);
    for (const call of calls) call.ack();
    await flushed;
  });

  it('refuses a partition that a topic does not have', () => {
    const { collector } = manual();
    const beyond = { keySerde: string(), valueSerde: string(), partitioner: () => 4 } as never;
    expect(() => collector.output('out').send(new Record('a', '1', 0), beyond)).toThrow(
      /chose partition 4 of topic 'out', which has 4/,
    );
  });

  it('fails with what the production handler throws', async () => {
    const handler = (): 'continue' => {
      throw new Error('the handler is broken');
    };
    const { calls, collector } = manual({ handler });
    collector.output('one').send(new Record('a', '1', 0), text);
    collector.send();
    calls[0]?.ack(new BrokerError('too large', { kafkaCode: 10, retriable: false }));
    await settle();
    expect(() => collector.check()).toThrow('the handler is broken');
  });

  it('rejects a flush whose records were lost, and stays failed', async () => {
    const { calls, collector } = manual();
    collector.output('one').send(new Record('a', '1', 0), text);
    const flushed = collector.flush();
    calls[0]?.ack(new BrokerError('too large', { kafkaCode: 10, retriable: false }));
    await expect(flushed).rejects.toThrow('too large');
    expect(() => collector.check()).toThrow('too large');
  });

  it('goes on after a lost batch when the production handler says so', async () => {
    const { calls, collector } = manual({ handler: () => 'continue' });
    collector.output('one').send(new Record('a', '1', 0), text);
    const flushed = collector.flush();
    calls[0]?.ack(new BrokerError('too large', { kafkaCode: 10, retriable: false }));
    await flushed;
    collector.check();
  });

  it('copies bytes that are in the right format and writes other values straight into the batch', async () => {
    const { calls, collector } = manual();
    const record = new Record<unknown, unknown>(null, null, 7);
    const source = Buffer.from('keyvalue');
    record.keyDatum.setBytes(source, 0, 3, string() as never, 'in');
    record.valueDatum.setBytes(source, 3, 8, bytes() as never, 'in');
    collector.output('one').send(record, { keySerde: string(), valueSerde: bytes(), partitioner: undefined } as never);
    expect(record.valueDatum.hasObject).toBe(false);
    const counted = new Record('k', 42, 1);
    collector.output('one').send(counted, { keySerde: string(), valueSerde: long(), partitioner: undefined } as never);
    expect(counted.valueDatum.hasBytes).toBe(false);
    void collector.flush();
    expect(calls[0]?.batches[0]?.count).toBe(2);
  });
});
