import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Report } from './report.ts';
import { vectorCases } from './vector-cases.ts';
import { keptVectors, VectorFolder } from './vectors.ts';

const usage = `npm run conformance [-- DIR] [options]

Compares the engine with what Kafka Streams 4.3.1 answered. DIR: a folder of answers; default: engine/conformance/vectors.

  --only TEXT[,TEXT]  topologies whose name contains one of the texts
  --help`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    help: { type: 'boolean' },
  },
});

const wanted = values.only?.split(',');
const only = (topology: string): boolean => wanted === undefined || wanted.some((part) => topology.includes(part));

if (values.help) console.log(usage);
else {
  const report = new Report();
  const [folder] = positionals;
  const vectors = folder === undefined ? keptVectors : new VectorFolder(resolve(folder));
  for (const each of vectorCases(vectors, { media: ['memory', 'persistent'], only })) {
    await report.run(each);
  }
  process.exitCode = report.close();
}
