import fc from 'fast-check';
import { expect, it } from 'vitest';
import { silentLog } from '../../src/base/metrics.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { ProduceResult } from '../../src/broker/broker.ts';
import type { BrokerLinks } from '../../src/broker/wire/connection/broker-links.ts';
import type { ClusterMetadata } from '../../src/broker/wire/metadata/cluster-metadata.ts';
import { WireProducer } from '../../src/broker/wire/producer/wire-producer.ts';
import { batchOf } from '../contract/broker.ts';
import { IdempotentPartition, SteppedTransport } from '../support/idempotent-partition.ts';
import { ManualClock } from '../support/manual-clock.ts';

const TOPIC = 'topic';
const BYTES_MAX = 400;
/** Fits a batch alone, unlike four of them. */
const USUAL_LENGTH = 100;
const TOO_LARGE_LENGTH = 600;
const STEPS_MAX = 20_000;

/** A producer whose only broker is `partition`. `hasAddress` false: nobody knows where the leader is. */
function producerTo(partition: IdempotentPartition, hasAddress: () => boolean = () => true) {
  const clock = new ManualClock();
  let refreshes = 0;
  let transport = new SteppedTransport(partition);
  const open = (): SteppedTransport => {
    if (!transport.isOpen) transport = new SteppedTransport(partition);
    return transport;
  };
  const links = { openConnection: open, connect: async () => open(), closePurpose: () => undefined };
  const metadata = {
    partition: () => ({ leaderId: 1, leaderEpoch: 0 }),
    address: () => (hasAddress() ? { host: 'broker', port: 9092 } : undefined),
    refresh: async () => {
      refreshes += 1;
      await turn();
    },
    anyConnection: async () => open(),
  };
  const producer = new WireProducer(
    { clientId: 'test' },
    {
      links: links as unknown as BrokerLinks,
      metadata: metadata as unknown as ClusterMetadata,
      clock,
      random: systemRandom,
      log: silentLog,
      name: 'test',
      onClosed: () => undefined,
    },
  );
  return { producer, clock, transport: () => transport, refreshes: () => refreshes };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Batches of so many records; those that are listed are too large for any batch. */
const call = fc.record({
  records: fc.integer({ min: 1, max: 9 }),
  tooLarge: fc.option(fc.nat(8), { freq: 6 }),
});
/** What happens to the connection between two turns; `cut`: after the broker has handled so many requests. */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.constant('answer' as const) },
  { weight: 2, arbitrary: fc.constant('wait' as const) },
  { weight: 1, arbitrary: fc.nat(5).map((cut) => ({ cut })) },
);

it('writes all that fits and says what does not, in order, whatever is split and wherever connections are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { minLength: 1, maxLength: 12 }),
      fc.array(event, { maxLength: 60 }),
      async (calls, events) => {
        const partition = new IdempotentPartition(TOPIC, BYTES_MAX);
        const { producer, clock, transport } = producerTo(partition);
        const results: (ProduceResult | undefined)[] = [];
        const sent = calls.map(({ records, tooLarge }, index) =>
          Array.from({ length: records }, (_, record) =>
            `${index}/${record}/`.padEnd(record === tooLarge ? TOO_LARGE_LENGTH : USUAL_LENGTH, 'x'),
          ),
        );
        sent.forEach((values, index) => {
          const batch = batchOf(
            TOPIC,
            0,
            values.map((value) => [null, value]),
          );
          void producer.produce([batch]).then(([result]) => {
            results[index] = result;
          });
        });
        const isOpen = (): boolean => sent.some((_, index) => results[index] === undefined);
        for (let step = 0; isOpen(); step += 1) {
          expect(step).toBeLessThan(STEPS_MAX);
          const next = events[step] ?? 'answer';
          if (next === 'answer') transport().answer();
          else if (next !== 'wait') transport().cut(next.cut);
          await turn();
          clock.advance(step < events.length ? 20 : 2);
        }
        const fits = (value: string): boolean => value.length < BYTES_MAX;
        sent.forEach((values, index) => {
          const lost = values.filter((value) => !fits(value)).length;
          expect(results[index]?.lostRecords ?? (results[index]?.error === undefined ? 0 : values.length)).toBe(lost);
          expect(results[index]?.error === undefined).toBe(lost === 0);
        });
        const expected = sent.flat().filter(fits);
        const isLossless = expected.length === sent.flat().length;
        const isUncut = !events.some((each) => typeof each === 'object');
        // A refused record makes a new producer id, under which what may have been written goes out again.
        const seen = isLossless || isUncut ? partition.values : [...new Set(partition.values)];
        expect(seen).toEqual(expected);
        await producer.close();
      },
    ),
    { numRuns: 300 },
  );
});

it('asks again with growing waits where the leader that it knows is no broker that it knows', async () => {
  let isKnown = false;
  const { producer, clock, refreshes, transport } = producerTo(
    new IdempotentPartition(TOPIC, BYTES_MAX),
    () => isKnown,
  );
  const [sent] = await Promise.all([
    producer.produce([batchOf(TOPIC, 0, [[null, 'value']])]),
    (async () => {
      for (let turns = 0; turns < 100; turns += 1) await turn();
      expect(refreshes()).toBe(1);
      for (let elapsedMs = 0; elapsedMs < 3_000; elapsedMs += 10) {
        clock.advance(10);
        await turn();
      }
      expect(refreshes()).toBeGreaterThan(2);
      expect(refreshes()).toBeLessThan(10);
      isKnown = true;
      for (let elapsedMs = 0; elapsedMs < 3_000; elapsedMs += 10) {
        clock.advance(10);
        await turn();
        transport().answer();
      }
    })(),
  ]);
  expect(sent?.[0]?.error).toBeUndefined();
  await producer.close();
});
