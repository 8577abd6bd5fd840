import { expect, test } from 'vitest';
import { JoinWindows, StreamsBuilder, string, type Topology } from '../../src/index.ts';
import { brokerOf, produceText, readAll, until } from '../support/memory-cluster-harness.ts';
import { clusterWith, newDirectory, streamsOn } from '../support/streams-harness.ts';

const strings = { key: string(), value: string() };

function topology(store: 'memory' | 'persistent'): Topology {
  const builder = new StreamsBuilder();
  const windows = JoinWindows.ofTimeDifferenceAndGrace(10, 5);
  builder
    .stream('left', strings)
    .outerJoin(builder.stream('right', strings), (left, right) => `${left}|${right}`, windows, {
      storeName: 'kept',
      store,
    })
    .to('out', strings);
  return builder.build();
}

test.each(['memory', 'persistent'] as const)(
  'another instance goes on from the changelogs of both sides and of the unmatched records, with %s stores',
  async (store) => {
    const cluster = await clusterWith({ left: 1, right: 1, out: 1 });
    const broker = brokerOf(cluster);
    const start = async () => {
      const streams = streamsOn(brokerOf(cluster), topology(store), {
        stateDir: newDirectory(),
        outerJoinEmitIntervalMs: 0,
      });
      await streams.start();
      return streams;
    };
    const results = async () =>
      (await readAll(broker, 'out')).map(({ key, value, timestampMs }) => `${key}:${value}@${timestampMs}`);

    const first = await start();
    // Twice the same: both of them wait, in one list.
    await produceText(broker, 'left', 0, [
      ['A', 'a', 0],
      ['B', 'b', 5],
      ['B', 'b', 5],
      ['D', 'd', 6],
    ]);
    await produceText(broker, 'right', 0, [['C', 'c', 3]]);
    const unmatched = 'app-kept-outer-shared-join-store-changelog';
    await until(async () => (await readAll(broker, unmatched)).length === 5, 'all five records wait');
    await produceText(broker, 'right', 0, [['D', 'match', 6]]);
    await until(async () => (await results()).length === 1, 'the first result');
    await first.close();

    await start();
    await produceText(broker, 'right', 0, [['A', 'x', 8]]);
    await until(async () => (await results()).length === 2, 'a match with a restored left record');
    await produceText(broker, 'left', 0, [['C', 'y', 9]]);
    await until(async () => (await results()).length === 3, 'a match with a restored right record');
    await produceText(broker, 'left', 0, [['Z', 'z', 100]]);
    await until(async () => (await results()).length === 5, 'the unmatched records expire');
    expect(await results()).toEqual(['D:d|match@6', 'A:a|x@8', 'C:y|c@9', 'B:b|null@5', 'B:b|null@5']);
  },
);
