import { type BackoffBounds, backoffMs } from './base/backoff.ts';
import { sleep, systemClock } from './base/clock.ts';
import type { StreamsConfig, StreamsOptions } from './base/config.ts';
import { resolveConfig } from './base/default-config.ts';
import { StreamsError } from './base/errors.ts';
import { silentLog } from './base/metrics.ts';
import { systemRandom } from './base/random.ts';
import type { Broker } from './broker/broker.ts';
import { partitionForBytes } from './broker/partitioner.ts';
import { KeyValueStoreView } from './query/key-value-store-view.ts';
import { LocalStores, notRunning } from './query/local-stores.ts';
import { SessionStoreView } from './query/session-store-view.ts';
import { VersionedStoreView } from './query/versioned-store-view.ts';
import { WindowStoreView } from './query/window-store-view.ts';
import { ensureTopics, type TopicLayout } from './runtime/assignment/internal-topics.ts';
import { configureSerdes } from './runtime/client/configure-serdes.ts';
import { MetricsRegistry, type MetricValue } from './runtime/client/metrics-registry.ts';
import { type StateListener, StreamsLifecycle, type StreamsState } from './runtime/client/streams-state.ts';
import { AtLeastOnce } from './runtime/commit/at-least-once.ts';
import { StateDirectory } from './runtime/directory/state-directory.ts';
import { GlobalState } from './runtime/global/global-state.ts';
import type { RestoreProgress } from './runtime/restore/changelog-reader.ts';
import { StreamThread } from './runtime/thread/stream-thread.ts';
import type { Serde } from './serde/serde.ts';
import type { AsyncReadOnlyKeyValueStore, ValueAndTimestamp } from './state/key-value-store.ts';
import type { AsyncReadOnlySessionStore } from './state/session-store.ts';
import type { AsyncReadOnlyVersionedKeyValueStore } from './state/versioned-store.ts';
import type { AsyncReadOnlyWindowStore } from './state/window-store.ts';
import type { ResolvedTopology } from './topology/nodes.ts';
import { checkOptimizationApplied } from './topology/optimization.ts';
import type { Topology } from './topology/topology.ts';

/** What happens after an error that no recovery heals, as the uncaught exception handler decides. */
export type UncaughtExceptionResponse =
  /**
   * The thread ends without a commit, and after a wait another one takes over its work from the last commit. The
   * wait is half a second at most and doubles with each replacement in a row, up to a minute. For errors that pass
   * by themselves: one that every record brings up again comes back each time.
   */
  | 'replace-thread'
  /**
   * This instance stops without a commit and ends in `ERROR`, with the error as its `failure`; the others take over
   * its partitions.
   */
  | 'shutdown-client'
  /**
   * Stops this instance, as `shutdown-client` does. Kafka Streams stops all instances of the application, which the
   * group protocol here can't tell them to do: each instance that meets the error stops by itself.
   */
  | 'shutdown-application';

/**
 * Decides about an error that no recovery heals, and that has ended the stream thread; one that throws counts as
 * `shutdown-client`. Java's `StreamsUncaughtExceptionHandler`.
 */
export type UncaughtExceptionHandler = (error: Error) => UncaughtExceptionResponse;

/**
 * What a {@link KafkaStreams} runs with: `applicationId`, and whatever of the configuration should differ from its
 * default.
 */
export interface KafkaStreamsOptions extends StreamsOptions {
  /**
   * The cluster as an object of the program's own, such as one of {@link connectBroker} that several instances share,
   * or a cluster in memory. It is not closed by `close`.
   * No counterpart in Kafka Streams: Java's `KafkaClientSupplier` makes clients one by one.
   *
   * @defaultValue `undefined`: a connection of this instance's own to `bootstrapServers`
   */
  readonly broker?: Broker;
}

/** Where a key of a store lives. */
export interface KeyQueryMetadata {
  /** Partition of the store, and of the topics that it is filled from. */
  readonly partition: number;
  /** The task that holds this partition: number of the sub-topology, `_`, partition. */
  readonly taskId: string;
  /** This instance owns it now. */
  readonly isLocal: boolean;
}

/** Waits before a replaced thread starts; earlier failures are forgotten once it ran as long as the longest. */
const REPLACE_BACKOFF: BackoffBounds = { minMs: 500, maxMs: 60_000 };
/** How long `close` waits unless told otherwise: longer than draining may take. */
const CLOSE_TIMEOUT_MS_DEFAULT = 60_000;

/** Where a broker is, and the ports it uses; all but the addresses have defaults. */
export type BrokerConnectionOptions = Pick<StreamsConfig, 'bootstrapServers' | 'clientId'> &
  Partial<Pick<StreamsConfig, 'clock' | 'random' | 'log'>>;

