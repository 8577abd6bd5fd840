import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ApiServer,
  UnavailableError as ApiUnavailableError,
  createApiServer,
  createLiveFeed,
} from '@chip-quality/api';
import { topicSpecs, topics } from '@chip-quality/schemas';
import { CommandGateway, createObjectStore, createTimescaleSink, migrate } from '@chip-quality/sinks';
import {
  buildCatalogTopology,
  buildIdempotencyTopology,
  buildInferenceLanes,
  buildInspectionTopology,
  buildLineYieldTopology,
  buildModelDeploymentTopology,
  buildTimescaleTopology,
  CATALOG_APPLICATION,
  createPlatformSerdes,
  IDEMPOTENCY_APPLICATION,
  INSPECTION_APPLICATION,
  LINE_YIELD_APPLICATION,
  MODEL_DEPLOYMENT_APPLICATION,
  type PlatformSerdes,
  TIMESCALE_APPLICATION,
} from '@chip-quality/topologies';
import {
  avro,
  type Broker,
  connectBroker,
  KafkaStreams,
  type Log,
  SchemaRegistryClient,
  systemClock,
  TopicReader,
  type Topology,
} from 'millrace';
import { Pool } from 'pg';
import type { PlatformConfig } from '../config.ts';
import { type ChosenDetector, imageReader, startDetector } from '../detector/start-detector.ts';
import { suspendCandidateWith } from '../detector/suspend-candidate.ts';
import type { PlatformMetrics } from '../metrics/metrics.ts';
import { DeployedModels } from '../reads/deployed-models.ts';
import { boardView, lineYieldView } from '../reads/live-views.ts';
import { PlatformQueries } from '../reads/platform-queries.ts';
import { isFenced } from './is-fenced.ts';

/** Answers should not wait for a commit; state and offsets follow this soon, so that a restart repeats little. */
const COMMIT_INTERVAL_MS = 100;
/** A dead process without static membership is missed after this long. */
const SESSION_TIMEOUT_MS = 10_000;
/** A page that opens sees the last hour's yield at once. */
const YIELD_HISTORY_MS = 3_600_000;
/** Boards of the last minutes are shown at once, too. */
const BOARD_HISTORY_MS = 120_000;
/** Connections to PostgreSQL: one a sink task, and a few for checks. */
const POOL_SIZE = 12;
const POOL_CONNECT_TIMEOUT_MS = 5_000;
/** Until all applications run after a restart on their data. */
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 20;
/** How soon a detector that is gone shows in the readiness of this process. */
const DETECTOR_POLL_MS = 5_000;
/** Where there is no TimescaleDB, old metrics are deleted by us: this often, this many rows a statement. */
const RETENTION_EVERY_MS = 3_600_000;
const RETENTION_ROWS = 10_000;

const unavailable = (message: string, retryAfterSeconds: number, cause?: unknown): Error =>
  new ApiUnavailableError(message, retryAfterSeconds, cause);

/** Token checks of a local installation; production sets its identity provider's. */
export const TOKEN_ISSUER = 'chip-quality-platform';
export const TOKEN_AUDIENCE = 'chip-quality-api';

/** What a process of the platform runs. One process may run both. */
export interface PlatformRoles {
  /** HTTP API, live page, and the applications whose stores it reads: idempotency, catalog, inspection, model deployment. */
  readonly api: boolean;
  /** Inference, projection into PostgreSQL, line yield. */
  readonly worker: boolean;
}

/**
 * The platform in one process: who is connected to whom.
 *
 * Owns: every connection, application and reader it started.
 * Called by: the entry points (`main.ts`, `api.ts`, `worker.ts`).
 * Invariants: I1 the API listens only when all its applications run; I2 `close` stops in the reverse order, so that whatever was
 * accepted is committed before its target goes away.
 */
export class Platform {
  readonly pool: Pool;
  readonly #config: PlatformConfig;
  readonly #log: Log;
  readonly #metrics: PlatformMetrics;
  readonly #serdes: PlatformSerdes;
  readonly #applications = new Map<string, KafkaStreams>();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #onFatal: (error: Error) => void;
  readonly #startDetector: typeof startDetector;
  #detectorReady = true;
  #api: ApiServer | undefined;

  /** `start`: where what judges comes from. */
  constructor(
    config: PlatformConfig,
    log: Log,
    metrics: PlatformMetrics,
    onFatal: (error: Error) => void,
    start: typeof startDetector = startDetector,
  ) {
    this.#config = config;
    this.#log = log;
    this.#metrics = metrics;
    this.#onFatal = onFatal;
    this.#startDetector = start;
    const registry = new SchemaRegistryClient({ url: config.registryUrl });
    this.#serdes = createPlatformSerdes((schema) => avro(schema, { registry }));
    this.pool = new Pool({
      connectionString: config.databaseUrl,
      max: POOL_SIZE,
      connectionTimeoutMillis: POOL_CONNECT_TIMEOUT_MS,
    });
    // Idle connections break when the server restarts; the next query makes a new one.
    this.pool.on('error', (error) => log.warn({ err: error }, 'An idle PostgreSQL connection broke'));
  }

