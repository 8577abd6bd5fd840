import { describe, expect, test } from 'vitest';
import { runVector } from '../../conformance/run-vector.ts';
import type { Medium } from '../../conformance/topologies/family.ts';
import { namedTopology, topologies } from '../../conformance/topologies/index.ts';
import { binaryRun, hasVector, type Run, vectorRuns } from '../../conformance/vectors.ts';
import { programs, programTopology } from './programs.ts';

// What Kafka Streams 4.3.1 itself computed for the same inputs: values, timestamps, order, final stores, bytes.

const names = Object.keys(topologies).filter((name) => hasVector(`${name}.json`));
/** Stores on disk commit after each record here, which is slow: two runs show that they answer the same. */
const persistentRuns = 2;
const media: readonly (readonly [Medium, number])[] = [
  ['memory', Number.POSITIVE_INFINITY],
  ['persistent', persistentRuns],
];

describe.each(media)('with %s stores', (store, runs) => {
  describe.each(names)('%s', (topology) => {
    test.each(
      vectorRuns(`${topology}.json`)
        .slice(0, runs)
        .map((run) => [run.run ?? 0, run] as const),
    )('gives the outputs and stores of Kafka Streams in run %i', async (_number, run: Run) => {
      const outcome = await runVector(namedTopology(run.topology), run, store);
      expect(outcome.outputs).toEqual(run.outputs);
      expect(outcome.stores).toEqual(run.stores);
    });
  });
});

describe.each(Object.keys(programs))('program %s', (name) => {
  test.each(vectorRuns(`programs/${name}.json`).map((run) => [run.run ?? 0, run] as const))(
    'gives the outputs of Kafka Streams in run %i',
    async (_number, run: Run) => {
      const outcome = await runVector({ build: () => programTopology(name) }, run, 'memory');
      expect(outcome.outputs).toEqual(run.outputs);
    },
  );
});

describe('boundary cases', () => {
  const cases = vectorRuns('handmade.json').filter((run) => topologies[run.topology] !== undefined);
  test.each(cases.map((run) => [run.name as string, run] as const))(
    'agrees with Kafka Streams on %s',
    async (_name, run) => {
      const outcome = await runVector(namedTopology(run.topology), run, 'memory');
      expect(outcome.outputs).toEqual(run.outputs);
      expect(outcome.stores).toEqual(run.stores);
    },
  );
});

describe('internal topics', () => {
  test.each(names)('%s writes the very bytes of Kafka Streams', async (topology) => {
    const run = binaryRun(topology);
    const { internal } = await runVector(namedTopology(run.topology), run, 'memory');
    const order = (records: NonNullable<Run['internal']>) =>
      [...records]
        .map((record, index) => ({ record, index }))
        .sort(
          (a, b) =>
            a.record.step - b.record.step ||
            (a.record.topic < b.record.topic ? -1 : a.record.topic > b.record.topic ? 1 : a.index - b.index),
        )
        .map(({ record }) => record);
    expect(order(internal)).toEqual(order(run.internal ?? []));
  });
});
