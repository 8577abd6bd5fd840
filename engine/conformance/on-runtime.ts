import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, yieldTurn } from '../src/base/clock.ts';
import { decodeHeaders } from '../src/base/headers-codec.ts';
import { systemRandom } from '../src/base/random.ts';
import type { Broker, BrokerProducer, EncodedBatch } from '../src/broker/broker.ts';
import { BufferPool, SharedBuffer } from '../src/broker/buffer-pool.ts';
import { MemoryBroker } from '../src/broker/memory/memory-broker.ts';
import { MemoryCluster } from '../src/broker/memory/memory-cluster.ts';
import { sealBatch } from '../src/broker/record-batch-layout.ts';
import { RecordBatchReader } from '../src/broker/record-batch-reader.ts';
import { RecordBatchWriter } from '../src/broker/record-batch-writer.ts';
import type { Topology } from '../src/index.ts';
import { KafkaStreams } from '../src/kafka-streams.ts';
import { TestClock } from '../src/testing/driver/test-clock.ts';
import type { ResolvedTopology } from '../src/topology/nodes.ts';
import type { Observation, WrittenRecord } from './observation.ts';
import { messageOf, type RunInput, settings } from './observe.ts';
import type { Medium, NamedTopology } from './topologies/family.ts';
import type { Step } from './vectors.ts';

/** `stepwise`: each step is processed to its end before the next. `at once`: all lie in the topics before the first is read. */
export type Feeding = 'stepwise' | 'at once';

/** Time stands still, so nobody may be expected to send heartbeats: longer than any run's wall clock. */
const NEVER_MS = 1e9;
/** Turns of the event loop without a new record after which nothing is under way: each hop and each commit takes one or two. */
const QUIET_TURNS = 8;
/** Turns after which a start or an end that waits for a timer gets it. */
const PATIENT_TURNS = 20;
/** A run that takes more turns than this hangs. */
const TURNS_MAX = 20_000;

/** What only the real runtime is told, beyond what the test driver is told too. */
export interface RuntimeRun extends RunInput {
  readonly feeding: Feeding;
  /** Topics outside the topology's own description: those that records choose. */
  readonly moreTopics: readonly string[];
}

/**
 * Runs the steps through `KafkaStreams` on a broker in memory, one partition a topic: a task for each sub-topology, records that cross
 * topics as bytes in batches. All that is written is noted, with the step that caused it (`at once`: step 0).
 */
export async function observeOnRuntime(
  named: Pick<NamedTopology, 'build'>,
  run: RuntimeRun,
  medium: Medium,
): Promise<Observation> {
  const topology = named.build(run.params, medium);
  const instance = new RunningInstance(topology, run);
  try {
    return { records: await instance.play(run.steps, run.feeding) };
  } catch (error) {
    return { error: messageOf(error) };
  } finally {
    await instance.close();
  }
}

/**
 * One instance on a cluster of its own, in a time that stands still.
 *
 * Owns: cluster, clock, instance, temporary state directory. Called by: `observeOnRuntime`.
 * Invariants: I1 between steps nothing is under way; I2 the wall clock moves with steps that say so only (and by one poll for a
 * record of a global table, which the runtime looks for once a poll).
 */
class RunningInstance {
  readonly #clock = new TestClock();
  readonly #cluster = new MemoryCluster({ clock: this.#clock, random: systemRandom });
  readonly #inputs: BrokerProducer;
  readonly #stateDir = mkdtempSync(join(tmpdir(), 'millrace-on-runtime-'));
  readonly #streams: KafkaStreams;
  readonly #globalTopics: ReadonlySet<string>;
  readonly #records: WrittenRecord[] = [];
  #step = 0;

