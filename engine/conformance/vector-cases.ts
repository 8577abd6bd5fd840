import { basename } from 'node:path';
import { murmur2, partitionForBytes } from '../src/broker/partitioner.ts';
import { compareLists, compareTexts, type Difference, showStep } from './compare.ts';
import { decodeOutputs, isInternal } from './decode-outputs.ts';
import { type Deviation, deviationOf } from './deviations.ts';
import { internalTopicsText } from './internal-topics-text.ts';
import { observe } from './observe.ts';
import type { Medium, NamedTopology, Params } from './topologies/family.ts';
import { topologies } from './topologies/index.ts';
import { unnamedPrograms } from './unnamed-programs.ts';
import type { Run, VectorFolder } from './vectors.ts';

/** What one case showed. */
export interface Verdict {
  readonly differences: readonly Difference[];
  /** Set where our own rule was checked instead of Kafka Streams' answer. */
  readonly deviation?: Deviation;
}

/** One comparison with what Kafka Streams answered. */
export interface Case {
  readonly topology: string;
  readonly title: string;
  readonly check: () => Promise<Verdict>;
}

export interface CaseOptions {
  readonly media: readonly Medium[];
  /** Runs of a topology on persistent stores, which commit after each record and are slow; default: all. */
  readonly persistentRuns?: number;
  /** Names of topologies; default: all. */
  readonly only?: (topology: string) => boolean;
}

/** Numbers of partitions that the vectors tell. */
const partitionCounts = [1, 3, 4, 12, 32];

/** The parameters under which the texts of describe() were made, where they show in the text. */
const describedWith: { readonly [topology: string]: Params } = {
  'hopping-aggregate': { size: 10, grace: 0, advance: 3 },
  'session-aggregate': { gap: 30, grace: 5 },
  'sliding-aggregate': { diff: 5, grace: 0 },
  'stream-stream-inner-join': { before: 10, after: 5, grace: 0 },
  'stream-stream-left-join': { before: 10, after: 5, grace: 0 },
  'stream-stream-outer-join': { before: 10, after: 5, grace: 5 },
  'stream-versioned-table-grace-join': { history: 100, grace: 10 },
  'table-filter-mapvalues': { materializeFilter: 1 },
  'tumbling-count': { size: 10, grace: 0 },
  'tumbling-suppress-final': { size: 10, grace: 5 },
  'versioned-table-table-inner-join': { history: 100 },
};

/** Every comparison that a folder of vectors allows. A topology that nobody has written gives a case that fails. */
export function vectorCases(folder: VectorFolder, options: CaseOptions): Case[] {
  const { media, persistentRuns = Number.POSITIVE_INFINITY, only = () => true } = options;
  const cases: Case[] = [];
  for (const { topology, title, run, binary } of runsOf(folder, only)) {
    for (const medium of media) {
      if (medium === 'persistent' && (run.run ?? 0) >= persistentRuns) continue;
      cases.push({
        topology,
        title: `${title} with ${medium} stores`,
        check: async () => checkRun(known(topology), run, medium, binary),
      });
    }
  }
  for (const topology of folder.described()) {
    if (!only(topology)) continue;
    cases.push({
      topology,
      title: 'describe() and internal topics',
      check: async () => ({ differences: await checkTexts(folder, topology) }),
    });
  }
  cases.push(...defaultNameCases(folder, only), ...partitionCases(folder, only));
  return cases.sort((a, b) => (a.topology < b.topology ? -1 : a.topology > b.topology ? 1 : 0));
}

/** Programs that give no names: generated names of nodes, stores and topics, also with all optimisations. */
function defaultNameCases(folder: VectorFolder, only: (topology: string) => boolean): Case[] {
  const files = folder.texts('describe-default-names').filter(() => only('describe-default-names'));
  return files.map((file) => ({
    topology: 'describe-default-names',
    title: file,
    check: async () => {
      const name = file.replace('.optimized', '');
      const build = unnamedPrograms[name];
      if (build === undefined)
        throw new RangeError(`There is no program '${name}' in engine/conformance/unnamed-programs.ts.`);
      const topology = build(file === name ? {} : { topologyOptimization: 'all' });
      const [text = '', topics = ''] = folder
        .text(`describe-default-names/${file}.txt`)
        .split(/\nInternal topics [^\n]*\n/);
      const differences = compareTexts('describe()', text, String(topology.describe()));
      return {
        differences: [
          ...differences,
          ...compareTexts('internal topics', topics, internalTopicsText(topology.resolve('app'))),
        ],
      };
    },
  }));
}

