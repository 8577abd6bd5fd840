import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startStack } from '@chip-quality/dev';
import { type Admin, Kafka, logLevel, Partitioners } from 'kafkajs';
import { cpuSeconds, peakMegabytes } from './process-usage.ts';

/**
 * Millrace against Kafka Streams 4.3.1: the same topologies, broker, input and settings, each peer a process of its own,
 * measured from outside through /proc, one after the other; then the two output topics are compared byte for byte by a third
 * client. The first half of the records is the JIT-cold figure (process start included), the second half the warm one.
 */
const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    topologies: { type: 'string', default: 'pass-through,count,json-map,windowed-count,stream-join' },
  },
});
const RECORDS = Number(options.records);
const PARTITIONS = 4;
const KEYS = 10_000;
const RECORD_BYTES = 200;
const SAMPLE_MS = 20;
/** A peer that makes no progress for this long has failed. */
const STALL_MS = 120_000;
/** The least that every topology must reach but `json-map`, most of which is the JSON parser. */
const RATIO_FLOOR = 2;

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = join(root, '.local', 'bench');

interface Measured {
  readonly coldCpuPerMillion: number;
  readonly warmCpuPerMillion: number;
  readonly recordsPerSecond: number;
  readonly peakMegabytes: number;
}

/** Compiles the Java peer; answers its class path. */
function buildPeer(): string {
  const folder = join(root, 'benchmarks/kafka-streams');
  execFileSync('mvn', ['-B', '-q', 'package', 'dependency:copy-dependencies', '-DoutputDirectory=target/lib'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return `${folder}/target/classes:${folder}/target/lib/*`;
}

function outputTopic(peer: string, topology: string, run: string): string {
  return `bench-${run}-${topology}-${peer}`;
}

async function createTopic(topic: string): Promise<void> {
  // kafkajs gives up where the leaders are not known at once, which a busy machine makes likely.
  await admin.createTopics({
    topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }],
    waitForLeaders: false,
  });
  const deadlineMs = performance.now() + STALL_MS;
  for (;;) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(SAMPLE_MS);
    }
  }
}

function keyText(key: number): string {
  return `chip-${String(key).padStart(8, '0')}`;
}

const partitioner = Partitioners.DefaultPartitioner();
const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
  partitionId,
  partitionErrorCode: 0,
  leader: 0,
  replicas: [],
  isr: [],
}));
const partitions = new Map<number, number>();

/** The default partition of a key: input and output then have the same records in the same order, whoever copies them. */
function partitionOf(key: number): number {
  let partition = partitions.get(key);
  if (partition === undefined) {
    const message = { key: keyText(key), value: null };
    partition = partitioner({ topic: '', partitionMetadata, message });
    partitions.set(key, partition);
  }
  return partition;
}