/** A broker for {@link TopicReader}s and administration, or to be shared by several `KafkaStreams`. The caller closes it. */
export async function connectBroker(options: BrokerConnectionOptions): Promise<Broker> {
  const { createWireBroker } = await import('./broker/wire/wire-broker.ts');
  const { clock = systemClock, random = systemRandom, log = silentLog } = options;
  return createWireBroker({ ...options, clock, random, log });
}

/**
 * Runs a topology against a Kafka cluster: joins the group of its application id, restores state, processes, commits.
 *
 * Owns: broker (unless given), global stores, one stream thread. Called by: applications.
 * Invariants: I1 `state` moves only along Kafka Streams' table; I2 `start` and `close` do their work once.
 *
 * @example
 * ```ts
 * const app = new KafkaStreams(topology, { applicationId: 'orders', bootstrapServers: ['localhost:9092'] });
 * await app.start(); // RUNNING: every assigned task has restored its stores
 * process.once('SIGTERM', () => {
 *   void app.close(); // commits, and leaves the group
 * });
 * ```
 */
export class KafkaStreams {
  readonly #config: StreamsConfig;
  readonly #resolved: ResolvedTopology;
  readonly #givenBroker: Broker | undefined;
  readonly #lifecycle: StreamsLifecycle;
  readonly #metrics: MetricsRegistry;
  readonly #processId: string;
  readonly #stateDirectory: StateDirectory;
  readonly #stores: LocalStores;
  #broker: Broker | undefined;
  #global: GlobalState | undefined;
  #layout: TopicLayout | undefined;
  #thread: StreamThread | undefined;
  #threadNumber = 0;
  #replacements = 0;
  #threadStartedMs = 0;
  #handler: UncaughtExceptionHandler = () => 'shutdown-client';
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  /** Checks options and topology; no I/O. Throws ConfigError or TopologyError. */
  constructor(topology: Topology, options: KafkaStreamsOptions) {
    const config = resolveConfig(options);
    this.#lifecycle = new StreamsLifecycle(config.log);
    this.#metrics = new MetricsRegistry(config.metrics);
    this.#config = Object.freeze({ ...config, metrics: this.#metrics });
    checkOptimizationApplied(config.topologyOptimization, topology.optimizations);
    this.#resolved = topology.resolve(config.applicationId);
    this.#givenBroker = options.broker;
    this.#processId = config.random.uuid();
    this.#stateDirectory = new StateDirectory(this.#config, this.#processId);
    this.#stores = new LocalStores(this.#resolved, {
      applicationId: config.applicationId,
      state: () => this.state,
      global: () => this.#global,
      tasks: () => (this.#thread?.tasks ?? []).toSorted((a, b) => a.partition - b.partition),
    });
  }

  /** Where the instance is in its life. Stores can be read in `RUNNING` and `REBALANCING`. */
  get state(): StreamsState {
    return this.#lifecycle.state;
  }

  /** Why the instance is in `ERROR`, or on its way there; undefined otherwise. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Calls `listener` with each new state and the one before it, in order; an error that it throws is logged and changes
   * nothing. Answers a function that ends the listening.
   */
  onStateChange(listener: StateListener): () => void {
    return this.#lifecycle.listen(listener);
  }

  /**
   * Says what follows an error that nothing heals. Without a handler it is `shutdown-client`. Throws `INVALID_STATE`
   * after `start`.
   *
   * @example
   * ```ts
   * streams.setUncaughtExceptionHandler((error) => {
   *   return error instanceof StreamsError && error.code === 'TASK_TIMEOUT' ? 'replace-thread' : 'shutdown-client';
   * });
   * ```
   */
  setUncaughtExceptionHandler(handler: UncaughtExceptionHandler): void {
    if (this.state !== 'CREATED') {
      throw new StreamsError(`The uncaught exception handler is set before start(), not while ${this.state}`, {
        code: 'INVALID_STATE',
        recovery: 'fail',
      });
    }
    this.#handler = handler;
  }

  /**
   * Creates internal topics, fills global stores, joins the group; resolves when RUNNING. Rejects when that is impossible (missing
   * topics, no broker), with the instance in ERROR.
   */
  async start(): Promise<void> {
    this.#lifecycle.to('REBALANCING');
    try {
      this.#broker = this.#givenBroker ?? (await this.#connect());
      this.#layout = await ensureTopics(this.#resolved, this.#config, this.#broker.admin());
      await configureSerdes(this.#resolved);
      this.#global = new GlobalState(this.#resolved.globalStores, this.#config, this.#broker);
      await this.#global.fill();
      if (this.state !== 'REBALANCING') {
        // Closed meanwhile, perhaps before all of this was there.
        await this.#release();
        return;
      }
      if (this.#resolved.subTopologies.length === 0) this.#lifecycle.to('RUNNING');
      else await this.#startThread();
    } catch (error) {
      await this.#die(error as Error);
      await this.#release();
      throw error;
    }
    const reached = await this.#lifecycle.reached(['RUNNING', 'NOT_RUNNING', 'ERROR']);
    if (reached === 'ERROR') throw this.#failure;
  }

  /**
   * Finishes what is in flight, commits, leaves the group. Resolves when stopped, at the latest after `timeoutMs`: then
   * whatever was not committed will be processed again by others. Called again, it answers the same promise.
   */
  close(
    options: {
      /** How long the work of closing may take, ms. Default: 60 000. */
      readonly timeoutMs?: number;
    } = {},
  ): Promise<void> {
    this.#closed ??= this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS_DEFAULT);
    return this.#closed;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (!this.#lifecycle.tryTo('PENDING_SHUTDOWN')) {
      await this.#lifecycle.reached(['NOT_RUNNING', 'ERROR']);
      await this.#release();
      return;
    }
    const { clock, log } = this.#config;
    let timer: { cancel(): void } | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = clock.setTimer(timeoutMs, () => resolve('late'));
    });
    const work = (async (): Promise<'done'> => {
      await this.#thread?.stop(true);
      await this.#release();
      return 'done';
    })();
    try {
      if ((await Promise.race([work, late])) === 'late') {
        log.warn({ timeoutMs }, 'Closing took too long; what was not committed will be processed again');
        work.catch((error: unknown) => log.error({ err: error }, 'Closing failed after its deadline'));
      }
    } finally {
      timer?.cancel();
      this.#lifecycle.to('NOT_RUNNING');
    }
  }

  /**
   * Removes the local state of this application, so that the next start restores it from the changelogs: before `start`, or after
   * `close`. What other instances on the same `stateDir` hold stays. Throws `INVALID_STATE` while this instance runs.
   */
  cleanUp(): void {
    if (!(['CREATED', 'NOT_RUNNING', 'ERROR'] as const).some((state) => state === this.state)) {
      throw new StreamsError(`Local state is removed before start() or after close(), not while ${this.state}`, {
        code: 'INVALID_STATE',
        recovery: 'fail',
      });
    }
    this.#stateDirectory.cleanUp();
  }

  /** @internal For tests of crashes: stops without commit, as a killed process would, but leaves the group at once. */
  async abandon(): Promise<void> {
    this.#lifecycle.tryTo('PENDING_SHUTDOWN');
    await this.#thread?.stop(false);
    await this.#release();
    this.#lifecycle.tryTo('NOT_RUNNING');
  }

  /**
   * A read-only view of a key-value store over all partitions of this instance, global stores included. Each read is a
   * message to the tasks that hold it, answered between two records: see {@link AsyncReadOnlyKeyValueStore}. The view
   * outlives rebalances. Of a table's store it shows the values; {@link timestampedKeyValueStore} shows their
   * timestamps, too.
   *
   * Throws `UNKNOWN_STATE_STORE`, or `INVALID_STATE_STORE` for a store of another kind.
   *
   * @example
   * ```ts
   * const totals = streams.keyValueStore<string, number>('totals');
   * const total = await totals.get('customer-1'); // undefined where the key is not here
   * for await (const { key, value } of totals.range('a', 'b')) console.log(key, value, total);
   * ```
   */
  keyValueStore<K, V>(name: string): AsyncReadOnlyKeyValueStore<K, V> {
    return new KeyValueStoreView<K, V>(this.#stores.door(name, 'key-value'), false);
  }

  /**
   * A view of a table's store, as {@link keyValueStore}, whose values come with the timestamps that the table keeps
   * beside them, epoch ms: those of the changes that it forwards. Throws what {@link keyValueStore} throws.
   */
  timestampedKeyValueStore<K, V>(name: string): AsyncReadOnlyKeyValueStore<K, ValueAndTimestamp<V>> {
    return new KeyValueStoreView<K, ValueAndTimestamp<V>>(this.#stores.door(name, 'key-value'), true);
  }

  /**
   * One view of a key-value store for each partition that is here now, for programs that merge ordered ranges
   * themselves: within a partition keys come in byte order, over several they don't. A view reads its partition until
   * that moves to another instance. Stores of one sub-topology have their partitions in the same order. Throws what
   * {@link keyValueStore} throws, and `INVALID_STATE_STORE` (recovery `retry`) where no partition is here.
   */
  keyValueStorePartitions<K, V>(name: string): readonly AsyncReadOnlyKeyValueStore<K, V>[] {
    const door = this.#stores.door(name, 'key-value');
    return door.holders().map((holder) => new KeyValueStoreView<K, V>({ ...door, holders: () => [holder] }, false));
  }

  /**
   * A view of a window store, over all partitions of this instance: windows of one key by their starts, or of many keys
   * by time. Of a windowed table it shows the values without their timestamps. Throws `UNKNOWN_STATE_STORE`, or
   * `INVALID_STATE_STORE` for a store of another kind.
   *
   * @example
   * ```ts
   * const perMinute = streams.windowStore<string, number>('per-minute');
   * const nowMs = Date.now();
   * for await (const { key: startMs, value } of perMinute.fetch('line-1', nowMs - 60 * minuteMs, nowMs)) {
   *   console.log(new Date(startMs), value);
   * }
   * ```
   */
  windowStore<K, V>(name: string): AsyncReadOnlyWindowStore<K, V> {
    return new WindowStoreView<K, V>(this.#stores.door(name, 'window'), false);
  }

  /**
   * A view of a windowed table's store, as {@link windowStore}, whose values come with the timestamps that the table
   * keeps beside them: the latest time of the records in the window, epoch ms.
   */
  timestampedWindowStore<K, V>(name: string): AsyncReadOnlyWindowStore<K, ValueAndTimestamp<V>> {
    return new WindowStoreView<K, ValueAndTimestamp<V>>(this.#stores.door(name, 'window'), true);
  }

  /**
   * A view of a session store, over all partitions of this instance: sessions of one key, or of a range of keys. Throws
   * `UNKNOWN_STATE_STORE`, or `INVALID_STATE_STORE` for a store of another kind.
   */
  sessionStore<K, V>(name: string): AsyncReadOnlySessionStore<K, V> {
    return new SessionStoreView<K, V>(this.#stores.door(name, 'session'));
  }

  /**
   * A view of a versioned store, over all partitions of this instance: the value of a key now, as of a time, or all
   * that counted in a stretch of time. Throws `UNKNOWN_STATE_STORE`, or `INVALID_STATE_STORE` for a store of another
   * kind.
   *
   * @example
   * ```ts
   * const prices = streams.versionedKeyValueStore<string, number>('prices');
   * const yesterday = await prices.get('bread', Date.now() - 24 * 60 * minuteMs);
   * console.log(yesterday?.value);
   * ```
   */
  versionedKeyValueStore<K, V>(name: string): AsyncReadOnlyVersionedKeyValueStore<K, V> {
    return new VersionedStoreView<K, V>(this.#stores.door(name, 'versioned'));
  }

  /**
   * A view of a store whose kind the program doesn't know: what {@link keyValueStore}, {@link windowStore}, {@link
   * sessionStore} or {@link versionedKeyValueStore} would answer. Throws `UNKNOWN_STATE_STORE`.
   */
  store<S = unknown>(name: string): S {
    const kind = this.#stores.kindOf(name);
    if (kind === 'session') return this.sessionStore(name) as S;
    if (kind === 'versioned') return this.versionedKeyValueStore(name) as S;
    return (kind === 'window' ? this.windowStore(name) : this.keyValueStore(name)) as S;
  }

  /**
   * Which partition of a store holds a key, by the default partitioner, and whether that partition is here. `keySerde`
   * writes the key as the store's source topic has it. Throws `UNKNOWN_STATE_STORE`, and `INVALID_STATE_STORE`
   * (recovery `retry`) before the start has seen the topics.
   */
  queryMetadataForKey<K>(storeName: string, key: K, keySerde: Serde<K>): KeyQueryMetadata {
    const subTopology = this.#stores.subTopologyOf(storeName);
    const layout = this.#layout;
    if (layout === undefined) throw notRunning(this.state);
    const count = Math.max(1, ...subTopology.sourceTopics.map((topic) => layout.partitionCounts.get(topic) ?? 0));
    const bytes = keySerde.serialize(key, subTopology.sourceTopics[0] ?? '');
    const partition = partitionForBytes(bytes, 0, bytes.length, count);
    const taskId = `${subTopology.id}_${partition}`;
    return { partition, taskId, isLocal: this.#thread?.tasks.some((task) => task.taskId === taskId) ?? false };
  }

  /** Records per source partition (`topic-partition`) that are on the broker and not yet processed here. */
  get lag(): ReadonlyMap<string, number> {
    return this.#thread?.lag() ?? new Map();
  }

  /**
   * How far the changelogs are that are being restored into stores of this instance: a task runs as soon as its own are
   * restored. Empty once all tasks run. Kafka Streams: `allLocalStorePartitionLags` comes nearest.
   */
  get restoring(): readonly RestoreProgress[] {
    return this.#thread?.restoring ?? [];
  }

  /**
   * The tasks that this instance owns: `RUNNING` from the end of restoring until they are closed. Kafka Streams:
   * `metadataForLocalThreads`.
   */
  get tasks(): readonly {
    /** Number of the sub-topology, `_`, partition. */
    readonly taskId: string;
    /**
     * `CREATED`, `RESTORING` or `RUNNING`, and `FAILED` or `CLOSED` for a moment before another task takes its place.
     */
    readonly state: string;
  }[] {
    return (this.#thread?.tasks ?? []).map(({ taskId, isStarted, state }) => ({
      taskId,
      state: isStarted ? 'RUNNING' : state,
    }));
  }

  /**
   * Counters and gauges since the start, by Kafka Streams' names; what goes to the metrics port goes here as well, but
   * for observed durations and sizes.
   */
  metrics(): readonly MetricValue[] {
    return this.#metrics.snapshot();
  }

  #connect(): Promise<Broker> {
    const { bootstrapServers, clientId, clock, random, log } = this.#config;
    return connectBroker({ bootstrapServers, clientId, clock, random, log });
  }

  async #startThread(): Promise<void> {
    this.#threadNumber += 1;
    this.#threadStartedMs = this.#config.clock.monotonicMs();
    const { clientId } = this.#config;
    const thread = new StreamThread({
      threadId: `${clientId}-${this.#processId}-StreamThread-${this.#threadNumber}`,
      config: this.#config,
      resolved: this.#resolved,
      layout: this.#layout as TopicLayout,
      broker: this.#broker as Broker,
      global: this.#global as GlobalState,
      globalStores: (this.#global as GlobalState).stores,
      stateDirectory: this.#stateDirectory,
      createCommitProtocol: (options) => new AtLeastOnce(options),
      onReadiness: (ready) => {
        if (this.#thread !== thread) return;
        if (ready) this.#lifecycle.tryTo('RUNNING');
        else if (this.state === 'RUNNING') this.#lifecycle.to('REBALANCING');
      },
      onFailure: (error) => this.#threadFailed(thread, error),
    });
    this.#thread = thread;
    await thread.start();
  }

  #threadFailed(thread: StreamThread, error: Error): void {
    if (this.#thread !== thread || this.state === 'PENDING_SHUTDOWN' || this.state === 'NOT_RUNNING') return;
    const { log } = this.#config;
    let response: UncaughtExceptionResponse = 'shutdown-client';
    try {
      response = this.#handler(error);
    } catch (failure) {
      log.error({ err: failure }, 'The uncaught exception handler failed; shutting down');
    }
    if (response === 'replace-thread') {
      void this.#replaceThread().catch((failure: Error) => this.#die(failure));
      return;
    }
    // Other instances are told by the group protocol once assignments carry user data; until then each shuts itself down.
    void this.#die(error);
  }

  async #replaceThread(): Promise<void> {
    const { clock, log, random } = this.#config;
    if (this.state === 'RUNNING') this.#lifecycle.to('REBALANCING');
    if (clock.monotonicMs() - this.#threadStartedMs > REPLACE_BACKOFF.maxMs) this.#replacements = 0;
    this.#replacements += 1;
    const delayMs = backoffMs(this.#replacements, REPLACE_BACKOFF, random);
    log.warn({ delayMs, replacements: this.#replacements }, 'Replacing the stream thread');
    await sleep(clock, delayMs);
    if (this.state !== 'REBALANCING') return;
    await this.#startThread();
  }

  /** PENDING_ERROR, then ERROR. Never rejects. */
  async #die(error: Error): Promise<void> {
    if (!this.#lifecycle.tryTo('PENDING_ERROR')) return;
    this.#failure = error;
    try {
      await this.#thread?.stop(false);
      await this.#release();
    } catch (failure) {
      this.#config.log.error({ err: failure }, 'Shutting down after an error failed');
    }
    this.#lifecycle.to('ERROR');
  }

  async #release(): Promise<void> {
    const global = this.#global;
    this.#global = undefined;
    await global?.close();
    await this.#stateDirectory.settled();
    const broker = this.#broker;
    this.#broker = undefined;
    if (broker !== undefined && broker !== this.#givenBroker) await broker.close();
  }
}
