import { basename } from 'node:path';
import { TopologyError } from '../src/base/errors.ts';
import type { Topology } from '../src/index.ts';
import { compareLists, type Difference, showStep } from './compare.ts';
import { randomProgram } from './compositions/generate.ts';
import { interpret } from './compositions/interpret.ts';
import { showProgram } from './compositions/program.ts';
import { showRecord } from './fresh/compare-observations.ts';
import { freshInput } from './fresh/fresh-runs.ts';
import { SeededRandom } from './fresh/seeded-random.ts';
import { randomSteps } from './fresh/steps.ts';
import type { WrittenRecord } from './observation.ts';
import { observe, type RunInput } from './observe.ts';
import { type Feeding, observeOnRuntime } from './on-runtime.ts';
import { crossesNoTopic, isOrderedAtOnce, isOrderedStepwise } from './runtime-order.ts';
import type { NamedTopology } from './topologies/family.ts';
import { topologies } from './topologies/index.ts';
import type { Case } from './vector-cases.ts';
import type { VectorFolder } from './vectors.ts';

export interface RuntimeCaseOptions {
  /** Runs of each topology besides the boundary cases; default: all. */
  readonly runs?: number;
  readonly only?: (topology: string) => boolean;
}

/**
 * The kept runs once more, through the real runtime: what it writes to each topic, step by step, is what the test driver writes (which
 * the vectors compare with Kafka Streams). Where the order is determined, also all steps at once, in one batch a topic.
 */
export function runtimeCases(folder: VectorFolder, options: RuntimeCaseOptions = {}): Case[] {
  const { runs = Number.POSITIVE_INFINITY, only = () => true } = options;
  const cases: Case[] = [];
  const counts = new Map<string, number>();
  for (const file of folder.files()) {
    for (const [index, run] of folder.runs(file).entries()) {
      const topology = run.topology ?? basename(file, '.json');
      const named = topologies[topology];
      if (named === undefined || !only(topology)) continue;
      const count = counts.get(topology) ?? 0;
      if (run.name === undefined && count >= runs) continue;
      if (run.name === undefined) counts.set(topology, count + 1);
      const title = run.name === undefined ? `run ${run.run ?? index}` : `boundary case ${run.name}`;
      const add = (input: RunInput, feeding: Feeding) => {
        const check = async () => ({ differences: await differencesOnRuntime(named, input, feeding) });
        cases.push({ topology, title: `${title}, fed ${feeding}`, check });
      };
      add(run, 'stepwise');
      const atOnce = fedAtOnce(named.build(run.params, 'memory'), run);
      if (atOnce !== undefined) add(atOnce, 'at once');
    }
  }
  return cases;
}

/** A random input for a named topology, fed stepwise. */
export function runtimeFreshCase(name: string, named: NamedTopology, seed: number): Case {
  const check = async () => {
    const run = freshInput(name, named, seed);
    const resolved = named.build(run.params, 'memory').resolve('app');
    // A cache holds until a commit: the driver's comes after each record, the runtime's after all that a step brought.
    const isAlike = (run.params['cacheBytes'] ?? 0) === 0 || crossesNoTopic(resolved);
    return {
      differences: isAlike && isOrderedStepwise(resolved) ? await differencesOnRuntime(named, run, 'stepwise') : [],
    };
  };
  return { topology: name, title: `seed ${seed}`, check };
}

/** A random program with a random input, through the test driver and the real runtime, as far as its order is determined. */
export function runtimeCompositionCase(seed: number, number: number): Case {
  return {
    topology: 'composition',
    title: `seed ${seed}, program ${number}`,
    check: async () => {
      const random = new SeededRandom(seed, `composition-${number}`);
      const { program, params } = randomProgram(random);
      const uncached = { ...params, cacheBytes: 0 };
      const named = { build: () => interpret(program, params, 'memory') };
      const sources = program.statements.filter(({ op }) => op === 'stream' || op === 'table' || op === 'globalTable');
      const topics = sources.map(({ topic }) => topic as string);
      const topology = builtOrRefused(named.build);
      if (topology === undefined) return { differences: [] };
      const steps = randomSteps(topics, {}, random);
      const differences: Difference[] = [];
      const resolved = topology.resolve('app');
      if (isOrderedStepwise(resolved)) {
        // A cache holds until a commit: the driver's comes after each record, the runtime's after all that a step brought.
        const run = { params: crossesNoTopic(resolved) ? params : uncached, steps };
        differences.push(...(await differencesOnRuntime(named, run, 'stepwise')));
      }
      const atOnce = fedAtOnce(topology, { params: uncached, steps });
      if (atOnce !== undefined) differences.push(...(await differencesOnRuntime(named, atOnce, 'at once')));
      const told = `${showProgram(program)}\n  params ${JSON.stringify(params)}`;
      return { differences: differences.map(({ of, text }) => ({ of, text: `${text}\n${told}` })) };
    },
  };
}

