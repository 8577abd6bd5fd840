import type { SeededRandom } from '../fresh/seeded-random.ts';
import type { Params } from '../topologies/family.ts';
import type {
  Fold,
  KeyName,
  MappingName,
  PredicateName,
  Program,
  Statement,
  StatementOptions,
  WindowsOption,
} from './program.ts';

type Kind = 'stream' | 'table' | 'windowed' | 'global' | 'nothing';

/** Operators between the sources and the sinks of one program. */
const operators = { least: 2, most: 8 };
const folds: readonly Fold[] = ['count', 'reduce', 'aggregate', 'aggregate-or-null'];
const keyNames: readonly KeyName[] = ['first', 'same', 'value', 'all', 'upper'];
const mappingNames: readonly MappingName[] = ['mark', 'null-c', 'key'];
const predicateNames: readonly PredicateName[] = ['a', 'not-b', 'x', 'any'];
const joinKinds = ['inner', 'left', 'outer'] as const;

/** Operators on each kind of result, the interesting ones more often. */
const onStreams = [
  ...[
    'filter',
    'filterNot',
    'map',
    'mapValues',
    'flatMapValues',
    'selectKey',
    'peek',
    'processValues',
    'merge',
    'split',
  ],
  ...['repartition', 'toTable', 'toTable', 'group', 'group', 'group', 'window', 'window', 'cogroup'],
  ...['joinTable', 'joinTable', 'joinGlobal', 'joinStream', 'joinStream'],
];
const onTables = [
  ...[
    'tableFilter',
    'tableFilter',
    'tableMapValues',
    'tableGroup',
    'tableGroup',
    'tableJoin',
    'tableJoin',
    'tableJoin',
  ],
  ...['foreignKeyJoin', 'foreignKeyJoin', 'timeLimit', 'toStream'],
];
const onWindowed = ['windowClose', 'windowFilter', 'windowGroup', 'windowStream', 'windowStream'];

/** A random program and the parameters that it is built with. */
export function randomProgram(random: SeededRandom): { readonly program: Program; readonly params: Params } {
  const optimise = random.chance(0.3) ? 1 : 0;
  const cacheBytes = random.chance(0.25) ? random.pick([200, 600, 100_000]) : 0;
  const statements = new Generator(random).statements();
  return { program: { statements }, params: { optimise, cacheBytes } };
}

