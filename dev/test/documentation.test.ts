import { tmpdir } from 'node:os';
import * as millrace from 'millrace';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/check-walls.ts';
import { documentedOptions, wrongOptions } from './support/documented-options.ts';
import { examplesOf, uncompilable } from './support/example-program.ts';
import { createSourceProgram } from './support/source-program.ts';
import { type Gap, undocumentedExports, undocumentedMembers } from './support/undocumented.ts';

const workspaces = [
  'engine',
  'schemas',
  'proto',
  'topologies',
  'sinks',
  'models',
  'api',
  'stations',
  'app',
  'benchmarks',
] as const;

/** What other people import: documented down to the members. */
const doors = [
  'engine/src/index.ts',
  'engine/src/testing/index.ts',
  'api/src/index.ts',
  'schemas/src/index.ts',
  'topologies/src/index.ts',
  'models/src/index.ts',
  'models/src/boards/index.ts',
  'sinks/src/index.ts',
  'proto/src/index.ts',
  'stations/src/index.ts',
  'dev/src/index.ts',
] as const;

/** Families of operators, and the declarations that show each by an `@example`. */
const families: Readonly<Record<string, readonly string[]>> = {
  sources: ['StreamsBuilder.stream', 'StreamsBuilder.table'],
  'stateless operators': ['KStream.filter', 'KStream.map', 'KStream.flatMapValues'],
  branches: ['KStream.split'],
  merging: ['KStream.merge'],
  repartitioning: ['KStream.repartition'],
  grouping: ['KStream.groupBy', 'KStream.groupByKey', 'KGroupedTable.count'],
  'tumbling and hopping windows': ['TimeWindows'],
  'sliding windows': ['SlidingWindows'],
  'session windows': ['SessionWindows', 'SessionWindowedKStream'],
  'unlimited windows': ['UnlimitedWindows'],
  'results of closed windows': ['TimeWindowedKStream.emitStrategy'],
  aggregations: [
    'KGroupedStream.count',
    'KGroupedStream.reduce',
    'KGroupedStream.aggregate',
    'KGroupedTable.aggregate',
  ],
  cogroups: ['CogroupedKStream'],
  suppression: ['KTable.suppress', 'Suppressed.untilWindowCloses', 'Suppressed.untilTimeLimit'],
  'joins of streams, with tables and global tables': ['KStream.join'],
  'windows of joins': ['JoinWindows'],
  'joins of tables, by key and by foreign key': ['KTable.join'],
  'global tables': ['StreamsBuilder.globalTable'],
  processors: ['Topology', 'KStream.process', 'KStream.processValues', 'ProcessorContext.getStateStore'],
  punctuators: ['ProcessorContext.schedule'],
  'asynchronous operators': ['KStream.mapAsync', 'KStream.microBatch', 'KStream.pipe'],
  sinks: ['KStream.to'],
  'versioned tables': ['StreamsBuilder.table'],
  stores: ['Stores'],
  serdes: ['Serde', 'json', 'avro', 'windowed'],
  'the test driver': ['TopologyTestDriver', 'TopologyTestDriver.settle'],
  errors: ['StreamsError', 'KafkaStreams.setUncaughtExceptionHandler'],
  'a running application': ['KafkaStreams'],
  queries: ['KafkaStreams.keyValueStore', 'KafkaStreams.windowStore', 'KafkaStreams.versionedKeyValueStore'],
  'topics read without a group': ['TopicReader'],
};

/** Where several forms of one method are families of their own. */
const forms: Readonly<Record<string, number>> = { 'KStream.join': 3, 'KTable.join': 2 };

const source = createSourceProgram({ root: repositoryRoot, workspaces });
const examples = examplesOf(source);

function sentences(gaps: readonly Gap[]): readonly string[] {
  return [...new Set(gaps.map(({ file, line, name, remedy }) => `${file}:${line} ${name} ${remedy}`))];
}

describe('the documentation', () => {
  it('reads all sources', () => {
    // A check that reads nothing finds nothing.
    expect(source.sources.length).toBeGreaterThan(400);
    expect(source.program.getOptionsDiagnostics()).toEqual([]);
  });

  it('says of every export, and of everything behind the doors, what it is', () => {
    const gaps = [...undocumentedExports(source), ...undocumentedMembers(source, doors)];
    expect(sentences(gaps)).toEqual([]);
  });

  it('gives of every key of the configuration its default, unit and counterpart in Java', () => {
    const options = documentedOptions(source, 'engine/src/kafka-streams.ts', 'KafkaStreamsOptions');
    const applicationId = 'an-application';
    const defaults = { ...millrace.defaultStreamsConfig, clientId: applicationId, broker: undefined };
    expect(options.map(({ key }) => key).sort()).toEqual([...Object.keys(defaults), 'applicationId'].sort());
    const gaps = wrongOptions(options, defaults, { ...millrace, applicationId, tmpdir });
    expect(sentences(gaps)).toEqual([]);
  });

  it.each(Object.entries(families))('shows %s by an example', (_family, names) => {
    const shown = (name: string): number => examples.filter((example) => example.name === name).length;
    expect(names.filter((name) => shown(name) < (forms[name] ?? 1))).toEqual([]);
  });

  it('has examples that compile', () => {
    expect(sentences(uncompilable(source, examples))).toEqual([]);
  });
});

