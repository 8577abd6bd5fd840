import { StreamsError } from '../base/errors.ts';
import type { RecordMetadata, TimestampExtractor } from './processor.ts';
import type { Record } from './record.ts';

/**
 * Takes the record's own timestamp; a negative one is an `INVALID_TIMESTAMP` error, about which the deserialization
 * exception handler decides. What sources do that say nothing else. Java's `FailOnInvalidTimestamp`.
 */
export const failOnInvalidTimestamp: TimestampExtractor = {
  extract(record, metadata) {
    if (record.timestamp >= 0) return record.timestamp;
    throw invalidTimestamp(record, metadata);
  },
};

/**
 * Takes the record's own timestamp; a record with a negative one is skipped and counted. Java's
 * `LogAndSkipOnInvalidTimestamp`, without the line in the log.
 */
export const logAndSkipOnInvalidTimestamp: TimestampExtractor = { extract: (record) => record.timestamp };

/**
 * Takes the record's own timestamp; instead of a negative one the highest of the partition so far. Without any it is an
 * `INVALID_TIMESTAMP` error. Java's `UsePartitionTimeOnInvalidTimestamp`.
 */
export const usePartitionTimeOnInvalidTimestamp: TimestampExtractor = {
  extract(record, metadata, partitionTimeMs) {
    if (record.timestamp >= 0) return record.timestamp;
    if (partitionTimeMs < 0) throw invalidTimestamp(record, metadata);
    return partitionTimeMs;
  },
};

/**
 * Takes the wall clock at the time of processing: results then depend on when records were processed. Java's
 * `WallclockTimestampExtractor`.
 */
export const wallclockTimestampExtractor: TimestampExtractor = {
  extract: (_record, _metadata, _partitionTimeMs, systemTimeMs) => systemTimeMs,
};

function invalidTimestamp(record: Record<unknown, unknown>, metadata: RecordMetadata): StreamsError {
  const at = `${metadata.topic}-${metadata.partition}@${metadata.offset}`;
  return new StreamsError(
    `The record at ${at} has the negative timestamp ${record.timestamp}; give the source a timestampExtractor that finds a time or skips it, such as logAndSkipOnInvalidTimestamp`,
    { code: 'INVALID_TIMESTAMP', recovery: 'fail' },
  );
}
