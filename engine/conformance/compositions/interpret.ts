import {
  BufferConfig,
  EmitStrategy,
  type GlobalKTable,
  JoinWindows,
  type Record as KafkaRecord,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  Suppressed,
  TimeWindows,
  type Topology,
  type Windowed,
} from '../../src/index.ts';
import { type Medium, type Params, strings, text } from '../topologies/family.ts';
import { append, joinedShort, keyChoices, mappings, predicates } from './functions.ts';
import type { Program, Statement } from './program.ts';

type Text = string;
type Stream = KStream<Text, Text>;
type Table = KTable<Text, Text>;
type WindowedTable = KTable<Windowed<Text>, Text>;
type Result = Stream | Table | WindowedTable | GlobalKTable<Text, Text> | undefined;

/** Builds a program that is given as data: the twin of the oracle's `Composition`. */
export function interpret(program: Program, params: Params, medium: Medium): Topology {
  const interpreter = new Interpreter(medium);
  for (const statement of program.statements) interpreter.run(statement);
  return interpreter.builder.build(params['optimise'] === 1 ? { topologyOptimization: 'all' } : {});
}

/** What a statement makes, by the name of its operator. */
type Operators = Readonly<Record<string, (s: Statement) => Result>>;

const named = ({ name }: Statement) => (name === undefined ? {} : { name });

const groupNamed = ({ groupName }: Statement) => (groupName === undefined ? {} : { name: groupName });

const predicateOf = (s: Statement) => predicates[s.predicate ?? 'any'];

const mappingOf = (s: Statement) => mappings[s.mapping ?? 'mark'] as (key: unknown, value: Text) => Text;

const choiceOf = (s: Statement) => keyChoices[s.by ?? 'same'] as (key: Text, value: Text) => Text;

/** Owns: the results so far. Called by: `interpret`. Invariant: a statement uses results of earlier ones only. */
class Interpreter {
  readonly builder: StreamsBuilder = new StreamsBuilder();
  readonly #medium: Medium;
  readonly #results = new Map<number, Result>();
  readonly #defaults = new Map<number, Stream>();

  constructor(medium: Medium) {
    this.#medium = medium;
  }

  run(statement: Statement): void {
    const operator = this.#operators[statement.op];
    if (operator === undefined) throw new RangeError(`There is no operator '${statement.op}'.`);
    this.#results.set(statement.id, operator(statement));
  }

  readonly #sources: Operators = {
    stream: (s) => this.builder.stream(s.topic as string, { ...strings, ...named(s) }),
    table: (s) => this.builder.table(s.topic as string, { ...strings, ...named(s), ...this.#kept(s, true) }),
    globalTable: (s) =>
      this.builder.globalTable(s.topic as string, { ...strings, ...named(s), ...this.#kept(s, true) }),
  };

  readonly #ofStreams: Operators = {
    filter: (s) => this.#stream(s).filter(predicateOf(s), named(s)),
    filterNot: (s) => this.#stream(s).filterNot(predicateOf(s), named(s)),
    map: (s) => {
      const [choice, mapping] = [choiceOf(s), mappingOf(s)];
      return this.#stream(s).map((key, value) => [choice(key, value), mapping(key, value)] as const, named(s));
    },
    mapValues: (s) => {
      const mapping = mappingOf(s);
      return this.#stream(s).mapValues((value, key) => mapping(key, value), named(s));
    },
    flatMapValues: (s) =>
      this.#stream(s).flatMapValues((value) => (value === null ? [] : [value, `${value}2`]), named(s)),
    selectKey: (s) => this.#stream(s).selectKey(choiceOf(s), named(s)),
    peek: (s) => this.#stream(s).peek(() => {}, named(s)),
    processValues: (s) => this.#stream(s).processValues(() => new Marker(), named(s)),
    merge: (s) => this.#stream(s).merge(this.#other(s) as Stream, named(s)),
    split: (s) => {
      const branches = this.#stream(s).split(named(s)).branch(predicateOf(s)).defaultBranch();
      const [first, rest] = [...branches.entries()].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, branch]) => branch);
      this.#defaults.set(s.id, rest as Stream);
      return first as Stream;
    },
    default: (s) => this.#defaults.get(s.of as number),
    repartition: (s) => this.#stream(s).repartition({ ...strings, ...named(s) }),
    toTable: (s) => this.#stream(s).toTable({ ...named(s), ...this.#kept(s, true) }),
    group: (s) => this.#folded(this.#grouped(s), s),
    window: (s) => this.#windowed(this.#grouped(s), s),
    cogroup: (s) =>
      this.#grouped(s)
        .cogroup<Text>((_key, value, aggregate) => append(aggregate, '+', value))
        .cogroup(
          this.#grouped({ ...s, of: s.other as number, groupName: undefined } as never),
          (_key, value, aggregate) => append(aggregate, '/', value),
        )
        .aggregate(() => '', { ...named(s), ...this.#kept(s, true) }),
    to: (s) => {
      this.#stream(s).to(s.topic as string, { ...strings, ...named(s) });
      return undefined;
    },
  };

  readonly #ofTables: Operators = {
    tableFilter: (s) => this.#table(s).filter(predicateOf(s), { ...named(s), ...this.#kept(s) }),
    tableMapValues: (s) => {
      const mapping = mappingOf(s);
      return this.#table(s).mapValues((value, key) => mapping(key, value), { ...named(s), ...this.#kept(s) });
    },
    tableGroup: (s) => {
      const [choice, mapping] = [choiceOf(s), mappingOf(s)];
      const regrouped = (key: Text, value: Text) => [choice(key, value), mapping(key, value)] as const;
      return this.#tableFolded(this.#table(s).groupBy(regrouped, { ...strings, ...groupNamed(s) }), s);
    },
    timeLimit: (s) => {
      const buffer = BufferConfig.maxRecords(s.maxRecords ?? 2).emitEarlyWhenFull();
      return this.#table(s).suppress(Suppressed.untilTimeLimit(s.limit ?? 0, buffer, named(s)));
    },
    toStream: (s) => this.#table(s).toStream(named(s)),
  };

