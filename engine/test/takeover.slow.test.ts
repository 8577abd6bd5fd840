import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useTestStack } from '@chip-quality/dev/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeTopics, JavaApplication } from '../conformance/takeover/java-application.ts';
import { inputs, sequences, tables, takeoverTopology } from '../conformance/takeover/program.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/metrics.ts';
import { systemRandom } from '../src/base/random.ts';
import type { TopicPartition } from '../src/base/record-batch.ts';
import type { Broker } from '../src/broker/broker.ts';
import { partitionForBytes } from '../src/broker/partitioner.ts';
import { createWireBroker } from '../src/broker/wire/wire-broker.ts';
import { KafkaStreams } from '../src/kafka-streams.ts';
import { produceText, readAll, until } from './support/memory-cluster-harness.ts';

const stack = useTestStack(['kafka']);
const PARTITIONS = 2;
/** The input comes in parts; between them the engine may change. */
const PARTS = 3;
/** For everything that a running application does; starts of Java have their own. */
const WORK_TIMEOUT_MS = 120_000;

/** Events of each part of the input lie in so much event time. */
const PART_MS = 130_000;
/** Not long ago: brokers delete windows that are older than the retention of their changelog. On the grid of all windows. */
const beginsMs = Math.floor(Date.now() / 10_000) * 10_000 - PARTS * PART_MS;

type Engine = 'java' | 'java, exactly once' | 'typescript';
type Input = readonly [key: string, value: string | null, timestampMs: number];
type Inputs = Readonly<Record<(typeof inputs)[number], readonly Input[]>>;

interface Running {
  stop(): Promise<void>;
  kill(): Promise<void> | void;
}

const running = new Set<Running>();
const directories: string[] = [];
let broker: Broker;

beforeAll(() => {
  broker = createWireBroker({
    bootstrapServers: [stack.bootstrapServers],
    clientId: 'takeover-test',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
});

afterEach(async () => {
  for (const each of running) await each.kill();
  running.clear();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

afterAll(async () => {
  await broker?.close();
});

async function start(engine: Engine, applicationId: string, stateDir: string): Promise<Running> {
  if (engine !== 'typescript') {
    const { bootstrapServers } = stack;
    const guarantee = engine === 'java' ? 'at_least_once' : 'exactly_once_v2';
    const application = await JavaApplication.start({ bootstrapServers, applicationId, stateDir, guarantee });
    running.add(application);
    return application;
  }
  const streams = new KafkaStreams(takeoverTopology(applicationId), {
    applicationId,
    bootstrapServers: [stack.bootstrapServers],
    commitIntervalMs: 100,
    statestoreCacheMaxBytes: 0,
    windowEmitIntervalMs: 0,
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 500,
    stateDir,
  });
  const application = { stop: () => streams.close(), kill: () => streams.close() };
  running.add(application);
  await streams.start();
  return application;
}

function stateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'takeover-'));
  directories.push(directory);
  return directory;
}

async function stop(application: Running): Promise<void> {
  await application.stop();
  running.delete(application);
}

/** Numbers from a seed: the same input for every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % below;
  };
}

/**
 * One part of the input. Records are late by less than the grace: which ones are too late depends on the time that a node has
 * seen since it started, in Kafka Streams, too.
 */
function part(which: number): Inputs {
  const next = numbersFrom(4711 + which);
  const beginMs = beginsMs + which * PART_MS;
  const many = (count: number, make: (timestampMs: number) => Input): Input[] =>
    Array.from({ length: count }, (_, index) => make(beginMs + index * 500 - next(4_000)));
  const optional = (value: string): string | null => (next(6) === 0 ? null : value);
  return {
    events: many(260, (at) => [`k${next(9)}`, `v${next(5)}`, at]),
    left: many(60, (at) => [`t${next(12)}`, optional(`l${next(100)}`), at]),
    right: many(60, (at) => [`t${next(12)}`, optional(`r${next(100)}`), at]),
    orders: many(80, (at) => [`o${next(20)}`, optional(`p${next(7)}:${next(100)}`), at]),
    products: many(30, (at) => [`p${next(7)}`, optional(`price${next(100)}`), at]),
  };
}

async function produce(applicationId: string, given: Inputs): Promise<void> {
  for (const name of inputs) {
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const records = given[name].filter(([key]) => {
        const bytes = Buffer.from(key);
        return partitionForBytes(bytes, 0, bytes.length, PARTITIONS) === partition;
      });
      await produceText(broker, `${applicationId}-${name}`, partition, records);
    }
  }
}

/** Everything that lies in source topics, internal ones included, is committed. */
async function isDrained(applicationId: string): Promise<boolean> {
  const topics = takeoverTopology(applicationId)
    .resolve(applicationId)
    .subTopologies.flatMap(({ sourceTopics }) => sourceTopics);
  const counts = await broker.admin().partitionCounts(topics);
  if (topics.some((topic) => !counts.has(topic))) return false;
  const all: TopicPartition[] = topics.flatMap((topic) =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
  );
  const ends = await broker.admin().endOffsets(all);
  const committed = await broker.admin().committedOffsets(applicationId, all);
  for (const { topic, partition } of all) {
    const id = `${topic}-${partition}`;
    const offset = committed.get(id)?.offset ?? 0;
    if (offset >= (ends.get(id) ?? 0)) continue;
    // Only the ends of transactions may follow: they take offsets, too, and nobody commits them.
    const records = await readAll(broker, topic);
    if (records.some((record) => record.partition === partition && record.offset >= offset)) return false;
  }
  return true;
}

/** Sum of the committed positions in the inputs. */
async function committedRecords(applicationId: string): Promise<number> {
  const committed = await broker.admin().committedOffsets(applicationId, inputPartitions(applicationId));
  return [...committed.values()].reduce((sum, { offset }) => sum + Math.max(0, offset), 0);
}