/** Owns: the statements so far and what each results in. Called by: `randomProgram`. */
class Generator {
  readonly #random: SeededRandom;
  readonly #statements: Statement[] = [];
  readonly #kinds: Kind[] = [];
  #topics = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  statements(): readonly Statement[] {
    const random = this.#random;
    for (let i = 1 + random.int(3); i > 0; i -= 1)
      this.#source(random.pick(['stream', 'stream', 'table', 'table', 'globalTable']));
    if (this.#all('stream').length + this.#all('table').length === 0) this.#source('stream');
    const count = operators.least + random.int(operators.most - operators.least);
    for (let i = 0; i < count; i += 1) this.#operator();
    this.#sinks();
    return withSerdes(this.#statements);
  }

  #source(op: 'stream' | 'table' | 'globalTable'): number {
    const kind = op === 'globalTable' ? 'global' : op;
    const versioned = op === 'table' ? this.#history() : {};
    const store = op === 'stream' ? {} : { ...this.#store(), ...versioned };
    return this.#add(kind, { op, topic: `in${this.#topics++}`, ...this.#name(0.15), ...store });
  }

  #operator(): void {
    const random = this.#random;
    const usable = [...this.#kinds.keys()].filter((id) =>
      ['stream', 'table', 'windowed'].includes(this.#kinds[id] as Kind),
    );
    // Later results are likelier: programs become deep, not wide.
    const of = random.chance(0.6) ? (usable.at(-1) as number) : random.pick(usable);
    const kind = this.#kinds[of];
    if (kind === 'stream') this.#onStream(of, random.pick(onStreams));
    else if (kind === 'table') this.#onTable(of, random.pick(onTables));
    else this.#onWindowed(of, random.pick(onWindowed));
  }

  #onStream(of: number, op: string): void {
    const random = this.#random;
    const named = this.#name(0.3);
    switch (op) {
      case 'merge':
        return void this.#add('stream', { op, of, other: this.#another('stream', of), ...named });
      case 'split': {
        const id = this.#add('stream', { op, of, ...this.#predicate(), ...named });
        return void this.#add('stream', { op: 'default', of: id });
      }
      case 'toTable':
        return void this.#add('table', { op, of, ...named, ...this.#storeMaybeVersioned() });
      case 'group':
        return void this.#add('table', {
          op,
          of,
          ...this.#by(),
          ...this.#groupName(),
          fold: random.pick(folds),
          ...named,
          ...this.#storeMaybeVersioned(),
        });
      case 'window': {
        const emit = random.chance(0.2) ? { emitOnClose: true, retention: 100_000 } : {};
        const retention = random.chance(0.3) ? { retention: 100_000 } : {};
        const windows = this.#windows();
        return void this.#add('windowed', {
          op,
          of,
          ...this.#by(),
          ...this.#groupName(),
          windows,
          fold: random.pick(folds),
          ...retention,
          ...emit,
          ...named,
          ...this.#store(),
        });
      }
      case 'cogroup':
        return void this.#add('table', {
          op,
          of,
          other: this.#another('stream', of),
          ...this.#groupName(),
          ...named,
          ...this.#store(),
        });
      case 'joinTable':
      case 'joinGlobal':
      case 'joinStream':
        return void this.#onStreamJoin(of, op, named);
      default:
        return void this.#add('stream', {
          op,
          of,
          ...this.#predicate(),
          mapping: random.pick(mappingNames),
          by: random.pick(keyNames),
          ...named,
        });
    }
  }

  #onStreamJoin(of: number, op: string, named: { readonly name?: string }): void {
    const random = this.#random;
    switch (op) {
      case 'joinTable':
        return void this.#add('stream', {
          op,
          of,
          other: this.#another('table', of),
          kind: random.pick(['inner', 'left']),
          ...named,
        });
      case 'joinGlobal':
        return void this.#add('stream', {
          op,
          of,
          other: this.#another('global', of),
          kind: random.pick(['inner', 'left']),
          by: random.pick(keyNames),
          ...named,
        });
      default: {
        const [before, after, grace] = [random.pick([0, 5, 10]), random.pick([0, 5, 10]), random.pick([0, 5, 20])];
        return void this.#add('stream', {
          op,
          of,
          other: this.#another('stream', of),
          kind: random.pick(joinKinds),
          before,
          after,
          grace,
          ...named,
        });
      }
    }
  }

  #onTable(of: number, op: string): void {
    const random = this.#random;
    const named = this.#name(0.3);
    switch (op) {
      case 'tableGroup':
        return void this.#add('table', {
          op,
          of,
          by: random.pick(keyNames),
          mapping: random.pick(mappingNames),
          ...this.#groupName(),
          fold: random.pick(folds),
          ...named,
          ...this.#storeMaybeVersioned(),
        });
      case 'tableJoin':
        return void this.#add('table', {
          op,
          of,
          other: this.#another('table', of),
          kind: random.pick(joinKinds),
          ...named,
          ...this.#store(),
        });
      case 'foreignKeyJoin':
        return void this.#add('table', {
          op,
          of,
          other: this.#another('table', of),
          kind: random.pick(['inner', 'left']),
          ...named,
          ...this.#store(),
        });
      case 'timeLimit':
        return void this.#add('table', {
          op,
          of,
          limit: random.pick([0, 5, 15]),
          maxRecords: random.pick([1, 2, 100]),
          ...named,
        });
      case 'toStream':
        return void this.#add('stream', { op, of, ...named });
      default:
        return void this.#add('table', {
          op,
          of,
          ...this.#predicate(),
          mapping: random.pick(['mark', 'key']),
          ...named,
          ...this.#store(),
        });
    }
  }

  #onWindowed(of: number, op: string): void {
    const random = this.#random;
    const named = this.#name(0.3);
    if (op === 'windowStream') this.#add('stream', { op, of, ...named });
    else if (op === 'windowGroup')
      this.#add('table', { op, of, ...this.#groupName(), fold: random.pick(folds), ...named, ...this.#store() });
    else this.#add('windowed', { op, of, ...this.#predicate(), ...named });
  }

  /** Writes what nobody uses, and now and then something that is used, too. */
  #sinks(): void {
    const used = new Set(this.#statements.flatMap(({ of, other }) => [of, other]));
    let topics = 0;
    for (const id of [...this.#kinds.keys()]) {
      if (used.has(id) && !this.#random.chance(0.15)) continue;
      let stream = id;
      if (this.#kinds[id] === 'table') stream = this.#add('stream', { op: 'toStream', of: id });
      else if (this.#kinds[id] === 'windowed') stream = this.#add('stream', { op: 'windowStream', of: id });
      else if (this.#kinds[id] !== 'stream') continue;
      this.#add('nothing', { op: 'to', of: stream, topic: `out${topics++}`, ...this.#name(0.1) });
    }
  }

  #add(kind: Kind, statement: Omit<Statement, 'id'>): number {
    const id = this.#statements.length;
    this.#statements.push({ id, ...statement });
    this.#kinds.push(kind);
    return id;
  }

  #all(kind: Kind): readonly number[] {
    return [...this.#kinds.keys()].filter((id) => this.#kinds[id] === kind);
  }

  /** A second input of that kind; a new source where there is none, or by chance. */
  #another(kind: 'stream' | 'table' | 'global', than: number): number {
    const others = this.#all(kind).filter((id) => id !== than || this.#random.chance(0.15));
    if (others.length > 0 && !this.#random.chance(0.25)) return this.#random.pick(others);
    return this.#source(kind === 'global' ? 'globalTable' : kind);
  }

  #name(probability: number): { name?: string } {
    return this.#random.chance(probability) ? { name: `n${this.#statements.length}` } : {};
  }

  #groupName(): { groupName?: string } {
    return this.#random.chance(0.25) ? { groupName: `g${this.#statements.length}` } : {};
  }

  #predicate(): { predicate: PredicateName } {
    return { predicate: this.#random.pick(predicateNames) };
  }

  #by(): { by?: KeyName } {
    return this.#random.chance(0.4) ? { by: this.#random.pick(keyNames) } : {};
  }

  #store(): Pick<StatementOptions, 'store' | 'cached' | 'logged'> {
    if (!this.#random.chance(0.45)) return {};
    return {
      store: `s${this.#statements.length}`,
      ...(this.#random.chance(0.3) ? { cached: this.#random.chance(0.5) } : {}),
      ...(this.#random.chance(0.1) ? { logged: false } : {}),
    };
  }

  #history(): Pick<StatementOptions, 'store' | 'history'> {
    if (!this.#random.chance(0.15)) return {};
    return { store: `v${this.#statements.length}`, history: this.#random.pick([10, 100]) };
  }

  #storeMaybeVersioned(): StatementOptions {
    return { ...this.#store(), ...this.#history() };
  }

  #windows(): WindowsOption {
    const random = this.#random;
    const grace = random.pick([0, 5, 20]);
    switch (random.int(4)) {
      case 0:
        return { kind: 'sliding', diff: random.pick([3, 10]), grace };
      case 1:
        return { kind: 'session', gap: random.pick([3, 8]), grace };
      default: {
        const size = random.pick([5, 10, 20]);
        return { kind: 'time', size, advance: random.chance(0.5) ? size : random.pick([3, 5]), grace };
      }
    }
  }
}

/** Operators that need the serdes of the table above, and those that hand them down. */
const needsSerdes = new Set(['timeLimit', 'foreignKeyJoin', 'windowClose']);
const handsDown = new Set(['tableFilter', 'timeLimit', 'tableMapValues', 'tableJoin']);

/**
 * Kafka Streams falls back on the serdes of its configuration, we ask for them: tables get them where something below needs them,
 * others by chance of their number.
 */
function withSerdes(statements: readonly Statement[]): readonly Statement[] {
  const typed = new Set<number>();
  const demand = (id: number | undefined): void => {
    const statement = statements[id ?? -1];
    if (statement === undefined || typed.has(statement.id) || !handsDown.has(statement.op)) return;
    typed.add(statement.id);
    demand(statement.of);
    demand(statement.other);
  };
  for (const { op, of, other } of statements) {
    if (!needsSerdes.has(op)) continue;
    demand(of);
    demand(other);
  }
  return statements.map((each) =>
    typed.has(each.id) || (each.id % 3 === 0 && handsDown.has(each.op)) ? { ...each, typed: true } : each,
  );
}