  readonly #ofWindowedTables: Operators = {
    windowClose: (s) =>
      this.#windowedTable(s).suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), named(s))),
    windowFilter: (s) => this.#windowedTable(s).filter(predicateOf(s), named(s)),
    windowGroup: (s) => {
      const byKey = (window: Windowed<Text>, value: Text) => [window.key, value] as const;
      return this.#tableFolded(this.#windowedTable(s).groupBy(byKey, { ...strings, ...groupNamed(s) }), s);
    },
    windowStream: (s) =>
      this.#windowedTable(s)
        .toStream(named(s))
        .selectKey(({ key, window }) => `${key}@${window.startMs}-${window.endMs}`),
  };

  readonly #joins: Operators = {
    joinTable: (s) => {
      const options = { ...strings, ...named(s) };
      const [left, right] = [this.#stream(s), this.#other(s) as Table];
      return s.kind === 'left' ? left.leftJoin(right, joinedShort, options) : left.join(right, joinedShort, options);
    },
    joinGlobal: (s) => {
      const choice = choiceOf(s);
      const [left, global] = [this.#stream(s), this.#other(s) as GlobalKTable<Text, Text>];
      return s.kind === 'left'
        ? left.leftJoin(global, choice, joinedShort, named(s))
        : left.join(global, choice, joinedShort, named(s));
    },
    joinStream: (s) => {
      const windows = JoinWindows.ofTimeDifferenceAndGrace(s.after ?? 0, s.grace ?? 0).before(s.before ?? 0);
      const options = { ...strings, otherValue: strings.value, ...named(s), store: this.#medium };
      const [left, right] = [this.#stream(s), this.#other(s) as Stream];
      if (s.kind === 'outer') return left.outerJoin(right, joinedShort, windows, options);
      if (s.kind === 'left') return left.leftJoin(right, joinedShort, windows, options);
      return left.join(right, joinedShort, windows, options);
    },
    tableJoin: (s) => {
      const options = { ...named(s), ...this.#kept(s) };
      const [left, right] = [this.#table(s), this.#other(s) as Table];
      if (s.kind === 'outer') return left.outerJoin(right, joinedShort, options);
      if (s.kind === 'left') return left.leftJoin(right, joinedShort, options);
      return left.join(right, joinedShort, options);
    },
    foreignKeyJoin: (s) => {
      const options = { ...named(s), ...this.#kept(s, true) };
      const [left, right] = [this.#table(s), this.#other(s) as Table];
      const foreignKey = (value: Text) => keyChoices.upper(null, value);
      return s.kind === 'left'
        ? left.leftJoin(right, foreignKey, joinedShort, options)
        : left.join(right, foreignKey, joinedShort, options);
    },
  };

  readonly #operators: Operators = {
    ...this.#sources,
    ...this.#ofStreams,
    ...this.#ofTables,
    ...this.#ofWindowedTables,
    ...this.#joins,
  };

  #stream(s: Statement): Stream {
    return this.#results.get(s.of as number) as Stream;
  }

  #table(s: Statement): Table {
    return this.#results.get(s.of as number) as Table;
  }

  #windowedTable(s: Statement): WindowedTable {
    return this.#results.get(s.of as number) as WindowedTable;
  }

  #other(s: Statement): Result {
    return this.#results.get(s.other as number);
  }

  /** `always`: what the operator keeps needs serdes even where nobody names the store. */
  #kept(s: Statement, always = false) {
    const { store, cached, logged, history } = s;
    if (store === undefined && !always && s.typed !== true) return {};
    const materialized = {
      ...strings,
      store: this.#medium,
      ...(store === undefined ? {} : { name: store }),
      ...(cached === undefined ? {} : { cachingEnabled: cached }),
      ...(logged === undefined ? {} : { loggingEnabled: logged }),
      ...(history === undefined ? {} : { historyRetentionMs: history }),
    };
    return { materialized };
  }

  #counted(s: Statement) {
    const { materialized } = this.#kept(s, true) as { materialized: object };
    const { value: _value, ...rest } = materialized as { value: unknown };
    return { materialized: rest };
  }

  #grouped(s: Statement): KGroupedStream<Text, Text> {
    const options = { ...strings, ...groupNamed(s) };
    return s.by === undefined ? this.#stream(s).groupByKey(options) : this.#stream(s).groupBy(choiceOf(s), options);
  }

  #folded(grouped: KGroupedStream<Text, Text>, s: Statement): Table {
    switch (s.fold) {
      case 'reduce':
        return grouped.reduce((aggregate, value) => append(aggregate, '+', value), {
          ...named(s),
          ...this.#kept(s, true),
        });
      case 'aggregate':
      case 'aggregate-or-null':
        return grouped.aggregate(() => '', folding(s), { ...named(s), ...this.#kept(s, true) });
      default:
        return grouped.count({ ...named(s), ...this.#counted(s) }).mapValues((count) => text(count), numbersAsText);
    }
  }

  #tableFolded(grouped: KGroupedTable<Text, Text>, s: Statement): Table {
    const kept = { ...named(s), ...this.#kept(s, true) };
    const add = (aggregate: Text, value: Text) => append(aggregate, '+', value);
    const subtract = (aggregate: Text, value: Text) => append(aggregate, '-', value);
    switch (s.fold) {
      case 'reduce':
        return grouped.reduce(add, subtract, kept);
      case 'aggregate':
        return grouped.aggregate(
          () => '',
          (_key, value, aggregate) => add(aggregate, value),
          (_key, value, aggregate) => subtract(aggregate, value),
          kept,
        );
      case 'aggregate-or-null':
        return grouped.aggregate(
          () => '',
          (_key, value, aggregate) => (value.startsWith('c') ? null : add(aggregate, value)),
          (_key, value, aggregate) => (value.startsWith('b') ? null : subtract(aggregate, value)),
          kept,
        );
      default:
        return grouped.count({ ...named(s), ...this.#counted(s) }).mapValues((count) => text(count), numbersAsText);
    }
  }

  #windowed(grouped: KGroupedStream<Text, Text>, s: Statement): WindowedTable {
    const retention = s.retention === undefined ? {} : { retentionMs: s.retention };
    const { materialized } = this.#kept(s, true) as { materialized: object };
    const kept = { ...named(s), materialized: { ...materialized, ...retention } };
    const counted = { ...named(s), materialized: { ...this.#counted(s).materialized, ...retention } };
    const strategy = s.emitOnClose ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
    const windows = s.windows ?? { kind: 'time', size: 10, advance: 10, grace: 0 };
    if (windows.kind === 'session') {
      const sessions = grouped
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(windows.gap, windows.grace))
        .emitStrategy(strategy);
      if (s.fold === 'reduce') return sessions.reduce((aggregate, value) => append(aggregate, '+', value), kept);
      if (s.fold === 'count') return sessions.count(counted).mapValues((count) => text(count), numbersAsText);
      return sessions.aggregate(
        () => '',
        folding(s),
        (_key, one, other) => append(one, '&', other),
        kept,
      );
    }
    const inWindows = grouped
      .windowedBy(
        windows.kind === 'time'
          ? TimeWindows.ofSizeAndGrace(windows.size, windows.grace).advanceBy(windows.advance)
          : SlidingWindows.ofTimeDifferenceAndGrace(windows.diff, windows.grace),
      )
      .emitStrategy(strategy);
    if (s.fold === 'reduce') return inWindows.reduce((aggregate, value) => append(aggregate, '+', value), kept);
    if (s.fold === 'count') return inWindows.count(counted).mapValues((count) => text(count), numbersAsText);
    return inWindows.aggregate(() => '', folding(s), kept);
  }
}

/** The serde of numbers that were made to text; the store gets no name, so there is none. */
const numbersAsText = { materialized: { value: strings.value } };

function folding({ fold }: Statement): (key: Text, value: Text, aggregate: Text) => Text {
  const orNull = fold === 'aggregate-or-null';
  return (_key, value, aggregate) =>
    orNull && (value as Text | null)?.startsWith('c') ? (null as unknown as Text) : append(aggregate, '+', value);
}

/** Marks values in a processor of our own. */
class Marker {
  #forward: (record: KafkaRecord<Text, Text>) => void = () => {};

  init(context: { forward(record: KafkaRecord<Text, Text>): void }): void {
    this.#forward = (record) => context.forward(record);
  }

  process(record: KafkaRecord<Text, Text>): void {
    this.#forward(record.withValue(`${text(record.value)}~`) as KafkaRecord<Text, Text>);
  }
}
