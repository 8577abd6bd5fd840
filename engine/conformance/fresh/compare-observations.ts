import { compareLists, compareTexts, type Difference } from '../compare.ts';
import { isInternal } from '../decode-outputs.ts';
import type { Observation, WrittenRecord } from '../observation.ts';

/** What is compared besides outputs; a deviation leaves only those. */
export type Depth = 'everything' | 'outputs' | 'newest outputs';

/** How our engine differs from Kafka Streams in one run. */
export function compareObservations(java: Observation, ours: Observation, depth: Depth): Difference[] {
  if (java.error !== undefined || ours.error !== undefined) {
    // Both refuse: the words are each engine's own.
    if (java.error !== undefined && ours.error !== undefined) return [];
    return [{ of: 'error', text: `Kafka Streams: ${java.error ?? 'no error'}\n  ours: ${ours.error ?? 'no error'}` }];
  }
  const [theirRecords, ourRecords] = [java.records ?? [], ours.records ?? []];
  if (depth === 'newest outputs') {
    return compareLists('newest outputs', newestOutputs(theirRecords), newestOutputs(ourRecords), showRecord);
  }
  const outputs = compareLists('outputs', theirRecords.filter(isOutput), ourRecords.filter(isOutput), showRecord);
  if (depth === 'outputs') return outputs;
  const differences = [
    ...compareTexts('describe()', java.describe ?? '', ours.describe ?? ''),
    ...compareTexts('internal topics', java.internalTopics ?? '', ours.internalTopics ?? ''),
    ...outputs,
    ...compareLists('internal records', theirRecords.filter(isInternal), ourRecords.filter(isInternal), showRecord),
  ];
  for (const [name, entries] of Object.entries(java.stores ?? {})) {
    differences.push(...compareLists(`store ${name}`, entries, ours.stores?.[name] ?? []));
  }
  return differences;
}

/** Of each key the last output of each step, in the order of keys. */
function newestOutputs(records: readonly WrittenRecord[]): WrittenRecord[] {
  const newest = new Map<string, WrittenRecord>();
  for (const record of records.filter(isOutput)) newest.set(`${record.step} ${record.topic} ${record.keyHex}`, record);
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
}

function isOutput(record: WrittenRecord): boolean {
  return !isInternal(record);
}

/** A record for a reader: text where the bytes are text. */
export function showRecord({ step, topic, keyHex, valueHex, timestamp, headers }: WrittenRecord): string {
  const rest = headers === undefined ? '' : ` ${headers.map((each) => `${each.key}=${show(each.valueHex)}`).join(' ')}`;
  return `step ${step} ${topic}: ${show(keyHex)} = ${show(valueHex)} @ ${timestamp}${rest}`;
}

function show(hex: string | null): string {
  if (hex === null) return 'null';
  const text = Buffer.from(hex, 'hex').toString('latin1');
  const readable = text.replace(/[^\x20-\x7e]/g, '');
  if (readable === text) return `"${text}"`;
  return readable.length > text.length / 4 ? `0x${hex} (${readable})` : `0x${hex}`;
}