/** Hashes of keys and the partitions that they choose. */
function partitionCases(folder: VectorFolder, only: (topology: string) => boolean): Case[] {
  const path = ['murmur2-partitions.jsonl', 'binary/murmur2-partitions.jsonl'].find((each) => folder.has(each));
  if (path === undefined || !only('murmur2-partitions')) return [];
  const check = async (): Promise<Verdict> => {
    const expected = folder
      .text(path)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { key: string });
    const actual = expected.map(({ key }) => {
      const bytes = Buffer.from(key);
      const partitions = partitionCounts.map((count) => [
        `p${count}`,
        partitionForBytes(bytes, 0, bytes.length, count),
      ]);
      return { key, murmur2: murmur2(bytes, 0, bytes.length), ...Object.fromEntries(partitions) };
    });
    return { differences: compareLists('partitions', expected, actual) };
  };
  return [{ topology: 'murmur2-partitions', title: 'all keys', check }];
}

interface NamedRun {
  readonly topology: string;
  readonly title: string;
  readonly run: Run;
  readonly binary: boolean;
}

function* runsOf(folder: VectorFolder, only: (topology: string) => boolean): Iterable<NamedRun> {
  for (const file of folder.files()) {
    const topology = basename(file, '.json');
    if (topology !== 'handmade' && !only(topology)) continue;
    for (const run of folder.runs(file)) {
      const name = run.topology ?? topology;
      if (!only(name)) continue;
      const title =
        run.name === undefined ? `run ${run.run ?? 0} (seed ${run.seed ?? '-'})` : `boundary case ${run.name}`;
      yield { topology: name, title, run, binary: false };
    }
    if (topology !== 'handmade' && folder.has(`binary/${topology}.0.json`)) {
      yield { topology, title: 'bytes of internal topics', run: folder.binaryRun(topology), binary: true };
    }
  }
}

function known(topology: string): NamedTopology {
  const found = topologies[topology];
  if (found === undefined) throw new RangeError(`There is no topology '${topology}' in engine/conformance/topologies.`);
  return found;
}

async function checkRun(named: NamedTopology, run: Run, medium: Medium, binary: boolean): Promise<Verdict> {
  const storeNames = Object.keys(run.stores);
  const seen = await observe(named, run, medium, storeNames);
  if (seen.error !== undefined) return { differences: [{ of: 'error', text: seen.error }] };
  const records = seen.records ?? [];
  const deviation = deviationOf(run.topology, run.params);
  const outputs = decodeOutputs(records, named.output, run.params);
  if (deviation !== undefined) {
    const rule = await observe(named, { ...run, params: deviation.comparedWith(run.params) }, medium, storeNames);
    const expected = decodeOutputs(rule.records ?? [], named.output, run.params);
    return { differences: withSteps(run, compareLists('outputs', expected, outputs)), deviation };
  }
  const differences = withSteps(run, compareLists('outputs', run.outputs, outputs));
  for (const name of storeNames) {
    differences.push(...compareLists(`store ${name}`, run.stores[name] ?? [], seen.stores?.[name] ?? []));
  }
  if (binary) {
    const written = records.filter(isInternal);
    differences.push(...compareLists('internal topics', inOrder(run.internal ?? []), inOrder(written)));
  }
  return { differences };
}

/** By step and topic; inside a topic as written. */
function inOrder<T extends { readonly step: number; readonly topic: string }>(records: readonly T[]): T[] {
  return [...records].sort((a, b) => a.step - b.step || (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0));
}

/** Adds the input of the step that the first difference speaks of. */
function withSteps(run: Pick<Run, 'steps'>, differences: Difference[]): Difference[] {
  return differences.map(({ of, text }) => {
    const step = Number(/expected \{"step":(\d+)/.exec(text)?.[1] ?? /actual {3}\{"step":(\d+)/.exec(text)?.[1]);
    const input = run.steps[step];
    return { of, text: input === undefined ? text : `${text}\n  step ${step} was ${showStep(input)}` };
  });
}

async function checkTexts(folder: VectorFolder, topology: string): Promise<Difference[]> {
  let closest: Difference[] | undefined;
  for (const params of describedParams(folder, topology)) {
    const differences = await checkTextsUnder(folder, topology, params);
    if (differences.length === 0) return [];
    if (closest === undefined || differences.length < closest.length) closest = differences;
  }
  return closest ?? [];
}

/** The texts don't tell their parameters; where we don't know them, those of a run with the default retention are. */
function* describedParams(folder: VectorFolder, topology: string): Iterable<Params> {
  const made = describedWith[topology];
  if (made !== undefined) yield made;
  const runs = folder.has(`${topology}.json`) ? folder.runs(`${topology}.json`) : [];
  for (const { params } of runs) yield 'retention' in params ? { ...params, retention: 0 } : params;
}

async function checkTextsUnder(folder: VectorFolder, topology: string, params: Params): Promise<Difference[]> {
  const {
    describe = '',
    internalTopics = '',
    error,
  } = await observe(known(topology), { params, steps: [] }, 'memory', []);
  if (error !== undefined) return [{ of: 'error', text: error }];
  const differences = compareTexts('describe()', folder.text(`describe/${topology}.txt`), describe);
  const topics = `describe/${topology}.internal-topics.txt`;
  if (folder.has(topics)) differences.push(...compareTexts('internal topics', folder.text(topics), internalTopics));
  return differences;
}
