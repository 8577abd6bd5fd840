import { describe, expect, test } from 'vitest';
import { topologies } from '../../conformance/topologies/index.ts';
import { vectorCases } from '../../conformance/vector-cases.ts';
import { hasVector, keptVectors } from '../../conformance/vectors.ts';

// What Kafka Streams 4.3.1 itself computed for the same inputs: values, timestamps, order, final stores, bytes, descriptions.

/** Stores on disk commit after each record here, which is slow: two runs show that they answer the same. */
const PERSISTENT_RUNS = 2;

const cases = vectorCases(keptVectors, { media: ['memory', 'persistent'], persistentRuns: PERSISTENT_RUNS });
const written = cases.filter(({ topology }) => topologies[topology] !== undefined || !hasVector(`${topology}.json`));

describe.each([...new Set(written.map(({ topology }) => topology))])('%s', (topology) => {
  const own = written.filter((each) => each.topology === topology);
  test.each(own.map((each) => [each.title, each] as const))('agrees with Kafka Streams in %s', async (_title, each) => {
    const { differences } = await each.check();
    expect(differences.map(({ of, text }) => `${of}: ${text}`).join('\n')).toBe('');
  });
});
