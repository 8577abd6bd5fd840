import { type Difference, showStep } from '../compare.ts';
import { differencesOf, mediumOf } from '../fresh/fresh-runs.ts';
import { SeededRandom } from '../fresh/seeded-random.ts';
import { shrink } from '../fresh/shrink.ts';
import { randomSteps } from '../fresh/steps.ts';
import type { Oracle } from '../oracle-client.ts';
import type { Params } from '../topologies/family.ts';
import type { Case } from '../vector-cases.ts';
import type { Step } from '../vectors.ts';
import { randomProgram } from './generate.ts';
import { interpret } from './interpret.ts';
import { type Program, showProgram } from './program.ts';
import { shrinkProgram } from './shrink-program.ts';

const AMPLE_CACHE_BYTES = 100_000;

/** What reports call random programs. */
export const COMPOSITION_NAME = 'composition';

/** A random program with a random input, run by both engines; a difference is shrunk to a small program and few steps. */
export function compositionCase(seed: number, number: number, oracle: Oracle): Case {
  return {
    topology: COMPOSITION_NAME,
    title: `seed ${seed}, program ${number}`,
    check: async () => {
      const random = new SeededRandom(seed, `${COMPOSITION_NAME}-${number}`);
      const { program, params: drawn } = randomProgram(random);
      const params = roomForGlobalTables(program, drawn);
      const medium = mediumOf(seed + number);
      const steps = randomSteps(topicsOf(program), {}, random);
      const differences = async (tried: Program, input: readonly Step[]) => {
        const found = await differencesOf(
          {
            topology: COMPOSITION_NAME,
            named: { build: () => interpret(tried, params, medium) },
            params,
            program: tried,
            steps: input,
            medium,
            oracle,
          },
          input.filter((step) => 'advanceWallClockMs' in step || topicsOf(tried).includes(step.topic)),
        );
        return found.some(isNoProgram) ? [] : found;
      };
      if ((await differences(program, steps)).length === 0) return { differences: [] };
      const small = await shrinkProgram(program, async (tried) => (await differences(tried, steps)).length > 0);
      const input = await shrink(steps, async (rest) => (await differences(small, rest)).length > 0);
      const [difference = { of: 'unsteady', text: 'the difference does not repeat' }] = await differences(small, input);
      const told = input.filter((step) => 'advanceWallClockMs' in step || topicsOf(small).includes(step.topic));
      const inputs = told.map((step, index) => `  step ${index}: ${showStep(step)}`).join('\n');
      const text = `${difference.text}\n${showProgram(small)}\n  params ${JSON.stringify(params)}, ${medium} stores\n${inputs}`;
      return { differences: [{ of: difference.of, text }] };
    },
  };
}

/**
 * Global tables have a cache of their own in Kafka Streams. In its test driver they share that of the tasks, so that a small one is
 * full earlier than it would be: programs with such tables are compared with room enough for both.
 */
function roomForGlobalTables(program: Program, params: Params): Params {
  const isSmall = (params['cacheBytes'] ?? 0) > 0;
  const isMeant = isSmall && program.statements.some(({ op }) => op === 'globalTable');
  return isMeant ? { ...params, cacheBytes: AMPLE_CACHE_BYTES } : params;
}

/**
 * Where Kafka Streams falls back on the serdes of its configuration, we ask for them; and shrinking makes programs that take a stream
 * for a table: nothing to compare.
 */
function isNoProgram({ of, text }: Difference): boolean {
  return of === 'error' && /ours: .*serde|ClassCastException.* at millrace\.oracle\.Composition/.test(text);
}

function topicsOf({ statements }: Program): readonly string[] {
  const sources = statements.filter(({ op }) => op === 'stream' || op === 'table' || op === 'globalTable');
  return sources.map(({ topic }) => topic as string);
}
