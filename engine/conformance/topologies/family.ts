import { type Serde, string, type Topology } from '../../src/index.ts';

/** Parameters of a run: numbers by name. */
export type Params = Readonly<{ [name: string]: number }>;
export type Medium = 'memory' | 'persistent';

/** What a topology writes to its output topics; default: string keys and string values. */
export interface OutputFormat {
  /** `session`: key, end, start; `time`: key and start, with the parameter of this name as the window's length. */
  readonly key?: { readonly kind: 'time'; readonly sizeParam: string } | { readonly kind: 'session' };
  readonly value?: 'string' | 'long';
}

/** Peculiarities of the inputs that a topology can be compared with. */
export interface FreshInputs {
  /** Topics whose values carry foreign keys, `f1:x`. */
  readonly foreignKeys?: readonly string[];
  /** Topics without null keys. */
  readonly keyed?: readonly string[];
}

/** One topology of the comparison: the same name builds the same program in the Java oracle. */
export interface NamedTopology {
  readonly build: (params: Params, store: Medium) => Topology;
  readonly output?: OutputFormat;
  /** Named key-value stores without timestamps; all others have them. */
  readonly plainStores?: readonly string[];
  /** Names of its parameters, for fresh inputs; needed where no vector file shows them. `fresh/parameters.ts` knows their ranges. */
  readonly params?: readonly string[];
  /** Parameters that fresh inputs always have. */
  readonly fixed?: Params;
  /** How fresh inputs look; default: the mix of the vectors. */
  readonly inputs?: FreshInputs;
}

/** Topologies by name. */
export type TopologyFamily = Readonly<{ [name: string]: NamedTopology }>;

export const strings: { readonly key: Serde<string>; readonly value: Serde<string> } = {
  key: string(),
  value: string(),
};

/** Java's string concatenation of a value that may be null. */
export const text = (value: unknown): string => (value === null || value === undefined ? 'null' : String(value));

/** The joiner of all joins here: `left|right`. */
export const joined = (left: unknown, right: unknown): string => `${text(left)}|${text(right)}`;
