import type { StoreBuilder } from '../state/state-store.ts';
import type { InternalTopicSpec } from './nodes.ts';

/** A changelog of windows is kept this much longer than its store, against clock drift (`windowstore.changelog.additional.retention.ms`). */
export const ADDITIONAL_RETENTION_MS_DEFAULT = 86_400_000;

/** Small segments, so that processed records of a repartition topic can be purged soon. */
const REPARTITION_SEGMENT_BYTES = 52_428_800;

/** The broker may not overwrite record timestamps: they are event times and store timestamps. */
const CREATE_TIME = { 'message.timestamp.type': 'CreateTime' } as const;

/** `<store>-changelog` */
export function changelogTopicName(applicationId: string, storeName: string): string {
  return `${applicationId}-${storeName}-changelog`;
}

/** The changelog of a store with the configuration that Kafka Streams gives it; `loggingConfig` of the store wins. */
export function changelogTopicSpec(store: StoreBuilder, additionalRetentionMs: number): InternalTopicSpec {
  return {
    name: `${store.name}-changelog`,
    kind: 'changelog',
    partitions: undefined,
    configs: { ...CREATE_TIME, ...changelogConfigs(store, additionalRetentionMs), ...store.loggingConfig },
  };
}

function changelogConfigs(store: StoreBuilder, additionalRetentionMs: number): Readonly<Record<string, string>> {
  const retention = { 'retention.ms': retentionText((store.retentionMs ?? 0) + additionalRetentionMs) };
  switch (store.kind) {
    case 'key-value':
    case 'buffer':
      return { 'cleanup.policy': 'compact' };
    case 'window':
    case 'session':
      return { 'cleanup.policy': store.retainDuplicates === true ? 'delete' : 'compact,delete', ...retention };
    case 'versioned':
      return {
        'cleanup.policy': 'compact',
        'min.compaction.lag.ms': String((store.retentionMs ?? 0) + additionalRetentionMs),
      };
  }
}

/** Windows without end are kept for ever: Java's highest number. */
function retentionText(ms: number): string {
  return ms > Number.MAX_SAFE_INTEGER ? '9223372036854775807' : String(ms);
}

/** A repartition topic: deleted by purging only, never by time. */
export function repartitionTopicSpec(name: string, partitions: number | undefined): InternalTopicSpec {
  return {
    name,
    kind: 'repartition',
    partitions,
    configs: {
      ...CREATE_TIME,
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'segment.bytes': String(REPARTITION_SEGMENT_BYTES),
    },
  };
}
