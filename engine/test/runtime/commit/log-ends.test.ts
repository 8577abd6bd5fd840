import { expect, test } from 'vitest';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { string } from '../../../src/serde/primitives.ts';
import { brokerOf, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, streamsOn } from '../../support/streams-harness.ts';
import { markerBytes } from '../../support/transaction-batches.ts';

const strings = { key: string(), value: string() };

/** An application that copies three records, and what it has committed. */
async function copying() {
  const cluster = await clusterWith({ in: 1, out: 1 });
  const broker = brokerOf(cluster);
  const builder = new StreamsBuilder();
  builder.stream('in', strings).to('out');
  const streams = streamsOn(broker, builder.build(), { autoOffsetReset: 'earliest' });
  await produceText(
    broker,
    'in',
    0,
    ['1', '2', '3'].map((value) => ['k', value] as const),
  );
  const committed = async () =>
    (await broker.admin().committedOffsets('app', [{ topic: 'in', partition: 0 }])).get('in-0')?.offset;
  /** The markers of a transaction end the log, after `records` more records that nobody committed. */
  const endTransaction = (commit: boolean) => {
    const log = cluster.log('in', 0);
    log?.append(markerBytes(log.endOffset, 1, commit), 1);
  };
  return { broker, committed, endTransaction, streams };
}

test('E8: a marker behind the last record is committed with it', async () => {
  const { broker, committed, endTransaction, streams } = await copying();
  endTransaction(true);
  await streams.start();
  await until(async () => (await readAll(broker, 'out')).length === 3, 'three copies');
  await until(async () => (await committed()) === 4, 'the commit of the marker');
  expect([...streams.lag.values()]).toEqual([0]);
  await streams.close();
  expect(await committed()).toBe(4);
});

test('E8: a marker that comes later is committed, though no record comes', async () => {
  const { broker, committed, endTransaction, streams } = await copying();
  await streams.start();
  await until(async () => (await committed()) === 3, 'the commit of three records');
  endTransaction(true);
  await until(async () => (await committed()) === 4, 'the commit of the marker');
  endTransaction(false);
  await until(async () => (await committed()) === 5, 'the commit of the second marker');
  expect(await readAll(broker, 'out')).toHaveLength(3);
});

test('E8: a marker that came just before the end is committed by closing', async () => {
  const { committed, endTransaction, streams } = await copying();
  await streams.start();
  await until(async () => (await committed()) === 3, 'the commit of three records');
  endTransaction(true);
  await until(() => [...streams.lag.values()].every((lag) => lag === 0), 'the marker');
  await streams.close();
  expect(await committed()).toBe(4);
});
