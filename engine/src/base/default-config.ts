import { tmpdir } from 'node:os';
import { systemClock } from './clock.ts';
import type { AutoOffsetReset, StreamsConfig, StreamsOptions } from './config.ts';
import { StreamsError } from './errors.ts';
import { noMetrics, silentLog } from './metrics.ts';
import { systemRandom } from './random.ts';
import { systemDisk } from './system-disk.ts';

/** A configuration value that can't work: the message names the key and the remedy. Code `CONFIG`, recovery `fail`. */
export class ConfigError extends StreamsError {
  override readonly name = 'ConfigError';
  /** `message` names the key, its value and what to give instead. */
  constructor(message: string) {
    super(message, { code: 'CONFIG', recovery: 'fail' });
  }
}

/**
 * The defaults of all keys that have one, in one table. They are Kafka Streams', with these deviations: `lingerMs` 5
 * instead of 100 (a flush leaves at once when nothing is in flight, so linger only groups what waits behind a request),
 * `batchSizeBytes` 256 KiB instead of 16 (one Produce of the record path), `fetchBytesMax` 8 MiB instead of 50 (batches
 * stay views on the fetched buffer).
 */
export const defaultStreamsConfig: Omit<StreamsConfig, 'applicationId' | 'clientId'> = Object.freeze({
  bootstrapServers: Object.freeze(['localhost:9092']),
  processingGuarantee: 'at_least_once' as const,
  commitIntervalMs: 30_000,
  numStreamThreads: 1,
  numStandbyReplicas: 0,
  stateDir: `${tmpdir()}/millrace`,
  stateCleanupDelayMs: 600_000,
  replicationFactor: -1,
  autoOffsetReset: 'earliest' as const,
  maxTaskIdleMs: 0,
  bufferedRecordsPerPartition: 1_000,
  pollMs: 100,
  metadataMaxAgeMs: 300_000,
  taskTimeoutMs: 300_000,
  groupInstanceId: undefined,
  sessionTimeoutMs: 45_000,
  rebalanceTimeoutMs: 300_000,
  heartbeatIntervalMs: 3_000,
  compressionType: 'none' as const,
  lingerMs: 5,
  batchSizeBytes: 262_144,
  fetchBytesMax: 8_388_608,
  partitionFetchBytesMax: 1_048_576,
  topologyOptimization: 'none' as const,
  statestoreCacheMaxBytes: 10_485_760,
  windowEmitIntervalMs: 1_000,
  outerJoinEmitIntervalMs: 1_000,
  deadLetterQueueTopicName: undefined,
  deserializationExceptionHandler: () => 'fail' as const,
  processingExceptionHandler: () => 'fail' as const,
  productionExceptionHandler: () => 'fail' as const,
  clock: systemClock,
  random: systemRandom,
  disk: systemDisk,
  metrics: noMetrics,
  log: silentLog,
});

const TOPIC_NAME_PATTERN = /^[a-zA-Z0-9._-]{1,200}$/;

/** Keys whose value is a count or duration, with the lowest value that makes sense. */
const NUMBER_BOUNDS: Readonly<Record<string, number>> = {
  commitIntervalMs: 0,
  numStreamThreads: 1,
  numStandbyReplicas: 0,
  replicationFactor: -1,
  maxTaskIdleMs: -1,
  bufferedRecordsPerPartition: 1,
  pollMs: 1,
  metadataMaxAgeMs: 0,
  stateCleanupDelayMs: 1,
  taskTimeoutMs: 0,
  sessionTimeoutMs: 1,
  rebalanceTimeoutMs: 1,
  heartbeatIntervalMs: 1,
  lingerMs: 0,
  batchSizeBytes: 1_024,
  fetchBytesMax: 1_024,
  partitionFetchBytesMax: 1_024,
  statestoreCacheMaxBytes: 0,
  windowEmitIntervalMs: 0,
  outerJoinEmitIntervalMs: 0,
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  processingGuarantee: ['at_least_once', 'exactly_once_v2'],
  compressionType: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
};

/**
 * The options with every default filled in, checked and frozen. Throws {@link ConfigError} that names the key and what to
 * give instead.
 */
export function resolveConfig(options: StreamsOptions): StreamsConfig {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const known = new Set([...Object.keys(defaultStreamsConfig), 'applicationId', 'clientId', 'broker']);
  for (const key of Object.keys(given)) {
    if (!known.has(key)) throw new ConfigError(`Unknown option '${key}'. Known are: ${[...known].sort().join(', ')}.`);
  }
  const { broker: _broker, ...values } = given;
  const config = {
    ...defaultStreamsConfig,
    clientId: options.applicationId,
    ...values,
  } as StreamsConfig & Record<string, unknown>;
  if (typeof config.applicationId !== 'string' || !TOPIC_NAME_PATTERN.test(config.applicationId)) {
    throw new ConfigError(
      `applicationId '${config.applicationId}' must be 1–200 letters, digits, '.', '_' or '-': it prefixes topic names.`,
    );
  }
  for (const [key, lowest] of Object.entries(NUMBER_BOUNDS)) {
    const value = config[key];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < lowest) {
      throw new ConfigError(`${key} is ${String(value)}; give an integer of at least ${lowest}.`);
    }
  }
  for (const [key, allowed] of Object.entries(CHOICES)) {
    if (!allowed.includes(config[key] as string)) {
      throw new ConfigError(`${key} is '${String(config[key])}'; give one of ${allowed.join(', ')}.`);
    }
  }
  if (!isAutoOffsetReset(config.autoOffsetReset)) {
    throw new ConfigError(
      `autoOffsetReset is ${JSON.stringify(config.autoOffsetReset)}; give one of earliest, latest, none, or { byDurationMs } of 0 or more.`,
    );
  }
  if (!Array.isArray(config.bootstrapServers) || config.bootstrapServers.length === 0) {
    throw new ConfigError(`bootstrapServers is empty; give at least one 'host:port'.`);
  }
  if (config.heartbeatIntervalMs * 2 > config.sessionTimeoutMs) {
    throw new ConfigError(
      `heartbeatIntervalMs (${config.heartbeatIntervalMs}) must be at most half of sessionTimeoutMs (${config.sessionTimeoutMs}).`,
    );
  }
  if (config.numStreamThreads > 1) {
    throw new ConfigError(
      `numStreamThreads is ${config.numStreamThreads}; more than one thread is not supported yet. Give 1 and start more instances.`,
    );
  }
  if (config.processingGuarantee === 'exactly_once_v2') {
    throw new ConfigError(`processingGuarantee 'exactly_once_v2' is not supported yet. Give 'at_least_once'.`);
  }
  if (config.numStandbyReplicas > 0) {
    throw new ConfigError(
      `numStandbyReplicas is ${config.numStandbyReplicas}; standbys are not supported yet. Give 0.`,
    );
  }
  return Object.freeze(config);
}

/**
 * Whether a value given by a user is a valid {@link AutoOffsetReset}: users of JavaScript have no compiler that says
 * so.
 */
export function isAutoOffsetReset(value: unknown): value is AutoOffsetReset {
  if (value === 'earliest' || value === 'latest' || value === 'none') return true;
  if (typeof value !== 'object' || value === null || !('byDurationMs' in value)) return false;
  return Number.isSafeInteger(value.byDurationMs) && (value.byDurationMs as number) >= 0;
}
