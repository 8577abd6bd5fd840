import { join } from 'node:path';
import { sleep, systemClock, yieldTurn } from '../../base/clock.ts';
import type { StreamsConfig, StreamsOptions } from '../../base/config.ts';
import { resolveConfig } from '../../base/default-config.ts';
import { StreamsError } from '../../base/errors.ts';
import { topicPartitionKey } from '../../base/record-batch.ts';
import { systemDisk } from '../../base/system-disk.ts';
import { createAsyncProcessor } from '../../pipeline/create-async-processor.ts';
import { MetricsRegistry, type MetricValue } from '../../runtime/client/metrics-registry.ts';
import { GlobalStoreFiller } from '../../runtime/global/global-store-filler.ts';
import type { SourcePartition } from '../../runtime/task/source-partition.ts';
import { StreamTask } from '../../runtime/task/stream-task.ts';
import { newThreadCache } from '../../runtime/task/task-cache.ts';
import type { Serde } from '../../serde/serde.ts';
import type { KeyValueStore, TimestampedKeyValueStore } from '../../state/key-value-store.ts';
import {
  keyValuesOf,
  timestampedKeyValuesOf,
  timestampedWindowsOf,
  windowsOf,
} from '../../state/queries/timestamps-of-stores.ts';
import type { SessionStore } from '../../state/session-store.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { VersionedKeyValueStore } from '../../state/versioned-store.ts';
import type { TimestampedWindowStore, WindowStore } from '../../state/window-store.ts';
import type { ResolvedTopology, SubTopology } from '../../topology/nodes.ts';
import { checkOptimizationApplied } from '../../topology/optimization.ts';
import { checkOnePattern } from '../../topology/patterns.ts';
import type { Topology } from '../../topology/topology.ts';
import { type CapturedChange, type CapturedRecord, CapturingCollector, singleRecordBatch } from './captured-records.ts';
import { TestClock } from './test-clock.ts';
import { type TestInputTime, TestInputTopic, TestOutputTopic } from './test-topics.ts';

/** Quiet real time after which `settle` moves the test clock to the next timer, when no user call is running. */
const QUIET_TURNS = 3;
/** Real time after which `settle` gives up on a user call that never ends. */
const SETTLE_TIMEOUT_MS = 30_000;

/** Options of the driver: the application's configuration, but for the clock, which is the driver's own. */
export interface TopologyTestDriverOptions extends Partial<Omit<StreamsOptions, 'clock'>> {
  /** Prefix of internal topics and changelogs, which tests may look at. */
  readonly applicationId: string;
  /** Wall clock at the start, epoch ms. Default: 0. */
  readonly initialWallClockMs?: number;
}

/**
 * Runs a topology without a broker: synchronous and deterministic, on the same task and graph as the runtime. Java's
 * `TopologyTestDriver`. Each piped record is processed to completion, internal topics included, and committed. Time
 * stands still until it is advanced. Like Kafka Streams' driver it runs the whole topology as one task, `0_0`, with one
 * partition a topic.
 *
 * Owns: task, global stores, captured records, clock, a temporary state directory. Called by: tests.
 * Invariants: I1 when a call returns nothing synchronous is left to do; I2 what asynchronous operators hold needs
 * `settle`.
 * @example
 * ```ts
 * const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
 * driver.createInputTopic('words', string(), string()).pipeInput('a', 'x', 0);
 * const { key, value } = driver.createOutputTopic('counts', string(), long()).readKeyValue();
 * console.log(key, value, driver.getKeyValueStore<string, number>('counts').get('a'));
 * await driver.close();
 * ```
 */
export class TopologyTestDriver {
  readonly #config: StreamsConfig;
  readonly #clock: TestClock;
  readonly #collector = new CapturingCollector();
  readonly #task: StreamTask | undefined;
  readonly #globals: GlobalStoreFiller[];
  readonly #resolved: ResolvedTopology;
  readonly #outputs = new Map<string, CapturedRecord[]>();
  readonly #produced = new Set<string>();
  readonly #offsets = new Map<string, number>();
  readonly #stateDir: string;
  readonly #metrics: MetricsRegistry;
  #hasMail = false;
  #ready: Promise<void> | undefined;

