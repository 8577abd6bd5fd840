import { expect, test } from 'vitest';
import {
  EmitStrategy,
  SessionWindows,
  StreamsBuilder,
  string,
  TimeWindows,
  type Topology,
  type Windowed,
} from '../../src/index.ts';
import { brokerOf, produceText, readAll, until } from '../support/memory-cluster-harness.ts';
import { clusterWith, newDirectory, streamsOn } from '../support/streams-harness.ts';

const strings = { key: string(), value: string() };
const onClose = EmitStrategy.onWindowClose();
const concat = (_key: string, value: string, aggregate: string) => aggregate + value;
const shown = ({ key, window }: Windowed<string>) => `${key}[${window.startMs},${window.endMs}]`;

/** The store keeps windows long after they were emitted, so only the commit's metadata tells that they were. */
const LONG_AFTER_MS = 10_000;

function windows(store: 'memory' | 'persistent'): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', strings)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .emitStrategy(onClose)
    .aggregate(() => '', concat, {
      value: string(),
      materialized: { name: 'kept', store, retentionMs: LONG_AFTER_MS },
    })
    .toStream(shown)
    .to('out', strings);
  return builder.build();
}

function sessions(store: 'memory' | 'persistent'): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', strings)
    .groupByKey()
    .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(3))
    .emitStrategy(onClose)
    .aggregate(
      () => '',
      concat,
      (_key, aggregate, other) => aggregate + other,
      {
        value: string(),
        materialized: { name: 'kept', store, retentionMs: LONG_AFTER_MS },
      },
    )
    .toStream(shown)
    .to('out', strings);
  return builder.build();
}

const cases = [
  ['windows', 'memory', windows, ['A[0,10]=a', 'A[10,20]=c', 'B[10,20]=bd']],
  ['windows', 'persistent', windows, ['A[0,10]=a', 'A[10,20]=c', 'B[10,20]=bd']],
  ['sessions', 'memory', sessions, ['A[1,1]=a', 'B[12,14]=bd', 'A[14,14]=c']],
  ['sessions', 'persistent', sessions, ['A[1,1]=a', 'B[12,14]=bd', 'A[14,14]=c']],
] as const;

test.each(cases)(
  'another instance emits no closed %s a second time and forgets none, with %s stores',
  async (_what, store, topology, expected) => {
    const cluster = await clusterWith({ in: 1, out: 1 });
    const broker = brokerOf(cluster);
    const start = async () => {
      const options = { stateDir: newDirectory(), windowEmitIntervalMs: 0 };
      const streams = streamsOn(brokerOf(cluster), topology(store), options);
      await streams.start();
      return streams;
    };
    const results = async () => (await readAll(broker, 'out')).map(({ key, value }) => `${key}=${value}`);

    const first = await start();
    await produceText(broker, 'in', 0, [
      ['A', 'a', 1],
      ['B', 'b', 12],
    ]);
    await until(async () => (await results()).length === 1, 'the first result');
    await first.close();

    await start();
    await produceText(broker, 'in', 0, [
      ['A', 'c', 14],
      ['B', 'd', 14],
      ['Z', 'z', 100],
    ]);
    await until(async () => (await results()).length >= expected.length, 'the other results');
    expect([...(await results())].sort()).toEqual([...expected].sort());
  },
);