/** Undefined for programs that the engine refuses. */
function builtOrRefused(build: () => Topology): Topology | undefined {
  try {
    return build();
  } catch (error) {
    if (error instanceof TopologyError) return undefined;
    throw error;
  }
}

/** The run for feeding at once; undefined where the order would depend on when topics are fetched. */
function fedAtOnce(topology: Topology, run: RunInput): RunInput | undefined {
  if (!isOrderedAtOnce(topology.resolve('app'))) return undefined;
  const steps = run.steps.filter((step) => 'topic' in step);
  if (new Set(steps.map(({ topic }) => topic)).size <= 1) return { params: run.params, steps };
  // Several topics are taken by timestamp: those of the run, made to rise.
  const rising = steps.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
  return {
    params: run.params,
    steps: steps.map((step, index) => ({ ...step, timestamp: (rising[index] as number) + index })),
  };
}

/** How the runtime differs from the test driver in one run, topic by topic. */
async function differencesOnRuntime(
  named: Pick<NamedTopology, 'build'>,
  run: RunInput,
  feeding: Feeding,
): Promise<Difference[]> {
  const driven = await observe(named, run, 'memory', []);
  // A run that ends with an error ends the instance, too; what it wrote before is not committed.
  if (driven.error !== undefined) return [];
  const expected = driven.records ?? [];
  const moreTopics = [...new Set(expected.map(({ topic }) => topic))];
  const seen = await observeOnRuntime(named, { ...run, feeding, moreTopics }, 'memory');
  if (seen.error !== undefined) return [{ of: `error, fed ${feeding}`, text: seen.error }];
  const actual = seen.records ?? [];
  const buffers = bufferChangelogs(named.build(run.params, 'memory'));
  const topics = [...new Set([...expected, ...actual].map(({ topic }) => topic))].sort();
  return topics.flatMap((topic) => {
    const theirs = expected.filter((record) => record.topic === topic);
    const ours = actual.filter((record) => record.topic === topic);
    // Changelogs of stores without times get the clock's time, which is another here.
    const isTimed = theirs.every(({ timestamp }) => timestamp !== null);
    const normal = (record: WrittenRecord): WrittenRecord => ({
      ...record,
      ...(isTimed ? {} : { timestamp: null }),
      ...(feeding === 'stepwise' ? {} : { step: 0 }),
    });
    // Written when committed: the driver commits after each record of a step, the runtime after many.
    const form = (records: WrittenRecord[]) =>
      buffers.has(topic) ? contentsByStep(records.map(normal)) : records.map(normal);
    const found = compareLists(`${topic}, fed ${feeding}`, form(theirs), form(ours), showRecord);
    return found.map(({ of, text }) => ({ of, text: `${text}${inputOf(run, text)}` }));
  });
}

function bufferChangelogs(topology: Topology): ReadonlySet<string> {
  const stores = topology.resolve('app').subTopologies.flatMap((part) => part.stores);
  return new Set(
    stores.flatMap(({ builder, changelogTopic = '' }) => (builder.kind === 'buffer' ? changelogTopic : [])),
  );
}

/** The net changes of a compacted topic: of each step the last record of every key, where it changes what the key had. */
function contentsByStep(records: readonly WrittenRecord[]): WrittenRecord[] {
  const contents = new Map<string | null, string | null>();
  const changes: WrittenRecord[] = [];
  const lastOfStep = new Map<string, WrittenRecord>();
  for (const record of records) lastOfStep.set(`${record.step} ${record.keyHex}`, record);
  const ordered = [...lastOfStep.values()].sort(
    (a, b) => a.step - b.step || ((a.keyHex ?? '') < (b.keyHex ?? '') ? -1 : 1),
  );
  for (const record of ordered) {
    if ((contents.get(record.keyHex) ?? null) === record.valueHex) continue;
    contents.set(record.keyHex, record.valueHex);
    changes.push(record);
  }
  return changes;
}

/** The step that the first difference speaks of. */
function inputOf(run: RunInput, text: string): string {
  const step = run.steps[Number(/(?:expected|actual {2}) step (\d+)/.exec(text)?.[1])];
  return step === undefined ? '' : `\n  the step was ${showStep(step)}`;
}
