/** How records are folded: `count` is followed by a mapping of the numbers to text. */
export type Fold = 'count' | 'reduce' | 'aggregate' | 'aggregate-or-null';
/** Predicates, value mappings and key choices, by name: both interpreters have them. Values and keys are texts or null. */
export type PredicateName = 'a' | 'not-b' | 'x' | 'any';
export type MappingName = 'mark' | 'null-c' | 'key';
export type KeyName = 'first' | 'same' | 'value' | 'all' | 'upper';

export type WindowsOption =
  | { readonly kind: 'time'; readonly size: number; readonly advance: number; readonly grace: number }
  | { readonly kind: 'sliding'; readonly diff: number; readonly grace: number }
  | { readonly kind: 'session'; readonly gap: number; readonly grace: number };

/** Options that any statement may have; what an operator doesn't know it leaves alone. */
export interface StatementOptions {
  readonly topic?: string;
  readonly predicate?: PredicateName;
  readonly mapping?: MappingName;
  readonly by?: KeyName;
  readonly kind?: 'inner' | 'left' | 'outer';
  /** Name of the node, or of the group. */
  readonly name?: string;
  readonly groupName?: string;
  /** Name of the store: the result is materialised. */
  readonly store?: string;
  /** Serdes are given where no store is named. */
  readonly typed?: boolean;
  readonly cached?: boolean;
  readonly logged?: boolean;
  /** The store is a versioned one. */
  readonly history?: number;
  readonly fold?: Fold;
  readonly windows?: WindowsOption;
  readonly retention?: number;
  readonly emitOnClose?: boolean;
  readonly before?: number;
  readonly after?: number;
  readonly grace?: number;
  readonly limit?: number;
  readonly maxRecords?: number;
}

/**
 * One statement: an operator on one or two results of earlier statements.
 *
 * Sources: `stream`, `table`, `globalTable`. Streams: `filter`, `filterNot`, `map`, `mapValues`, `flatMapValues`, `selectKey`, `peek`, `merge`,
 * `split` with `default` (its other branch), `repartition`, `toTable`, `processValues`, `group` (groupBy where `by` is given, and a fold), `window` (the
 * same in windows), `cogroup` (of two streams), `joinTable`, `joinGlobal`, `joinStream`. Tables: `tableFilter`, `tableMapValues`, `tableGroup`, `tableJoin`, `foreignKeyJoin`,
 * `timeLimit`, `toStream`. Windowed tables: `windowClose`, `windowFilter`, `windowGroup`, `windowStream`. `to` writes a stream to a topic.
 */
export interface Statement extends StatementOptions {
  readonly id: number;
  readonly op: string;
  readonly of?: number;
  readonly other?: number;
}

/** A program as data: the same in both engines. */
export interface Program {
  readonly statements: readonly Statement[];
}

/** A program as a reader of a report wants it: a line a statement. */
export function showProgram({ statements }: Program): string {
  return statements
    .map(({ id, op, of, other, ...options }) => {
      const inputs = [of, other].filter((input) => input !== undefined).map((input) => `$${input}`);
      return `  $${id} = ${op}(${inputs.join(', ')}) ${JSON.stringify(options)}`;
    })
    .join('\n');
}
