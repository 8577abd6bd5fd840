import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BinaryKey, binaryKey } from '../../src/base/bytes.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type MetricTags, noMetrics, silentLog } from '../../src/base/metrics.ts';
import type { Header, RecordBatch } from '../../src/base/record-batch.ts';
import { systemDisk } from '../../src/base/system-disk.ts';
import type { StateStoreContext } from '../../src/state/state-store.ts';

export interface LoggedChange {
  readonly store: string;
  readonly key: BinaryKey;
  readonly value: string | null;
  /** -1 where the producer's wall clock would be taken. */
  readonly timestampMs: number;
  readonly headers?: readonly Header[];
}

/** A task's context with a folder of its own and a changelog that only remembers. */
export class StoreFixture {
  readonly stateDirectory = mkdtempSync(join(tmpdir(), 'millrace-store-'));
  readonly changes: LoggedChange[] = [];
  readonly gauges = new Map<string, number>();
  readonly counted: { name: string; tags: MetricTags; delta: number }[] = [];
  timestampMs = 0;

  readonly context: StateStoreContext = {
    applicationId: 'app',
    taskId: '0_0',
    stateDirectory: this.stateDirectory,
    disk: systemDisk,
    clock: systemClock,
    metrics: {
      ...noMetrics,
      count: (name, tags, delta) => this.counted.push({ name, tags, delta }),
      gauge: (name, _tags, value) => this.gauges.set(name, value),
    },
    log: silentLog,
    timestampMs: () => this.timestampMs,
    logChange: (store, key, value, timestampMs, headers) => {
      const change = { store, key, value: value === null ? null : value.latin1Slice(), timestampMs: timestampMs ?? -1 };
      this.changes.push(headers === undefined ? change : { ...change, headers });
    },
  };

  remove(): void {
    rmSync(this.stateDirectory, { recursive: true, force: true });
  }
}

export interface ChangelogRow {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestampMs?: number;
}

/** A batch as the changelog consumer hands it over; keys and values are latin1. */
export function changelogBatch(rows: readonly ChangelogRow[], firstOffset = 0): RecordBatch {
  const count = rows.length;
  const columns = () => new Int32Array(count).fill(-1);
  const batch = {
    topic: 'app-store-changelog',
    partition: 0,
    count,
    buffer: Buffer.from(rows.map((row) => (row.key ?? '') + (row.value ?? '')).join(''), 'latin1'),
    offsets: Float64Array.from(rows, (_, row) => firstOffset + row),
    timestamps: Float64Array.from(rows, (row) => row.timestampMs ?? 0),
    keyStarts: columns(),
    keyEnds: columns(),
    valueStarts: columns(),
    valueEnds: columns(),
    headerStarts: columns(),
    headerEnds: columns(),
    release: () => undefined,
  };
  let position = 0;
  rows.forEach((row, index) => {
    if (row.key !== null) {
      batch.keyStarts[index] = position;
      position += row.key.length;
      batch.keyEnds[index] = position;
    }
    if (row.value !== null) {
      batch.valueStarts[index] = position;
      position += row.value.length;
      batch.valueEnds[index] = position;
    }
  });
  return batch;
}

/** Text (latin1) as a key. */
export function keyOf(text: string): BinaryKey {
  return binaryKey(Buffer.from(text, 'latin1'));
}

export function bytesFor(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function keyOfHex(hex: string): BinaryKey {
  return binaryKey(Buffer.from(hex, 'hex'));
}

export { bytesOf } from '../../src/base/bytes.ts';