describe('the check of the documentation', () => {
  const planted = new Map([
    [
      'engine/src/planted-door.ts',
      `
export type { Planted } from './planted.ts';
export { plantedFactory } from './planted.ts';
`,
    ],
    [
      'engine/src/planted.ts',
      `
export interface Bare {}
/** The same for green things. */
export interface Pointing {}
/** Something that is documented. */
export interface Planted {
  bare(): Below;
  /** Returns after a while. */
  wait(options: { readonly timeoutMs: number }): void;
  /** The same for turns. */
  wait(turns: number): void;
  /** The wait time. */
  readonly waitTime: number;
  /** One of \`red\`, and another. */
  readonly colour: 'red' | 'green';
}
/** Reached through the door without being exported by it. */
export interface Below {
  readonly depth: number;
}
/** Makes one. */
export const plantedFactory = {
  make: (): Planted => {
    throw new Error();
  },
  /** @internal */
  hidden: 1,
};
/**
 * Shows something.
 * @example
 * \`\`\`ts
 * orders.filter((_id, order) => order.amount > 0).to('positive');
 * orders.filter((_id, order) => order.price > 0);
 * \`\`\`
 */
export const shown = 1;
/** Documented. */
export class Kept implements Documented {
  readonly #hidden = 1;
  of(): number {
    return this.#hidden;
  }
}
/** Its member is documented here. */
export interface Documented {
  /** Answers what was kept. */
  of(): number;
}
`,
    ],
    [
      'engine/src/planted-options.ts',
      `
/** Options of a planted thing. */
export interface Options {
  /**
   * Something. Required.
   * Kafka Streams: \`some.key\`.
   */
  readonly given: string;
  /**
   * A wait.
   * Kafka Streams: \`wait.ms\`.
   * @defaultValue \`10\` ms
   */
  readonly goodMs: number;
  /**
   * A wait.
   * Kafka Streams: \`wait.ms\`.
   * @defaultValue \`11\`
   */
  readonly wrongMs: number;
  /** Answers a colour. */
  readonly port: () => string;
}
`,
    ],
  ]);
  const program = createSourceProgram({ root: repositoryRoot, workspaces: [], virtual: planted, base: source });
  const files = [...planted.keys()].flatMap((path) => program.program.getSourceFile(`${repositoryRoot}/${path}`) ?? []);
  const plantedSource = { ...program, sources: files };

  it('notices exports without a comment, and comments that only repeat the name', () => {
    expect(sentences(undocumentedExports(plantedSource))).toEqual([
      'engine/src/planted.ts:2 Bare has no TSDoc comment: say what it is and what a user must know',
      'engine/src/planted.ts:4 Pointing has a comment that only points to another one: say what it is',
    ]);
  });

  it('notices members behind the door, inherited comments counted', () => {
    const gaps = undocumentedMembers(plantedSource, ['engine/src/planted-door.ts', 'engine/src/planted-options.ts']);
    expect(gaps.map(({ line, name, remedy }) => `${line} ${name} ${remedy.split(':')[0]}`)).toEqual([
      '7 Planted.bare has no TSDoc comment',
      '9 Planted.wait(options).timeoutMs has no TSDoc comment',
      '11 Planted.wait has a comment that only points to another one',
      '13 Planted.waitTime has a comment that only repeats its name',
      "15 Planted.colour 'green' is not explained",
      '19 Below.depth has no TSDoc comment',
      '23 plantedFactory.make has no TSDoc comment',
    ]);
    expect(undocumentedMembers(plantedSource, ['engine/src/planted.ts']).map(({ name }) => name)).not.toContain(
      'Kept.of',
    );
  });

  it('notices defaults, units and counterparts that are missing or wrong', () => {
    const options = documentedOptions(plantedSource, 'engine/src/planted-options.ts', 'Options');
    const defaults = { goodMs: 10, wrongMs: 10, port: () => 'a' };
    expect(wrongOptions(options, defaults, {}).map(({ line, name, remedy }) => `${line} ${name} ${remedy}`)).toEqual([
      '20 wrongMs documents the default 11, but it is 10',
      '20 wrongMs names no unit: write it behind the default',
      "22 port names no key of Java: write 'Kafka Streams: `the.key`.' or 'No counterpart in Kafka Streams.' on a line",
      '22 port says no default: write @defaultValue with an expression in backticks',
    ]);
  });

  it('notices examples that do not compile, at their line', () => {
    const gaps = uncompilable(source, examplesOf(plantedSource));
    expect(gaps.map(({ file, line, name, remedy }) => `${file}:${line} ${name} ${remedy}`)).toEqual([
      "engine/src/planted.ts:34 shown has an @example that fails: Property 'price' does not exist on type 'Order'.",
    ]);
  });
});
