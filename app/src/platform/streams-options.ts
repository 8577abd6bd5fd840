import { join } from 'node:path';
import type { AnyFlow } from '@chip-quality/topologies';
import type { KafkaStreamsOptions, Log, Metrics } from 'millrace';
import type { PlatformConfig } from '../config.ts';

/** Answers should not wait for a commit; state and offsets follow this soon, so that a restart repeats little. */
const COMMIT_INTERVAL_MS = 100;
/** A dead process without static membership is missed after this long. */
const SESSION_TIMEOUT_MS = 10_000;

/** What of a process goes into the options of its applications. */
export type StreamsProcess = Pick<PlatformConfig, 'bootstrapServers' | 'stateDirectory' | 'instanceId'>;

/** Options of a flow's application: the platform's defaults, then what the flow wants otherwise, then what belongs to the process. */
export function streamsOptions(
  flow: Pick<AnyFlow, 'id' | 'deadLetters' | 'options'>,
  { bootstrapServers, stateDirectory, instanceId }: StreamsProcess,
  ports: { readonly log: Log; readonly metrics: Metrics },
): KafkaStreamsOptions {
  return {
    commitIntervalMs: COMMIT_INTERVAL_MS,
    // Every update of a table is an event of its own to the pages: none may wait for the commit in a cache.
    statestoreCacheMaxBytes: 0,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    autoOffsetReset: 'earliest',
    // A record that can't be read or processed is written to the dead letters with its reason, and the line goes on.
    deserializationExceptionHandler: () => 'continue',
    processingExceptionHandler: () => 'continue',
    ...flow.options,
    ...('topic' in flow.deadLetters ? { deadLetterQueueTopicName: flow.deadLetters.topic } : {}),
    applicationId: flow.id,
    bootstrapServers,
    stateDir: join(stateDirectory, instanceId),
    groupInstanceId: `${flow.id}-${instanceId}`,
    ...ports,
  };
}
