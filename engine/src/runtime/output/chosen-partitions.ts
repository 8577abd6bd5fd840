import { StreamsError } from '../../base/errors.ts';
import type { StreamPartitioner } from '../../processor/processor.ts';

/** What a partitioner chose: one partition, several, or undefined for the default. Throws for one that doesn't exist. */
export function chosenPartitions(
  partitioner: StreamPartitioner<unknown, unknown>,
  topic: string,
  key: unknown,
  value: unknown,
  partitionCount: number,
): number | readonly number[] | undefined {
  const chosen = partitioner(topic, key, value, partitionCount);
  if (typeof chosen === 'number') checkPartition(chosen, topic, partitionCount);
  else if (chosen !== undefined) {
    for (const partition of chosen) checkPartition(partition, topic, partitionCount);
    // A set in Kafka Streams: each partition gets the record once.
    return [...new Set(chosen)];
  }
  return chosen;
}

function checkPartition(partition: number, topic: string, partitionCount: number): void {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) return;
  throw new StreamsError(
    `A partitioner chose partition ${partition} of topic '${topic}', which has ${partitionCount}: answer 0 to ${partitionCount - 1}, or undefined for the default`,
    { code: 'PRODUCTION', recovery: 'fail' },
  );
}
