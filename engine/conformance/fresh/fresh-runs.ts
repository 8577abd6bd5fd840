import { type Difference, showStep } from '../compare.ts';
import { deviationOf } from '../deviations.ts';
import { observe, type RunInput } from '../observe.ts';
import type { Oracle } from '../oracle-client.ts';
import type { FreshInputs, Medium, NamedTopology, Params } from '../topologies/family.ts';
import type { Case, Verdict } from '../vector-cases.ts';
import { keptVectors, type Step } from '../vectors.ts';
import { compareObservations } from './compare-observations.ts';
import { randomParams } from './parameters.ts';
import { SeededRandom } from './seeded-random.ts';
import { shrink } from './shrink.ts';
import { randomSteps } from './steps.ts';

/** Every fifth seed runs on persistent stores, which are slower; in Kafka Streams on RocksDB. */
const PERSISTENT_EVERY = 5;

/** Every third seed has record caches of some size; sliding windows not: there Kafka Streams' cache fails, see `cached-sliding`. */
const CACHED_EVERY = 3;

export function mediumOf(seed: number): Medium {
  return seed % PERSISTENT_EVERY === 0 ? 'persistent' : 'memory';
}

/** A new input for a named topology, run by both engines. */
export function freshCase(name: string, named: NamedTopology, seed: number, oracle: Oracle): Case {
  return {
    topology: name,
    title: `seed ${seed}`,
    check: async () => {
      const { params, steps } = freshInput(name, named, seed);
      return checkBoth({ topology: name, named, params, steps, medium: mediumOf(seed), oracle });
    },
  };
}

/** Random parameters and steps for a named topology: the same for the same seed. */
export function freshInput(name: string, named: NamedTopology, seed: number): RunInput {
  const random = new SeededRandom(seed, name);
  const params = randomParams(parameterNames(name, named), random);
  if (seed % CACHED_EVERY === 0 && !name.includes('sliding'))
    Object.assign(params, randomParams(['cacheBytes'], random));
  Object.assign(params, named.fixed);
  return { params, steps: randomSteps(sourceTopics(named, params), inputsOf(name, named), random) };
}

interface Both {
  readonly topology: string;
  readonly named: Pick<NamedTopology, 'build'>;
  readonly params: Params;
  readonly program?: unknown;
  readonly steps: readonly Step[];
  readonly medium: Medium;
  readonly oracle: Oracle;
}

/** Runs both engines; a difference is shrunk to few steps and told with all that repeats it. */
export async function checkBoth(both: Both): Promise<Verdict> {
  const { topology, params, medium } = both;
  const deviation = deviationOf(topology, params);
  const first = await differencesOf(both, both.steps);
  if (first.length === 0) return deviation === undefined ? { differences: [] } : { differences: [], deviation };
  const steps = await shrink(both.steps, async (rest) => (await differencesOf(both, rest)).length > 0);
  const [difference] = await differencesOf(both, steps);
  const { of, text } = difference ?? (first[0] as NonNullable<typeof difference>);
  const inputs = steps.map((step, index) => `  step ${index}: ${showStep(step)}`);
  return {
    differences: [{ of, text: `${text}\n  params ${JSON.stringify(params)}, ${medium} stores\n${inputs.join('\n')}` }],
  };
}

export async function differencesOf(both: Both, steps: readonly Step[]): Promise<Difference[]> {
  const { topology, named, params, program, medium, oracle } = both;
  const deviation = deviationOf(topology, params);
  const asked = { ...(deviation?.comparedWith(params) ?? params), rocksdb: medium === 'persistent' ? 1 : 0 };
  const java = await oracle.ask({ topology, params: asked, steps, ...(program === undefined ? {} : { program }) });
  const ours = await observe(named, { params, steps }, medium, Object.keys(java.stores ?? {}));
  if (java.unknownTopology === true) return [{ of: 'oracle', text: 'the Java oracle has no topology of that name' }];
  return compareObservations(java, ours, deviation === undefined ? 'everything' : (deviation.depth ?? 'outputs'));
}

/** Those that the family names, else those of the vectors. */
function parameterNames(name: string, named: NamedTopology): readonly string[] {
  if (named.params !== undefined) return named.params;
  if (!keptVectors.has(`${name}.json`)) return [];
  return Object.keys(keptVectors.runs(`${name}.json`)[0]?.params ?? {});
}

function sourceTopics(named: NamedTopology, params: Params): readonly string[] {
  const { subTopologies, globalStores } = named.build(params, 'memory').resolve('app');
  const topics = new Set<string>(globalStores.map(({ topic }) => topic));
  for (const part of subTopologies) for (const topic of part.sourceTopics) topics.add(topic);
  return [...topics].filter((topic) => !topic.startsWith('app-')).sort();
}

/** Families say what is special; names tell the rest. */
function inputsOf(name: string, named: NamedTopology): FreshInputs {
  const told: FreshInputs = {
    ...(/fk|foreign|globaltable/.test(name) ? { foreignKeys: ['left'] } : {}),
    ...(name.includes('grace-join') ? { keyed: ['left', 'right'] } : {}),
  };
  return { ...told, ...named.inputs };
}
