import type { Header } from '../../base/record-batch.ts';
import type { RecordCollector } from './record-collector.ts';

/** The input record that failed, with its bytes as they were fetched. */
export interface FailedRecord {
  /** Topic that it was read from. */
  readonly topic: string;
  /** Partition that it was read from. */
  readonly partition: number;
  /** Its place there. */
  readonly offset: number;
  /** Null where it has none. */
  readonly key: Buffer | null;
  /** Null for a tombstone. */
  readonly value: Buffer | null;
  /** Its own. */
  readonly headers: readonly Header[];
  /** Epoch ms; the dead letter has the same. */
  readonly timestampMs: number;
}

/**
 * Writes a failed input record to the dead letter queue with Kafka Streams' headers (KIP-1034). Unlike there, the record's own
 * headers come first: without them it could not be replayed as it was.
 */
export function sendDeadLetter(collector: RecordCollector, topic: string, record: FailedRecord, error: Error): void {
  const headers: Header[] = [
    ...record.headers,
    header('exception', String(error)),
    header('stacktrace', error.stack ?? ''),
    header('message', error.message),
    header('topic', record.topic),
    header('partition', String(record.partition)),
    header('offset', String(record.offset)),
  ];
  collector.output(topic).sendRaw(record.key, record.value, record.timestampMs, headers);
}

function header(name: string, text: string): Header {
  return { key: `__streams.errors.${name}`, value: Buffer.from(text) };
}