  /**
   * Starts the topology: opens stores and calls `init` of the processors. Throws `CONFIG` and `TOPOLOGY` as
   * `KafkaStreams` does.
   */
  constructor(topology: Topology, options: TopologyTestDriverOptions) {
    const { initialWallClockMs = 0, ...rest } = options;
    this.#clock = new TestClock(initialWallClockMs);
    this.#stateDir = (rest.disk ?? systemDisk).makeTemporaryFolderSync('millrace-driver-');
    const config = resolveConfig({ stateDir: this.#stateDir, ...rest, clock: this.#clock });
    this.#metrics = new MetricsRegistry(config.metrics);
    this.#config = { ...config, metrics: this.#metrics };
    checkOptimizationApplied(this.#config.topologyOptimization, topology.optimizations);
    this.#resolved = topology.resolve(this.#config.applicationId);
    this.#globals = this.#resolved.globalStores.map(
      (spec) => new GlobalStoreFiller(spec, this.#config, join(this.#stateDir, 'global')),
    );
    const merged = mergeSubTopologies(this.#resolved);
    if (merged.nodes.length === 0) return;
    const task = new StreamTask({
      taskId: '0_0',
      partition: 0,
      subTopology: merged,
      partitions: merged.sourceTopics.map((topic) => ({ topic, partition: 0 })),
      config: { ...this.#config, maxTaskIdleMs: -1 },
      collector: this.#collector,
      stateDirectory: join(this.#stateDir, this.#config.applicationId, '0_0'),
      globalStores: new Map(this.#globals.map((filler) => [filler.stateStore.name, filler.stateStore])),
      cache: newThreadCache(this.#config),
      lagOf: () => 0,
      createAsyncProcessor: (operator, nodeName) =>
        createAsyncProcessor(operator, { clock: this.#clock, random: this.#config.random, nodeName }),
      wake: () => {
        this.#hasMail = true;
      },
    });
    this.#task = task;
    task.initializeStores();
    for (const source of task.sources) task.setPosition(source, 0);
    task.start();
    if (!task.externalSinks.isEmpty) {
      this.#ready = task.externalSinks.open(task.sources, task.taskId).then(() => undefined);
    }
    this.#settleSynchronously();
  }

  /**
   * A topic to pipe records into. `time` says which timestamps records get that are piped without one; default: the
   * wall clock.
   */
  createInputTopic<K, V>(
    topic: string,
    keySerde: Serde<K>,
    valueSerde: Serde<V>,
    time?: TestInputTime,
  ): TestInputTopic<K, V> {
    return new TestInputTopic(topic, keySerde, valueSerde, { nowMs: () => this.#clock.nowMs(), time }, (record) =>
      this.#pipe(record),
    );
  }

  /**
   * A topic to read results from. It has what was written since the start, also before this call, and was not read yet.
   */
  createOutputTopic<K, V>(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>): TestOutputTopic<K, V> {
    return new TestOutputTopic(topic, keySerde, valueSerde, () => this.#outputOf(topic));
  }

  /** Present wall clock, epoch ms. */
  get wallClockMs(): number {
    return this.#clock.nowMs();
  }

  /** Moves the wall clock by so many ms and fires what becomes due, timers first, then punctuators. */
  advanceWallClockTimeMs(byMs: number): void {
    this.#clock.advance(byMs);
    const task = this.#task;
    if (task !== undefined && task.punctuateWallClock(this.#clock.nowMs()) > 0) this.#commit(task);
    this.#settleSynchronously();
  }

  /** Counters and gauges since the start, by Kafka Streams' names. */
  metrics(): readonly MetricValue[] {
    return this.#metrics.snapshot();
  }

  /** Topics that were written since the start, internal ones included. */
  get producedTopicNames(): ReadonlySet<string> {
    return new Set([...this.#produced, ...this.#collector.changelogs.keys()]);
  }

  /** Every record ever written to a changelog topic, as bytes; names are complete (`app-store-changelog`). */
  readChangelog(topic: string): readonly CapturedChange[] {
    return this.#collector.changelogs.get(topic) ?? [];
  }

  /** Takes the raw records of an output topic that were not read yet. */
  readRaw(topic: string): readonly CapturedRecord[] {
    return this.#outputOf(topic).splice(0);
  }

  /** Every store of the topology by its name, global ones included. */
  getAllStateStores(): ReadonlyMap<string, StateStore> {
    const names = [
      ...this.#resolved.subTopologies.flatMap(({ stores }) => stores.map(({ builder }) => builder.name)),
      ...this.#resolved.globalStores.map(({ store }) => store.name),
    ];
    return new Map(names.map((name) => [name, this.getStateStore(name)]));
  }

  /** The store as processors see it. Throws `UNKNOWN_STATE_STORE` for a name that the topology doesn't have. */
  getStateStore<S = StateStore>(name: string): S {
    const store =
      this.#task?.stores.get(name) ?? this.#globals.find((filler) => filler.stateStore.name === name)?.stateStore;
    if (store === undefined) {
      throw new StreamsError(`The topology has no state store '${name}'`, {
        code: 'UNKNOWN_STATE_STORE',
        recovery: 'fail',
      });
    }
    return store as S;
  }

  /**
   * A key-value store; of a table's store it shows the values, and {@link getTimestampedKeyValueStore} shows their
   * timestamps, too.
   */
  getKeyValueStore<K, V>(name: string): KeyValueStore<K, V> {
    return keyValuesOf(this.getStateStore(name));
  }

  /** A table's store: values with their timestamps. Throws `INVALID_STATE_STORE` where the store keeps none. */
  getTimestampedKeyValueStore<K, V>(name: string): TimestampedKeyValueStore<K, V> {
    return timestampedKeyValuesOf(this.getStateStore(name));
  }

  /**
   * A window store; of a windowed table's it shows the values, and {@link getTimestampedWindowStore} shows their
   * timestamps, too.
   */
  getWindowStore<K, V>(name: string): WindowStore<K, V> {
    return windowsOf(this.getStateStore(name));
  }

  /**
   * A windowed table's store: values with their timestamps. Throws `INVALID_STATE_STORE` where the store keeps none.
   */
  getTimestampedWindowStore<K, V>(name: string): TimestampedWindowStore<K, V> {
    return timestampedWindowsOf(this.getStateStore(name));
  }

  /** A session store. Throws `UNKNOWN_STATE_STORE` for a name that the topology doesn't have. */
  getSessionStore<K, V>(name: string): SessionStore<K, V> {
    return this.getStateStore(name);
  }

  /** A versioned store. Throws `UNKNOWN_STATE_STORE` for a name that the topology doesn't have. */
  getVersionedKeyValueStore<K, V>(name: string): VersionedKeyValueStore<K, V> {
    return this.getStateStore(name);
  }

  /**
   * Lets asynchronous operators finish: flushes waiting batches, awaits user calls, and moves the test clock to their
   * next timer (a retry's backoff) when nothing else can happen. Also commits external sinks. Rejects with `TIMEOUT`
   * after 30 s of real time.
   * @example
   * ```ts
   * const driver = new TopologyTestDriver(topology, { applicationId: 'app' });
   * driver.createInputTopic('orders', string(), json<Order>()).pipeInput('1', { id: '1', customerId: 'c', amount: 5 });
   * await driver.settle();
   * console.log(driver.createOutputTopic('scored-orders', string(), json()).readValuesToList());
   * ```
   */
  async settle(): Promise<void> {
    const task = this.#task;
    if (task === undefined) return;
    await this.#ready;
    const giveUpMs = systemClock.monotonicMs() + SETTLE_TIMEOUT_MS;
    let quiet = 0;
    for (;;) {
      this.#settleSynchronously();
      if (!task.externalSinks.isEmpty) await this.#commitExternalSinks(task);
      if (task.asyncRecords.pending === 0 && !task.asyncRecords.hasMail && task.group.size === 0) return;
      task.asyncRecords.flush();
      task.asyncRecords.completeBundles();
      if (task.asyncRecords.callsInFlight > 0) await sleep(systemClock, 1);
      else await yieldTurn(systemClock);
      if (this.#hasMail) {
        quiet = 0;
        continue;
      }
      quiet += 1;
      const nextTimerMs = this.#clock.nextTimerMs;
      if (quiet > QUIET_TURNS && task.asyncRecords.callsInFlight === 0 && nextTimerMs !== undefined) {
        this.#clock.advance(Math.max(0, nextTimerMs - this.#clock.nowMs()));
        quiet = 0;
      }
      if (systemClock.monotonicMs() > giveUpMs) {
        throw new StreamsError(
          `settle() gave up: ${task.asyncRecords.pending} records are still held by asynchronous operators`,
          {
            code: 'TIMEOUT',
            recovery: 'fail',
          },
        );
      }
    }
  }

  /** Closes processors and stores and removes the state directory. Awaiting it is needed only with external sinks. */
  async close(): Promise<void> {
    for (const filler of this.#globals) filler.close();
    try {
      await this.#task?.close();
    } finally {
      this.#config.disk.removeSync(this.#stateDir);
    }
  }

  #outputOf(topic: string): CapturedRecord[] {
    let records = this.#outputs.get(topic);
    if (records === undefined) {
      records = [];
      this.#outputs.set(topic, records);
    }
    return records;
  }

  /** A topic that only a pattern knows gets its queue with its first record. */
  #joinPattern(topic: string): void {
    const task = this.#task;
    if (task === undefined || task.sources.some((source) => this.#reads(source, topic))) return;
    const patterns = this.#resolved.subTopologies.flatMap((subTopology) =>
      subTopology.nodes.filter((node) => node.type === 'source' && node.pattern?.test(topic)),
    );
    if (patterns.length === 0) return;
    checkOnePattern(topic, patterns);
    task.setPosition(task.addPartition({ topic, partition: 0 }), 0);
  }

  #pipe(record: CapturedRecord): void {
    this.#joinPattern(record.topic);
    const global = this.#enqueue(record);
    if (!global && !this.#task?.sources.some((source) => this.#reads(source, record.topic))) {
      const known = [...this.#resolved.subTopologies.flatMap((subTopology) => subTopology.sourceTopics)].join(', ');
      throw new RangeError(`The topology reads no topic '${record.topic}'. It reads: ${known || 'none'}.`);
    }
    this.#settleSynchronously();
  }

  /** Hands a record to everyone who reads its topic; true when a global store does. */
  #enqueue(record: CapturedRecord): boolean {
    const key = topicPartitionKey(record.topic, 0);
    const offset = this.#offsets.get(key) ?? 0;
    this.#offsets.set(key, offset + 1);
    let global = false;
    for (const filler of this.#globals) {
      if (filler.topic !== record.topic) continue;
      filler.apply(singleRecordBatch(record, offset));
      global = true;
    }
    const task = this.#task;
    const source = task?.sources.find((candidate) => this.#reads(candidate, record.topic));
    if (task !== undefined && source !== undefined) {
      source.queue.add(singleRecordBatch(record, offset));
      source.queue.advanceFetched(offset + 1);
    }
    return global;
  }

  #reads(source: SourcePartition, topic: string): boolean {
    return source.topic === topic;
  }

  /** Processes all that can be processed without waiting, with a commit after each record as in Kafka Streams' driver. */
  #settleSynchronously(): void {
    const task = this.#task;
    if (task === undefined) return;
    this.#hasMail = false;
    for (;;) {
      this.#loopBack();
      if (!task.processOne()) {
        if (this.#collector.sent.length > 0) continue;
        if (task.asyncRecords.hasMail) {
          task.runMailbox();
          this.#commit(task);
          continue;
        }
        return;
      }
      this.#commit(task);
    }
  }

  #commit(task: StreamTask): void {
    if (!task.externalSinks.isEmpty) return;
    let committed = false;
    try {
      task.beginCommit(true);
      task.stores.commit((topic) => this.#collector.changelogs.get(topic)?.length, true);
      committed = true;
    } finally {
      task.endCommit(committed);
    }
  }

  async #commitExternalSinks(task: StreamTask): Promise<void> {
    let committed = false;
    try {
      await task.externalSinks.commit(task.beginCommit(true).positions);
      committed = true;
    } finally {
      task.endCommit(committed);
    }
  }

  /** Captures what was sent and feeds it back where the topology itself reads it. */
  #loopBack(): void {
    while (this.#collector.sent.length > 0) {
      const sent = this.#collector.sent;
      this.#collector.sent = [];
      for (const record of sent) {
        this.#produced.add(record.topic);
        this.#outputOf(record.topic).push(record);
        this.#enqueue(record);
      }
    }
  }
}

/** Kafka Streams' driver runs one task over the whole graph; so does this one. */
function mergeSubTopologies(resolved: ResolvedTopology): SubTopology {
  const { subTopologies } = resolved;
  return {
    id: 0,
    nodes: subTopologies.flatMap((subTopology) => subTopology.nodes),
    stores: subTopologies.flatMap((subTopology) => subTopology.stores),
    sourceTopics: subTopologies.flatMap((subTopology) => subTopology.sourceTopics),
    sinkTopics: subTopologies.flatMap((subTopology) => subTopology.sinkTopics),
    repartitionSourceTopics: subTopologies.flatMap((subTopology) => subTopology.repartitionSourceTopics),
    internalTopics: subTopologies.flatMap((subTopology) => subTopology.internalTopics),
    copartitionGroups: subTopologies.flatMap((subTopology) => subTopology.copartitionGroups),
  };
}
