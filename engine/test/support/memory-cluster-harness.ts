import { systemClock } from '../../src/base/clock.ts';
import { decodeHeaders } from '../../src/base/headers-codec.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Header } from '../../src/base/record-batch.ts';
import type { Broker, Compression } from '../../src/broker/broker.ts';
import { BufferPool } from '../../src/broker/buffer-pool.ts';
import { MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import { MemoryCluster } from '../../src/broker/memory/memory-cluster.ts';
import { RecordBatchWriter } from '../../src/broker/record-batch-writer.ts';

export interface RawRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
  readonly headers: readonly Header[];
}

/** A cluster in memory that several brokers share, as several processes share one. */
export function newCluster(): MemoryCluster {
  return new MemoryCluster({ clock: systemClock, random: systemRandom });
}

export function brokerOf(cluster: MemoryCluster): MemoryBroker {
  return new MemoryBroker({ cluster });
}

/** Produces text records to one partition. */
export async function produceText(
  broker: Broker,
  topic: string,
  partition: number,
  records: Iterable<readonly [key: string | null, value: string | Buffer | null, timestampMs?: number]>,
  headers: readonly Header[] = [],
  compression: Compression = 'none',
): Promise<void> {
  const writer = new RecordBatchWriter(topic, partition, new BufferPool(1 << 20));
  const producer = broker.producer({ clientId: 'test' });
  let last: Promise<unknown> = Promise.resolve();
  const send = (): void => {
    last = producer.produce([writer.finish(compression)]);
  };
  for (const [key, value, timestampMs = 0] of records) {
    const keyBytes = key === null ? null : Buffer.from(key);
    const valueBytes = typeof value === 'string' ? Buffer.from(value) : value;
    const append = () =>
      writer.append(timestampMs, keyBytes, 0, keyBytes?.length ?? 0, valueBytes, 0, valueBytes?.length ?? 0, headers);
    if (!append()) {
      send();
      await last;
      append();
    }
  }
  if (writer.count > 0) send();
  await last;
  await producer.close();
}

/** Everything in a topic, partition by partition. */
export async function readAll(broker: Broker, topic: string): Promise<RawRecord[]> {
  const admin = broker.admin();
  const count = (await admin.partitionCounts([topic])).get(topic) ?? 0;
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const begins = await admin.beginningOffsets(partitions);
  const ends = await admin.endOffsets(partitions);
  const consumer = broker.consumer({ clientId: 'test' });
  consumer.assign(partitions.map((each) => ({ ...each, offset: begins.get(`${topic}-${each.partition}`) ?? 0 })));
  const records: RawRecord[] = [];
  while (partitions.some((each) => consumer.position(each) < (ends.get(`${topic}-${each.partition}`) ?? 0))) {
    for (const { partition, batches } of await consumer.poll(100)) {
      for (const batch of batches) {
        for (let row = 0; row < batch.count; row += 1) {
          const slice = (start: number, end: number) =>
            start < 0 ? null : Buffer.copyBytesFrom(batch.buffer, start, end - start);
          records.push({
            partition,
            offset: batch.offsets[row] as number,
            key: slice(batch.keyStarts[row] as number, batch.keyEnds[row] as number),
            value: slice(batch.valueStarts[row] as number, batch.valueEnds[row] as number),
            timestampMs: batch.timestamps[row] as number,
            headers: decodeHeaders(batch.buffer, batch.headerStarts[row] as number, batch.headerEnds[row] as number),
          });
        }
        batch.release();
      }
    }
  }
  await consumer.close();
  return records.sort((left, right) => left.partition - right.partition || left.offset - right.offset);
}

/** Waits until `condition` holds; the message says what did not happen. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
