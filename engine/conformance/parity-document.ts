import { deviations } from './deviations.ts';
import { type Feature, type FeatureState, featureGroups } from './features.ts';
import { javaApiGaps } from './java-api.ts';
import { otherDeviations } from './other-deviations.ts';

const marks: Readonly<Record<FeatureState, string>> = {
  done: 'done',
  deviates: 'deviates',
  partly: 'partly',
  'not done': 'not done',
};
/** The parity document. `failed`: topologies that did not agree when it was made; none in a document that is kept. */
export function parityDocument(
  topologies: readonly string[],
  hasTest: (path: string) => boolean,
  failed: ReadonlySet<string> = new Set(),
): string {
  const lines = [
    '# Parity with Kafka Streams 4.3.1',
    '',
    'Made by `npm run conformance -- --write-docs`; don’t edit it by hand. Topologies are those of `engine/conformance/topologies`: `npm run conformance`',
    'compares them with kept answers of Kafka Streams, `npm run conformance -- --fresh 1..20` with Kafka Streams itself on new inputs, random compositions of',
    'operators among them. Compared are outputs with timestamps and order, stores, every byte of internal topics, names and the text of `describe()`.',
  ];
  for (const { title, features } of featureGroups) {
    lines.push('', `## ${title}`, '', '| feature | state | shown by | remark |', '| --- | --- | --- | --- |');
    for (const feature of features) lines.push(row(feature, topologies, hasTest, failed));
  }
  lines.push('', '## Deliberate deviations', '');
  for (const { title, reason } of [...deviations, ...otherDeviations]) lines.push(`* **${title}.** ${reason}`);
  lines.push('', '## Methods of the public API that are not here', '');
  lines.push('Names that merely differ are in `engine/README.md`.', '');
  lines.push('| class | not here | instead |', '| --- | --- | --- |');
  for (const { where, missing, instead } of javaApiGaps) lines.push(`| ${where} | ${missing} | ${instead} |`);
  return `${lines.join('\n')}\n`;
}

function row(
  { name, state, topologies: prefixes = [], tests = [], note = '' }: Feature,
  all: readonly string[],
  hasTest: (path: string) => boolean,
  failed: ReadonlySet<string>,
): string {
  const shown: string[] = [];
  let fails = false;
  for (const prefix of prefixes) {
    const matching = all.filter((topology) => topology.startsWith(prefix));
    if (matching.length === 0) throw new RangeError(`No topology begins with '${prefix}' (feature '${name}').`);
    fails ||= matching.some((topology) => failed.has(topology));
    shown.push(`\`${matching.includes(prefix) && matching.length === 1 ? prefix : `${prefix}…`}\``);
  }
  for (const test of tests) if (!hasTest(test)) throw new RangeError(`There is no test ${test} (feature '${name}').`);
  const names = [...shown, ...tests.map((test) => `\`${test}\``)];
  return `| ${name} | ${fails ? '**fails**' : marks[state]} | ${names.join(', ')} | ${note} |`;
}
