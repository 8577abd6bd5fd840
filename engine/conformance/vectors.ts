import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Params } from './topologies/family.ts';

/** One expected record of a topic, as the vectors write it. */
export interface ExpectedOutput {
  readonly step: number;
  readonly topic: string;
  readonly key: string | null;
  readonly windowStart?: number;
  readonly windowEnd?: number;
  readonly value: string | number | null;
  readonly timestamp: number;
}

export type Step =
  | { readonly topic: string; readonly key: string | null; readonly value: string | null; readonly timestamp: number }
  | { readonly advanceWallClockMs: number };

export interface StoreEntry {
  readonly key: string;
  readonly value: string | number;
  readonly timestamp?: number;
}

export interface Run {
  readonly topology: string;
  readonly name?: string;
  readonly run?: number;
  readonly params: Params;
  readonly steps: readonly Step[];
  readonly outputs: readonly ExpectedOutput[];
  readonly stores: { readonly [name: string]: readonly StoreEntry[] };
  /** Only in the binary vectors: what went to internal topics. */
  readonly internal?: readonly {
    readonly step: number;
    readonly topic: string;
    readonly keyHex: string | null;
    readonly valueHex: string | null;
    readonly timestamp: number | null;
    readonly headers?: readonly { readonly key: string; readonly valueHex: string | null }[];
  }[];
}

const folder = join(import.meta.dirname, 'vectors');

/** Whether Kafka Streams' answers are kept under this path. */
export function hasVector(path: string): boolean {
  return existsSync(join(folder, path));
}

export function vectorText(path: string): string {
  return readFileSync(join(folder, path), 'utf8');
}

export function vectorRuns(file: string): readonly Run[] {
  return (JSON.parse(vectorText(file)) as { runs: Run[] }).runs;
}

export function binaryRun(topology: string): Run {
  return JSON.parse(vectorText(`binary/${topology}.0.json`)) as Run;
}
