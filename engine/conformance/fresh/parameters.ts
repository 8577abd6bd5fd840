import type { Params } from '../topologies/family.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Values that make sense for each parameter, those at the edges among them. */
const choices: { readonly [name: string]: readonly number[] } = {
  size: [5, 7, 10, 12, 20],
  advance: [1, 3, 4, 5],
  gap: [0, 1, 3, 5, 10],
  diff: [1, 2, 5, 10, 15],
  before: [0, 1, 5, 10],
  after: [0, 1, 5, 10],
  grace: [0, 1, 5, 10, 20],
  retention: [0, 100_000],
  ampleRetention: [100_000],
  windowEmitIntervalMs: [5, 20, 1_000],
  outerJoinEmitIntervalMs: [0, 5, 20, 1_000],
  start: [0, 30],
  history: [10, 40, 100],
  limit: [0, 5, 10, 20],
  maxRecords: [1, 2, 3, 100],
  maxBytes: [100, 300, 1000],
  cacheBytes: [0, 150, 400, 1000, 100_000],
  optimise: [0, 1],
  streamEvery: [3, 5, 10],
  wallEvery: [7, 20],
};
/** For a parameter that nobody described: a flag. */
const flag = [0, 1];

/** Random values for the named parameters. */
export function randomParams(names: readonly string[], random: SeededRandom): Params {
  const params: { [name: string]: number } = {};
  for (const name of names) params[name] = random.pick(choices[name] ?? flag);
  return params;
}