  constructor(topology: Topology, run: RuntimeRun) {
    const resolved = topology.resolve('app');
    this.#globalTopics = new Set(resolved.globalStores.map(({ topic }) => topic));
    for (const topic of externalTopics(resolved, run)) this.#cluster.createTopic(topic, 1);
    const broker = new MemoryBroker({ cluster: this.#cluster, clock: this.#clock });
    this.#inputs = broker.producer({ clientId: 'inputs' });
    this.#streams = new KafkaStreams(topology, {
      applicationId: 'app',
      broker: tapped(broker, (batch) => this.#note(batch)),
      clock: this.#clock,
      stateDir: this.#stateDir,
      commitIntervalMs: 0,
      lingerMs: 0,
      pollMs: 1,
      heartbeatIntervalMs: NEVER_MS,
      sessionTimeoutMs: 2 * NEVER_MS,
      ...settings(run.params),
    });
  }

  async play(steps: readonly Step[], feeding: Feeding): Promise<readonly WrittenRecord[]> {
    if (feeding === 'at once') {
      await this.#produce(steps);
      await this.#untilDone(this.#streams.start());
      await this.#untilIdle();
      return this.#records;
    }
    await this.#untilDone(this.#streams.start());
    await this.#untilIdle();
    for (const [index, step] of steps.entries()) {
      this.#step = index;
      if ('advanceWallClockMs' in step) this.#clock.advance(step.advanceWallClockMs);
      else {
        await this.#produce([step]);
        if (this.#globalTopics.has(step.topic)) this.#clock.advance(1);
      }
      try {
        await this.#untilIdle();
      } catch (error) {
        throw new Error(`step ${index}: ${messageOf(error)}`, { cause: error });
      }
    }
    return this.#records;
  }

  async close(): Promise<void> {
    await this.#untilDone(this.#streams.abandon());
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  /** One batch a topic, so that a whole run is read as one. */
  async #produce(steps: readonly Step[]): Promise<void> {
    const writers = new Map<string, RecordBatchWriter>();
    const pool = new BufferPool(1 << 20);
    for (const step of steps) {
      if ('advanceWallClockMs' in step) throw new RangeError('Wall-clock steps cannot be fed at once');
      let writer = writers.get(step.topic);
      if (writer === undefined) {
        writer = new RecordBatchWriter(step.topic, 0, pool);
        writers.set(step.topic, writer);
      }
      const key = step.key === null ? null : Buffer.from(step.key);
      const value = step.value === null ? null : Buffer.from(step.value);
      writer.append(step.timestamp, key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, []);
    }
    const results = await this.#inputs.produce([...writers.values()].map((writer) => writer.finish('none')));
    for (const { error } of results) if (error !== undefined) throw error;
  }

  async #untilIdle(): Promise<void> {
    let seen = -1;
    for (let turn = 0, quiet = 0; quiet < QUIET_TURNS; turn += 1) {
      await yieldTurn(systemClock);
      if (this.#streams.state === 'ERROR' || this.#streams.failure !== undefined) throw this.#streams.failure;
      const isBehind = [...this.#streams.lag.values()].some((lag) => lag > 0);
      const end = this.#writtenRecords();
      quiet = end === seen && !isBehind && this.#streams.state === 'RUNNING' ? quiet + 1 : 0;
      seen = end;
      if (turn > TURNS_MAX)
        throw new Error(`not idle after ${TURNS_MAX} turns: ${JSON.stringify([...this.#streams.lag])}`);
    }
  }

  #writtenRecords(): number {
    let sum = 0;
    for (const topic of this.#cluster.topics()) sum += this.#cluster.log(topic, 0)?.endOffset ?? 0;
    return sum;
  }

  /** Beginning and end wait for timers now and then; time moves only when nothing else does. */
  async #untilDone(work: Promise<unknown>): Promise<void> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    finished.catch(() => {});
    for (let turn = 1; !done && turn < TURNS_MAX; turn += 1) {
      await yieldTurn(systemClock);
      if (turn % PATIENT_TURNS === 0) this.#clock.advance(1);
    }
    if (!done) throw new Error(`the instance neither started nor stopped within ${TURNS_MAX} turns`);
    await finished;
  }

  #note({ topic, partition, bytes }: EncodedBatch): void {
    const copy = Buffer.from(bytes);
    sealBatch(copy);
    const shared = new SharedBuffer(copy);
    const decoded = new RecordBatchReader().decode(shared, 0, bytes.length, { topic, partition, fromOffset: 0 });
    for (const batch of decoded.batches) {
      const hex = (start: number, end: number) => (start < 0 ? null : batch.buffer.toString('hex', start, end));
      for (let row = 0; row < batch.count; row += 1) {
        const from = batch.headerStarts[row] as number;
        const headers = from < 0 ? [] : decodeHeaders(batch.buffer, from, batch.headerEnds[row] as number);
        this.#records.push({
          step: this.#step,
          topic,
          keyHex: hex(batch.keyStarts[row] as number, batch.keyEnds[row] as number),
          valueHex: hex(batch.valueStarts[row] as number, batch.valueEnds[row] as number),
          timestamp: batch.timestamps[row] as number,
          ...(headers.length === 0
            ? {}
            : { headers: headers.map(({ key, value }) => ({ key, valueHex: value?.toString('hex') ?? null })) }),
        });
      }
    }
  }
}

/** All topics but those that the instance makes itself. */
function externalTopics(resolved: ResolvedTopology, run: RuntimeRun): ReadonlySet<string> {
  const topics = new Set<string>([...run.moreTopics, ...resolved.globalStores.map(({ topic }) => topic)]);
  for (const part of resolved.subTopologies) {
    for (const topic of [...part.sourceTopics, ...part.sinkTopics]) topics.add(topic);
  }
  for (const step of run.steps) if ('topic' in step) topics.add(step.topic);
  for (const topic of topics) if (topic.startsWith('app-')) topics.delete(topic);
  return topics;
}

/** The broker, with what its producers send noted: logs may be purged before anybody reads them. */
function tapped(broker: Broker, note: (batch: EncodedBatch) => void): Broker {
  return {
    admin: () => broker.admin(),
    consumer: (options) => broker.consumer(options),
    groupConsumer: (options) => broker.groupConsumer(options),
    producer(options) {
      const inner = broker.producer(options);
      return {
        produce(batches) {
          for (const batch of batches) note(batch);
          return inner.produce(batches);
        },
        get inFlight() {
          return inner.inFlight;
        },
        transactions: undefined,
        close: () => inner.close(),
      };
    },
    close: () => broker.close(),
  };
}