  /** Brings everything up; resolves with the port of the API (undefined without one) when it all runs. */
  async start(roles: PlatformRoles, ports: readonly number[]): Promise<number | undefined> {
    this.#closers.push(() => this.pool.end());
    const objects = createObjectStore({ ...this.#config.s3, unavailable });
    const [broker] = await Promise.all([
      connectBroker({
        bootstrapServers: this.#config.bootstrapServers,
        clientId: `platform-${this.#config.instanceId}`,
        log: this.#log,
      }),
      migrate(this.pool, this.#log),
      objects.ensureBucket(),
    ]);
    this.#closers.push(() => broker.close());
    await broker.admin().createTopics(topicSpecs);

    const started: Promise<void>[] = [];
    if (roles.worker) {
      this.#applyRetention();
      const detector = await this.#detector(broker);
      const lanes = buildInferenceLanes(this.#serdes, {
        images: objects,
        decode: imageReader(this.#config.inference),
        detector,
        clock: systemClock,
        metrics: this.#metrics.inference,
      });
      const sink = () => createTimescaleSink({ pool: this.pool, name: 'timescale', log: this.#log });
      started.push(
        this.#run(TIMESCALE_APPLICATION, buildTimescaleTopology(this.#serdes, sink)),
        this.#run(LINE_YIELD_APPLICATION, buildLineYieldTopology(this.#serdes)),
        // All lanes read the same topic: one of them reports what can't be read.
        ...lanes.map(({ lane, applicationId, topology }) => this.#run(applicationId, topology, lane === 'normal')),
      );
    }
    let gateway: CommandGateway | undefined;
    if (roles.api) {
      gateway = await this.#gateway(broker);
      started.push(
        this.#run(CATALOG_APPLICATION, buildCatalogTopology(this.#serdes)),
        this.#run(MODEL_DEPLOYMENT_APPLICATION, buildModelDeploymentTopology(this.#serdes)),
        this.#run(INSPECTION_APPLICATION, buildInspectionTopology(this.#serdes)),
        this.#run(IDEMPOTENCY_APPLICATION, buildIdempotencyTopology(this.#serdes)),
      );
    }
    await Promise.all(started);
    if (gateway === undefined) return undefined;
    return this.#listen(gateway, objects, broker, ports);
  }

  /** Records that the applications have not processed yet. */
  get lag(): number {
    let lag = 0;
    for (const streams of this.#applications.values()) for (const value of streams.lag.values()) lag += value;
    return lag;
  }

  async close(): Promise<void> {
    await this.#api?.close();
    await Promise.all([...this.#applications.values()].map((streams) => streams.close()));
    for (const close of this.#closers.reverse()) {
      await close().catch((error: unknown) => this.#log.error({ err: error }, 'Closing failed'));
    }
  }

  /** Until nothing old is left, then again in an hour. */
  #applyRetention(): void {
    const timer = setInterval(() => {
      const once = async (): Promise<void> => {
        const { rows } = await this.pool.query<{ gone: string }>('SELECT apply_retention($1) AS gone', [
          RETENTION_ROWS,
        ]);
        if (Number(rows[0]?.gone ?? 0) > 0) await once();
      };
      once().catch((error: unknown) =>
        this.#log.warn({ err: error }, 'Deleting old metrics failed; tried again in an hour'),
      );
    }, RETENTION_EVERY_MS).unref();
    this.#closers.push(async () => clearInterval(timer));
  }

  async #detector(broker: Broker): Promise<ChosenDetector> {
    const { detector, close } = await this.#startDetector(this.#config, {
      broker,
      serdes: this.#serdes,
      observer: (modelName) => this.#metrics.models(modelName, this.#log),
      suspendCandidate: suspendCandidateWith(this.#config, this.#serdes, this.#log),
      log: this.#log,
    });
    const timer = setInterval(() => {
      void detector.ready().then((ready) => {
        this.#detectorReady = ready;
      });
    }, DETECTOR_POLL_MS).unref();
    this.#closers.push(async () => {
      clearInterval(timer);
      await close();
    });
    return detector;
  }

  async #run(applicationId: string, topology: Topology, deadLetters = true): Promise<void> {
    const streams = new KafkaStreams(topology, {
      applicationId,
      bootstrapServers: this.#config.bootstrapServers,
      stateDir: join(this.#config.stateDirectory, this.#config.instanceId),
      groupInstanceId: `${applicationId}-${this.#config.instanceId}`,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      // Every update of a table is an event of its own to the pages: none may wait for the commit in a cache.
      statestoreCacheMaxBytes: 0,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      autoOffsetReset: 'earliest',
      ...(deadLetters ? { deadLetterQueueTopicName: topics.deadLetters } : {}),
      // A record that can't be read or processed is written to the dead letters with its reason, and the line goes on.
      deserializationExceptionHandler: () => 'continue',
      processingExceptionHandler: () => 'continue',
      log: this.#log,
      metrics: this.#metrics.engine,
    });
    streams.setUncaughtExceptionHandler((error) => {
      // Another process is the same group member: a new thread would only take the partitions back from it, for ever.
      if (isFenced(error)) return 'shutdown-client';
      this.#log.error({ err: error, applicationId }, 'A stream thread failed; replacing it');
      return 'replace-thread';
    });
    streams.onStateChange((state) => {
      if (state === 'ERROR') this.#onFatal(new Error(`${applicationId} failed`, { cause: streams.failure }));
    });
    this.#applications.set(applicationId, streams);
    const timeout = new AbortController();
    const late = sleep(START_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(() => {
      throw new Error(`${applicationId} is ${streams.state} after ${START_TIMEOUT_MS / 1_000} s`);
    });
    late.catch(() => undefined);
    try {
      await Promise.race([streams.start(), late]);
    } finally {
      timeout.abort();
    }
  }

  /** The reader of answers is open before the producer, so that no answer can be missed. */
  async #gateway(broker: Broker): Promise<CommandGateway> {
    let gateway: CommandGateway | undefined;
    const reader = await TopicReader.open({
      broker,
      topic: topics.apiResponses,
      key: this.#serdes.key,
      value: this.#serdes.ApiResponse,
      onRecords: (records) => {
        for (const { value } of records) if (value !== null) gateway?.onReply(value);
      },
      onError: (error, at) => this.#log.warn({ err: error, ...at }, 'Reading answers'),
    });
    this.#closers.push(() => reader.close());
    gateway = new CommandGateway({
      bootstrapServers: this.#config.bootstrapServers,
      clientId: `api-${this.#config.instanceId}`,
      requestSerde: this.#serdes.ApiRequest,
      log: this.#log,
      unavailable,
    });
    const opened = gateway;
    this.#closers.push(() => opened.close());
    await gateway.start();
    return gateway;
  }

  async #listen(
    gateway: CommandGateway,
    objects: ReturnType<typeof createObjectStore>,
    broker: Broker,
    ports: readonly number[],
  ): Promise<number> {
    const live = createLiveFeed();
    const clock = { nowMs: () => Date.now() };
    const onError = (error: Error, at: object): void => this.#log.warn({ err: error, ...at }, 'Reading the live feed');
    const yields = await TopicReader.open({
      broker,
      topic: topics.lineYield,
      key: this.#serdes.key,
      value: this.#serdes.LineYieldEvent,
      from: { timestampMs: clock.nowMs() - YIELD_HISTORY_MS },
      onRecords: (records) => {
        for (const { value } of records) if (value !== null) live.publishYield(value.tenant_id, lineYieldView(value));
      },
      onError,
    });
    const boards = await TopicReader.open({
      broker,
      topic: topics.inspectionLifecycle,
      key: this.#serdes.key,
      value: this.#serdes.InspectionEvent,
      from: { timestampMs: clock.nowMs() - BOARD_HISTORY_MS },
      onRecords: (records) => {
        for (const { value } of records) {
          const view = value === null ? undefined : boardView(value);
          if (value !== null && view !== undefined) live.publishBoard(value.tenant_id, view);
        }
      },
      onError,
    });
    this.#closers.push(
      () => yields.close(),
      () => boards.close(),
    );
    const api = createApiServer({
      ports: {
        gateway,
        queries: new PlatformQueries(
          this.#applications.get(INSPECTION_APPLICATION) as KafkaStreams,
          this.#applications.get(CATALOG_APPLICATION) as KafkaStreams,
        ),
        objects,
        models: new DeployedModels(
          this.#config.modelDirectory,
          this.#applications.get(MODEL_DEPLOYMENT_APPLICATION) as KafkaStreams,
        ),
        live,
        clock,
      },
      auth: {
        issuer: TOKEN_ISSUER,
        audience: TOKEN_AUDIENCE,
        keys: { kind: 'secret', secret: this.#config.jwtSecret },
      },
      log: this.#log,
      metrics: this.#metrics.api,
      notReady: () => [
        ...[...this.#applications].filter(([, { state }]) => state !== 'RUNNING').map(([name]) => name),
        ...(this.#detectorReady ? [] : ['detector']),
      ],
      imageOrigins: [new URL(this.#config.s3.publicEndpoint).origin],
    });
    this.#api = api;
    for (const [index, port] of ports.entries()) {
      try {
        return (await api.listen(port, this.#config.host)).port;
      } catch (error) {
        if (index === ports.length - 1) throw error;
        this.#log.info({ port }, 'The port is taken; trying the next');
        await sleep(POLL_MS);
      }
    }
    throw new Error('no port to listen on');
  }
}
