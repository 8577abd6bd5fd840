import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { COMPOSITION_NAME, compositionCase } from './compositions/composition-case.ts';
import { freshCase } from './fresh/fresh-runs.ts';
import { Oracle } from './oracle-client.ts';
import { Report } from './report.ts';
import { runtimeCases, runtimeCompositionCase, runtimeFreshCase } from './runtime-cases.ts';
import { topologies } from './topologies/index.ts';
import { vectorCases } from './vector-cases.ts';
import { keptVectors, VectorFolder } from './vectors.ts';
import { writeParityDocument } from './write-docs.ts';

/** Random programs that a seed gives, besides an input for every named topology. */
const PROGRAMS_PER_SEED = 20;
/** Random programs for the real runtime: no Java is asked, so there may be many. */
const RUNTIME_PROGRAMS = 500;

const USAGE = `npm run conformance [-- DIR] [options]

Compares the engine with what Kafka Streams 4.3.1 answered. DIR: a folder of answers; default: engine/conformance/vectors.

  --fresh SEEDS       instead of kept answers: new inputs, run by Kafka Streams itself (needs Java 17 and Maven). 7, 1..20, 3,5,8
  --runtime           the kept answers, and random programs, through the real runtime on a broker in memory
  --only TEXT[,TEXT]  topologies whose name contains one of the texts
  --write-docs        writes docs/parity.md after the comparison
  --show N            differences told in full for one topology; default: 3
  --help`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fresh: { type: 'string' },
    runtime: { type: 'boolean' },
    only: { type: 'string' },
    show: { type: 'string' },
    'write-docs': { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

const wanted = values.only?.split(',');
const only = (topology: string): boolean => wanted === undefined || wanted.some((part) => topology.includes(part));

if (values.help) console.log(USAGE);
else if (values.fresh !== undefined) process.exitCode = await compareFresh(seedsOf(values.fresh));
else if (values.runtime) process.exitCode = await compareRuntime(positionals[0]);
else process.exitCode = await compareVectors(positionals[0]);

async function compareVectors(folder: string | undefined): Promise<number> {
  const report = new Report(values.show === undefined ? undefined : Number(values.show));
  const vectors = folder === undefined ? keptVectors : new VectorFolder(resolve(folder));
  for (const each of vectorCases(vectors, { media: ['memory', 'persistent'], only })) await report.run(each);
  if (values['write-docs']) writeParityDocument(report.failed);
  return report.close();
}

async function compareRuntime(folder: string | undefined): Promise<number> {
  const report = new Report(values.show === undefined ? undefined : Number(values.show));
  const vectors = folder === undefined ? keptVectors : new VectorFolder(resolve(folder));
  for (const each of runtimeCases(vectors, { only })) await report.run(each);
  for (const [name, named] of Object.entries(topologies)) {
    if (only(name)) await report.run(runtimeFreshCase(name, named, 1));
  }
  for (let number = 0; only(COMPOSITION_NAME) && number < RUNTIME_PROGRAMS; number += 1) {
    await report.run(runtimeCompositionCase(1, number));
  }
  return report.close();
}

async function compareFresh(seeds: readonly number[]): Promise<number> {
  const report = new Report(values.show === undefined ? undefined : Number(values.show));
  const oracle = await Oracle.start((line) => console.error(line));
  try {
    const names = new Set([...Object.keys(topologies), ...(await oracle.names())].sort());
    for (const name of [...names].filter(only)) {
      const named = topologies[name];
      if (named === undefined) {
        const text = 'the oracle has this topology, the engine has none of that name';
        report.add(name, 'no run', { differences: [{ of: 'error', text }] });
        continue;
      }
      for (const seed of seeds) await report.run(freshCase(name, named, seed, oracle));
    }
    if (only(COMPOSITION_NAME)) {
      for (const seed of seeds) {
        for (let number = 0; number < PROGRAMS_PER_SEED; number += 1) {
          await report.run(compositionCase(seed, number, oracle));
        }
      }
    }
  } finally {
    oracle.close();
  }
  return report.close();
}

/** `7`, `1..20`, `3,5,8`. */
function seedsOf(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('..').map(Number);
    if (
      from === undefined ||
      to === undefined ||
      !Number.isSafeInteger(from) ||
      !Number.isSafeInteger(to) ||
      to < from
    ) {
      throw new RangeError(`--fresh wants seeds such as 7 or 1..20, not '${text}'.`);
    }
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