function inputPartitions(applicationId: string): TopicPartition[] {
  return inputs.flatMap((name) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: `${applicationId}-${name}`, partition })),
  );
}

async function drained(applicationId: string): Promise<void> {
  let times = 0;
  await until(
    async () => {
      times = (await isDrained(applicationId)) ? times + 1 : 0;
      // What one commit passes on may be on its way to the next.
      return times >= 3;
    },
    `all input of ${applicationId} is processed and committed`,
    WORK_TIMEOUT_MS,
  );
}

interface Result {
  /** Outputs whose order is certain, by topic and partition. */
  readonly sequences: Readonly<Record<string, readonly string[]>>;
  /** Last values by topic and key. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  /** Internal topics without the application's prefix, with partitions and settings. */
  readonly internalTopics: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Committed positions in the input topics. */
  readonly positions: readonly number[];
}

async function resultOf(applicationId: string): Promise<Result> {
  const lists: Record<string, string[]> = {};
  for (const name of sequences) {
    for (const { partition, key, value, timestampMs } of await readAll(broker, `${applicationId}-${name}`)) {
      const id = `${name}-${partition}`;
      lists[id] ??= [];
      lists[id].push(`${key?.toString('hex')} = ${value?.toString('hex') ?? null} @ ${timestampMs}`);
    }
  }
  const last: Record<string, Record<string, string | null>> = {};
  for (const name of tables) {
    const table: Record<string, string | null> = {};
    for (const { key, value } of await readAll(broker, `${applicationId}-${name}`)) {
      table[String(key)] = value?.toString(name === 'values' ? 'hex' : 'utf8') ?? null;
    }
    last[name] = Object.fromEntries(Object.entries(table).sort());
  }
  const own = new Set<string>([...inputs, ...sequences, ...tables]);
  const described = await describeTopics(stack.bootstrapServers, `${applicationId}-`);
  const internalTopics = Object.entries(described)
    .map(([topic, settings]) => [topic.slice(applicationId.length + 1), settings] as const)
    .filter(([name]) => !own.has(name))
    // Stores of tables without a name are named after the topic, which begins with the application.
    .map(([name, settings]) => [name.replaceAll(applicationId, 'app'), settings] as const);
  const all = inputPartitions(applicationId);
  const committed = await broker.admin().committedOffsets(applicationId, all);
  const positions = all.map(({ topic, partition }) => committed.get(`${topic}-${partition}`)?.offset ?? -1);
  return { sequences: lists, tables: last, internalTopics: Object.fromEntries(internalTopics), positions };
}

/**
 * Runs the program over the parts of the input, each by its engine; one and the same goes on without a stop. The first engine
 * stops when all is done, the second in the middle of its work. An engine whose turn comes again has its local state of then.
 */
async function runBy(engines: readonly Engine[]): Promise<Result> {
  const applicationId = stack.uniqueName('takeover');
  const spec = (name: string) => ({
    topic: `${applicationId}-${name}`,
    partitions: PARTITIONS,
    replicationFactor: 1,
    configs: {},
  });
  await broker.admin().createTopics([...inputs, ...sequences, ...tables].map(spec));

  const stateDirectories = {
    java: stateDirectory(),
    'java, exactly once': stateDirectory(),
    typescript: stateDirectory(),
  };
  let application: Running | undefined;
  for (const [which, engine] of engines.entries()) {
    application ??= await start(engine, applicationId, stateDirectories[engine]);
    const before = await committedRecords(applicationId);
    await produce(applicationId, part(which));
    const next = engines[which + 1];
    const isCutShort = which === 1 && next !== undefined && next !== engine;
    if (isCutShort) {
      const begun = async () => (await committedRecords(applicationId)) > before;
      await until(begun, `${engine} has begun part ${which}`, WORK_TIMEOUT_MS);
    } else await drained(applicationId);
    if (next === engine) continue;
    await stop(application);
    application = undefined;
  }
  return resultOf(applicationId);
}

describe('an application that changes its engine', () => {
  let uninterrupted: Result;

  beforeAll(async () => {
    uninterrupted = await runBy(['java', 'java', 'java']);
  }, 2 * WORK_TIMEOUT_MS);

  it.each<readonly [string, readonly Engine[]]>([
    ['Java, ours, Java', ['java', 'typescript', 'java']],
    ['ours, Java, ours', ['typescript', 'java', 'typescript']],
    ['Java with transactions, then ours', ['java, exactly once', 'typescript', 'typescript']],
  ])('ends as Kafka Streams alone does: %s', async (_name, engines) => {
    const result = await runBy(engines);
    for (const [name, list] of Object.entries(uninterrupted.sequences)) {
      expect(list.length, `${name} has records`).toBeGreaterThan(0);
    }
    expect(result.sequences).toEqual(uninterrupted.sequences);
    expect(result.tables).toEqual(uninterrupted.tables);
    expect(result.internalTopics).toEqual(uninterrupted.internalTopics);
    expect(result.positions).toEqual(uninterrupted.positions);
  });

  it('is refused, with the remedy, while members of the other engine are in the group', async () => {
    const applicationId = stack.uniqueName('takeover');
    const spec = (name: string) => ({
      topic: `${applicationId}-${name}`,
      partitions: PARTITIONS,
      replicationFactor: 1,
      configs: {},
    });
    await broker.admin().createTopics([...inputs, ...sequences, ...tables].map(spec));
    const java = await start('java', applicationId, stateDirectory());
    await expect(start('typescript', applicationId, stateDirectory())).rejects.toThrow(
      /members of another program.*stop them/s,
    );
    await stop(java);
    await stop(await start('typescript', applicationId, stateDirectory()));
  });
});
