import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
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
  readonly seed?: number;
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

/** A folder with answers of Kafka Streams, in the shape of `engine/conformance/vectors`. */
export class VectorFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  has(path: string): boolean {
    return existsSync(join(this.#path, path));
  }

  text(path: string): string {
    return readFileSync(join(this.#path, path), 'utf8');
  }

  /** The files with runs: one for each topology, and the boundary cases. */
  files(): readonly string[] {
    return readdirSync(this.#path)
      .filter((name) => name.endsWith('.json'))
      .sort();
  }

  runs(file: string): readonly Run[] {
    return (JSON.parse(this.text(file)) as { runs: Run[] }).runs;
  }

  binaryRun(topology: string): Run {
    return JSON.parse(this.text(`binary/${topology}.0.json`)) as Run;
  }

  /** Topologies whose description is kept. */
  described(): readonly string[] {
    return this.texts('describe').filter((name) => !name.endsWith('.internal-topics'));
  }

  /** Names of the texts in a folder of this one. */
  texts(folder: string): readonly string[] {
    if (!this.has(folder)) return [];
    return readdirSync(join(this.#path, folder))
      .filter((name) => name.endsWith('.txt'))
      .map((name) => basename(name, '.txt'))
      .sort();
  }
}

/** The answers that the repository keeps. */
export const keptVectors: VectorFolder = new VectorFolder(join(import.meta.dirname, 'vectors'));

/** Whether Kafka Streams' answers are kept under this path. */
export function hasVector(path: string): boolean {
  return keptVectors.has(path);
}

export function vectorText(path: string): string {
  return keptVectors.text(path);
}
