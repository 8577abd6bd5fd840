import { type BackoffBounds, backoffMs } from './base/backoff.ts';
import { sleep, systemClock } from './base/clock.ts';
import type { StreamsConfig, StreamsOptions } from './base/config.ts';
import { resolveConfig } from './base/default-config.ts';
import { StreamsError } from './base/errors.ts';
import { noMetrics, silentLog } from './base/metrics.ts';
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
export type UncaughtExceptionResponse = 'replace-thread' | 'shutdown-client' | 'shutdown-application';

export type UncaughtExceptionHandler = (error: Error) => UncaughtExceptionResponse;

export interface KafkaStreamsOptions extends StreamsOptions {
  /** Default: a connection of its own to `bootstrapServers`. A given broker is not closed by `close`. */
  readonly broker?: Broker;
}

/** Where a key of a store lives. */
export interface KeyQueryMetadata {
  readonly partition: number;
  readonly taskId: string;
  /** This instance owns it now. */
  readonly isLocal: boolean;
}

/** Waits before a replaced thread starts; earlier failures are forgotten once it ran as long as the longest. */
const replaceBackoff: BackoffBounds = { minMs: 500, maxMs: 60_000 };
/** How long `close` waits unless told otherwise: longer than draining may take. */
const closeTimeoutMsDefault = 60_000;

/** Where a broker is, and the ports it uses; all but the addresses have defaults. */
export type BrokerConnectionOptions = Pick<StreamsConfig, 'bootstrapServers' | 'clientId'> &
  Partial<Pick<StreamsConfig, 'clock' | 'random' | 'log' | 'metrics'>>;

/** A broker for {@link TopicReader}s and administration, or to be shared by several `KafkaStreams`. The caller closes it. */
export async function connectBroker(options: BrokerConnectionOptions): Promise<Broker> {
  const { createWireBroker } = await import('./broker/wire/wire-broker.ts');
  const { clock = systemClock, random = systemRandom, log = silentLog, metrics = noMetrics } = options;
  return createWireBroker({ ...options, clock, random, log, metrics });
}

/**
 * Runs a topology against a Kafka cluster: joins the group of its application id, restores state, processes, commits.
 *
 * ```ts
 * const streams = new KafkaStreams(topology, { applicationId: 'app', bootstrapServers: ['localhost:9092'] });
 * await streams.start();   // RUNNING
 * await streams.close();   // commits and leaves the group
 * ```
 *
 * Owns: broker (unless given), global stores, one stream thread. Called by: applications.
 * Invariants: I1 `state` moves only along Kafka Streams' table; I2 `start` and `close` do their work once.
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

  get state(): StreamsState {
    return this.#lifecycle.state;
  }

  /** Why the instance is in ERROR. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Returns a function that ends the listening. */
  onStateChange(listener: StateListener): () => void {
    return this.#lifecycle.listen(listener);
  }

  /** Decides about errors that nothing heals. Default: `shutdown-client`. Before `start`. */
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
   * Finishes what is in flight, commits, leaves the group. Resolves when stopped, at the latest after `timeoutMs`: then whatever was
   * not committed will be processed again by others.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(options.timeoutMs ?? closeTimeoutMsDefault);
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
   */
  keyValueStore<K, V>(name: string): AsyncReadOnlyKeyValueStore<K, V> {
    return new KeyValueStoreView<K, V>(this.#stores.door(name, 'key-value'), false);
  }

  /** The same as {@link keyValueStore}, with the timestamps that tables keep beside their values. */
  timestampedKeyValueStore<K, V>(name: string): AsyncReadOnlyKeyValueStore<K, ValueAndTimestamp<V>> {
    return new KeyValueStoreView<K, ValueAndTimestamp<V>>(this.#stores.door(name, 'key-value'), true);
  }

  /**
   * The same as {@link keyValueStore}, one view per partition that is here now, for merging ordered ranges. A view
   * reads its partition until it moves. Stores of one sub-topology have their partitions in the same order. Throws
   * `INVALID_STATE_STORE` (recovery `retry`) too where none is here.
   */
  keyValueStorePartitions<K, V>(name: string): readonly AsyncReadOnlyKeyValueStore<K, V>[] {
    const door = this.#stores.door(name, 'key-value');
    return door.holders().map((holder) => new KeyValueStoreView<K, V>({ ...door, holders: () => [holder] }, false));
  }

  /** The same as {@link keyValueStore} for a window store. */
  windowStore<K, V>(name: string): AsyncReadOnlyWindowStore<K, V> {
    return new WindowStoreView<K, V>(this.#stores.door(name, 'window'), false);
  }

  /** The same as {@link windowStore}, with the timestamps that windowed tables keep beside their values. */
  timestampedWindowStore<K, V>(name: string): AsyncReadOnlyWindowStore<K, ValueAndTimestamp<V>> {
    return new WindowStoreView<K, ValueAndTimestamp<V>>(this.#stores.door(name, 'window'), true);
  }

  /** The same as {@link keyValueStore} for a session store. */
  sessionStore<K, V>(name: string): AsyncReadOnlySessionStore<K, V> {
    return new SessionStoreView<K, V>(this.#stores.door(name, 'session'));
  }

  /** The same as {@link keyValueStore} for a versioned store. */
  versionedKeyValueStore<K, V>(name: string): AsyncReadOnlyVersionedKeyValueStore<K, V> {
    return new VersionedStoreView<K, V>(this.#stores.door(name, 'versioned'));
  }

  /** {@link keyValueStore}, {@link windowStore} or another, as the store is. */
  store<S = unknown>(name: string): S {
    const kind = this.#stores.kindOf(name);
    if (kind === 'session') return this.sessionStore(name) as S;
    if (kind === 'versioned') return this.versionedKeyValueStore(name) as S;
    return (kind === 'window' ? this.windowStore(name) : this.keyValueStore(name)) as S;
  }

  /** Which partition of a store holds a key, by the default partitioner, and whether that partition is here. */
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

  /** Ids of the tasks that this instance owns, with their states: RUNNING from the end of restoring until they are closed. */
  get tasks(): readonly { readonly taskId: string; readonly state: string }[] {
    return (this.#thread?.tasks ?? []).map(({ taskId, isStarted, state }) => ({
      taskId,
      state: isStarted ? 'RUNNING' : state,
    }));
  }

  /** Counters and gauges since the start, by Kafka Streams' names; also sent to the metrics port. */
  metrics(): readonly MetricValue[] {
    return this.#metrics.snapshot();
  }

  #connect(): Promise<Broker> {
    const { bootstrapServers, clientId, clock, random, log, metrics } = this.#config;
    return connectBroker({ bootstrapServers, clientId, clock, random, log, metrics });
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
    if (clock.monotonicMs() - this.#threadStartedMs > replaceBackoff.maxMs) this.#replacements = 0;
    this.#replacements += 1;
    const delayMs = backoffMs(this.#replacements, replaceBackoff, random);
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
