import { TopologyError } from '../../base/errors.ts';

/** One thing that the user could have named and did not: any of a store, its changelog and a repartition topic. */
export interface ImplicitName {
  /** The store's name. */
  readonly store?: string;
  /** Name of its changelog, without the application id. */
  readonly changelog?: string;
  /** Name of a repartition topic, without the application id. */
  readonly repartition?: string;
}

/** Generated names of what outlives the program; they shift when operations are added or removed. */
export class ImplicitNames {
  readonly #names: ImplicitName[] = [];

  /** Notes a name that was generated because the user gave none. */
  add(name: ImplicitName): void {
    this.#names.push(name);
  }

  /** What was generated so far, in order. */
  get all(): readonly ImplicitName[] {
    return this.#names;
  }
}

/** Throws a TopologyError that lists all generated names, by kind, as Kafka Streams does (KIP-1111). */
export function checkExplicitNames(names: ImplicitNames): void {
  const of = (kind: keyof ImplicitName): string[] => [
    ...names.all.map((name) => name[kind]).filter((name) => name !== undefined),
  ];
  const lines: string[] = [];
  for (const [kind, what] of [
    ['changelog', 'changelog topic(s)'],
    ['store', 'state store(s)'],
    ['repartition', 'repartition topic(s)'],
  ] as const) {
    const list = of(kind);
    if (list.length > 0) lines.push(`Following ${what} has not been named: ${list.join(', ')}`);
  }
  if (lines.length === 0) return;
  throw new TopologyError(
    `${lines.join('\n')}\nGive stores a name in materialized (or storeName), repartition topics one in the options of groupBy, join or repartition.`,
  );
}
