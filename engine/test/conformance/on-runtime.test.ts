import { describe, expect, test } from 'vitest';
import { runtimeCases, runtimeCompositionCase } from '../../conformance/runtime-cases.ts';
import type { Case } from '../../conformance/vector-cases.ts';
import { keptVectors } from '../../conformance/vectors.ts';

// The test driver, which the vectors compare with Kafka Streams, runs one task and copies what crosses topics. Here the same runs cross
// the real runtime: a task for each sub-topology, bytes in batches. `npm run conformance -- --runtime` runs all of them.

const RUNS_OF_EACH = 1;
const PROGRAMS = 40;

async function expectAgreement(each: Case): Promise<void> {
  const { differences } = await each.check();
  expect(differences.map(({ of, text }) => `${of}: ${text}`).join('\n')).toBe('');
}

const cases = runtimeCases(keptVectors, { runs: RUNS_OF_EACH });

describe.each([...new Set(cases.map(({ topology }) => topology))])('%s on the real runtime', (topology) => {
  const own = cases.filter((each) => each.topology === topology);
  test.each(own.map((each) => [each.title, each] as const))(
    'writes what the test driver writes in %s',
    (_title, each) => expectAgreement(each),
  );
});

test.each(Array.from({ length: PROGRAMS }, (_, number) => [number] as const))(
  'random program %i writes on the real runtime what it writes in the test driver',
  (number) => expectAgreement(runtimeCompositionCase(1, number)),
);
