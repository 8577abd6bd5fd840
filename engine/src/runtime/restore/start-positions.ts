import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { BrokerAdmin, OffsetAndMetadata } from '../../broker/broker.ts';
import type { SourcePartition } from '../task/source-partition.ts';

/**
 * Where each source partition of a task goes on, by `topic-partition`: what an external sink holds before what was committed, and
 * where there is neither, what `reset` answers.
 */
export async function startPositions(
  sources: readonly SourcePartition[],
  committed: ReadonlyMap<string, OffsetAndMetadata>,
  external: ReadonlyMap<string, number>,
  reset: (source: SourcePartition) => Promise<number>,
): Promise<ReadonlyMap<string, OffsetAndMetadata>> {
  const positions = new Map<string, OffsetAndMetadata>();
  for (const source of sources) {
    const stored = committed.get(source.key);
    const override = external.get(source.key);
    if (override !== undefined) positions.set(source.key, { offset: override, metadata: stored?.metadata ?? '' });
    else if (stored !== undefined && stored.offset >= 0) positions.set(source.key, stored);
    else positions.set(source.key, { offset: await reset(source), metadata: '' });
  }
  return positions;
}

/**
 * Where a partition begins that has no valid offset: repartition topics (`internalTopics`) at their beginning, since what lies there
 * is this application's, others as the source or the application says. Rejects with OFFSET_OUT_OF_RANGE under `none`.
 */
export async function resetOffset(
  source: SourcePartition,
  internalTopics: readonly string[],
  config: StreamsConfig,
  admin: BrokerAdmin,
): Promise<number> {
  const isInternal = internalTopics.includes(source.topic);
  const policy = isInternal ? 'earliest' : (source.node.spec.autoOffsetReset ?? config.autoOffsetReset);
  if (policy === 'none') {
    throw new StreamsError(
      `${source.key} has no valid committed offset and autoOffsetReset is 'none'; reset the application's offsets or choose 'earliest' or 'latest'`,
      { code: 'OFFSET_OUT_OF_RANGE', recovery: 'fail' },
    );
  }
  if (typeof policy === 'object') {
    const timestampMs = Math.max(0, config.clock.nowMs() - policy.byDurationMs);
    const found = await admin.offsetsForTimes([{ topic: source.topic, partition: source.partition, timestampMs }]);
    const offset = found.get(source.key);
    if (offset !== undefined) return offset;
  }
  const offsets = policy === 'earliest' ? await admin.beginningOffsets([source]) : await admin.endOffsets([source]);
  return offsets.get(source.key) ?? 0;
}