/** Seeded records: keys repeat, times ascend, values are JSON of exactly RECORD_BYTES bytes. */
async function fill(topic: string, count: number): Promise<void> {
  const producer = kafka.producer({ maxInFlightRequests: 1, createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const startMs = Date.now() - count;
  const CHUNK = 4_000;
  let state = 1;
  for (let first = 0; first < count; first += CHUNK * PARTITIONS) {
    const messages: { key: string; value: string; timestamp: string }[][] = Array.from(
      { length: PARTITIONS },
      () => [],
    );
    for (let index = first; index < Math.min(count, first + CHUNK * PARTITIONS); index += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const key = state % KEYS;
      const head = `{"id":${index},"reading":${state % 1_000},"chip":"chip-${key}","pad":"`;
      const value = `${head}${'x'.repeat(RECORD_BYTES - head.length - 2)}"}`;
      messages[partitionOf(key)]?.push({
        key: keyText(key),
        value,
        timestamp: String(startMs + index),
      });
    }
    // One partition per send: kafkajs doesn't split a send by bytes, nor survives failover when it spans brokers.
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const group = (messages[partition] ?? []).map((message) => ({ ...message, partition }));
      for (let at = 0; at < group.length; at += CHUNK)
        await producer.send({ topic, acks: -1, messages: group.slice(at, at + CHUNK) });
    }
  }
  await producer.disconnect();
}

async function measure(
  peer: string,
  topology: string,
  run: string,
  input: string,
  start: (args: string[]) => ChildProcess,
): Promise<Measured> {
  const output = outputTopic(peer, topology, run);
  await createTopic(output);
  const application = `bench-${run}-${topology}-${peer}`;
  const child = start([topology, bootstrapServers, application, input, output, join(directory, 'state', peer)]);
  const pid = child.pid as number;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  try {
    const cold = await reach(admin, output, RECORDS, child);
    const warm = await reach(admin, output, 2 * RECORDS, child);
    return {
      coldCpuPerMillion: (cold.cpu / RECORDS) * 1e6,
      warmCpuPerMillion: ((warm.cpu - cold.cpu) / RECORDS) * 1e6,
      recordsPerSecond: (2 * RECORDS) / ((warm.atMs - cold.firstMs) / 1_000),
      peakMegabytes: peakMegabytes(pid),
    };
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

/** Waits until the topic holds `target` records; CPU and time are interpolated between the two samples around it. */
async function reach(
  observer: Admin,
  topic: string,
  target: number,
  child: ChildProcess,
): Promise<{ cpu: number; atMs: number; firstMs: number }> {
  let before = { count: 0, cpu: 0, atMs: performance.now() };
  let firstMs = Number.NaN;
  let progressMs = performance.now();
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the peer ended with code ${child.exitCode}`);
    const offsets = await observer.fetchTopicOffsets(topic);
    const now = {
      count: offsets.reduce((sum, { high }) => sum + Number(high), 0),
      cpu: cpuSeconds(child.pid as number),
      atMs: performance.now(),
    };
    if (now.count > 0 && Number.isNaN(firstMs)) firstMs = now.atMs;
    if (now.count >= target) {
      const share = now.count === before.count ? 1 : (target - before.count) / (now.count - before.count);
      return {
        cpu: before.cpu + share * (now.cpu - before.cpu),
        atMs: before.atMs + share * (now.atMs - before.atMs),
        firstMs,
      };
    }
    if (now.count > before.count) progressMs = now.atMs;
    if (now.atMs - progressMs > STALL_MS) throw new Error(`no progress at ${now.count} of ${target} records`);
    before = now;
    await sleep(SAMPLE_MS);
  }
}

/** Keys, values and timestamps of a whole topic, by partition and in order, read by a client that is neither peer's. */
async function digest(topic: string): Promise<string> {
  const consumer = kafka.consumer({ groupId: `${topic}-digest`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const hashes = Array.from({ length: PARTITIONS }, () => createHash('sha256'));
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          const hash = hashes[batch.partition];
          for (const { key, value, timestamp } of batch.messages) {
            hash?.update(`${timestamp}|${key?.length ?? -1}|${value?.length ?? -1}|`);
            if (key !== null) hash?.update(key);
            if (value !== null) hash?.update(value);
            seen += 1;
          }
          if (seen >= 2 * RECORDS) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return hashes.map((hash) => hash.digest('hex').slice(0, 12)).join('-');
}

function report(topology: string, theirs: Measured, ours: Measured): void {
  const row = (name: string, it: Measured): string =>
    `  ${name.padEnd(20)} ${it.coldCpuPerMillion.toFixed(2).padStart(7)} ${it.warmCpuPerMillion.toFixed(2).padStart(7)} ` +
    `${Math.round(it.recordsPerSecond / 1_000)
      .toString()
      .padStart(9)}k ${String(it.peakMegabytes).padStart(6)} MB`;
  console.log(
    `${topology}\n  ${''.padEnd(20)} ${'cold'.padStart(7)} ${'warm'.padStart(7)} ${'records/s'.padStart(10)} ${'peak'.padStart(9)}   (CPU-seconds per million)`,
  );
  console.log(row('Kafka Streams 4.3.1', theirs));
  console.log(row('Millrace', ours));
  console.log(
    `  ratio in CPU-seconds: ${(theirs.coldCpuPerMillion / ours.coldCpuPerMillion).toFixed(1)} cold, ` +
      `${(theirs.warmCpuPerMillion / ours.warmCpuPerMillion).toFixed(1)} warm`,
  );
}

mkdirSync(directory, { recursive: true });
console.log(
  `machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'} ${arch()}, node ${process.version}, ` +
    `${RECORDS} cold + ${RECORDS} warm records of ${RECORD_BYTES} bytes, ${KEYS} keys, ${PARTITIONS} partitions, commit every 100 ms`,
);
const jars = buildPeer();
const stack = await startStack({
  root: directory,
  services: ['kafka'],
  durable: false,
  log: (line) => console.log(line),
});
const bootstrapServers = stack.bootstrapServers as string;
const kafka = new Kafka({ brokers: bootstrapServers.split(','), clientId: 'bench', logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
let floorMissed = false;
try {
  const run = Date.now().toString(36);
  const input = `bench-${run}-input`;
  await createTopic(input);
  await fill(input, 2 * RECORDS);
  for (const topology of options.topologies.split(',')) {
    const streams = await measure(`kafka-streams`, topology, run, input, (args) =>
      spawn('java', ['-cp', jars, 'millrace.benchmarks.KafkaStreamsPeer', ...args], {
        stdio: ['ignore', 'inherit', 'inherit'],
      }),
    );
    const millrace = await measure(`millrace`, topology, run, input, (args) =>
      spawn(process.execPath, [join(root, 'benchmarks/src/millrace-peer.ts'), ...args], {
        stdio: ['ignore', 'inherit', 'inherit'],
      }),
    );
    const [theirs, ours] = await Promise.all([
      digest(outputTopic('kafka-streams', topology, run)),
      digest(outputTopic('millrace', topology, run)),
    ]);
    report(topology, streams, millrace);
    if (theirs !== ours) throw new Error(`${topology}: the outputs differ (${theirs} and ${ours})`);
    console.log(`  output: ${2 * RECORDS} records, byte for byte equal`);
    const worst = Math.min(
      streams.coldCpuPerMillion / millrace.coldCpuPerMillion,
      streams.warmCpuPerMillion / millrace.warmCpuPerMillion,
    );
    if (topology !== 'json-map' && worst < RATIO_FLOOR) floorMissed = true;
    await admin.deleteTopics({
      topics: ['kafka-streams', 'millrace'].map((peer) => outputTopic(peer, topology, run)),
    });
  }
} finally {
  await admin.disconnect();
  await stack.stop();
  rmSync(join(directory, 'state'), { recursive: true, force: true });
}
if (floorMissed) {
  console.log(`below the floor: ${RATIO_FLOOR} × in CPU-seconds`);
  process.exitCode = 1;
}
