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
import type { KeyName, Program, Statement } from './program.ts';

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
    this.#results.set(statement.id, this.#result(statement));
  }

  #result(s: Statement): Result {
    const named = s.name === undefined ? {} : { name: s.name };
    const predicate = predicates[s.predicate ?? 'any'];
    const mapping = mappings[s.mapping ?? 'mark'] as (key: unknown, value: Text) => Text;
    const choice = this.#choice(s.by ?? 'same');
    const topic = s.topic as string;
    switch (s.op) {
      case 'stream':
        return this.builder.stream(topic, { ...strings, ...named });
      case 'table':
        return this.builder.table(topic, { ...strings, ...named, ...this.#kept(s, true) });
      case 'globalTable':
        return this.builder.globalTable(topic, { ...strings, ...named, ...this.#kept(s, true) });
      case 'filter':
        return this.#stream(s).filter(predicate, named);
      case 'filterNot':
        return this.#stream(s).filterNot(predicate, named);
      case 'map':
        return this.#stream(s).map((key, value) => [choice(key, value), mapping(key, value)] as const, named);
      case 'mapValues':
        return this.#stream(s).mapValues((value, key) => mapping(key, value), named);
      case 'flatMapValues':
        return this.#stream(s).flatMapValues((value) => (value === null ? [] : [value, `${value}2`]), named);
      case 'selectKey':
        return this.#stream(s).selectKey(choice, named);
      case 'peek':
        return this.#stream(s).peek(() => {}, named);
      case 'processValues':
        return this.#stream(s).processValues(() => new Marker(), named);
      case 'merge':
        return this.#stream(s).merge(this.#other(s) as Stream, named);
      case 'split': {
        const branches = this.#stream(s).split(named).branch(predicate).defaultBranch();
        const [first, rest] = [...branches.entries()].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, branch]) => branch);
        this.#defaults.set(s.id, rest as Stream);
        return first as Stream;
      }
      case 'default':
        return this.#defaults.get(s.of as number);
      case 'repartition':
        return this.#stream(s).repartition({ ...strings, ...named });
      case 'toTable':
        return this.#stream(s).toTable({ ...named, ...this.#kept(s, true) });
      case 'group':
        return this.#folded(this.#grouped(s), s);
      case 'window':
        return this.#windowed(this.#grouped(s), s);
      case 'cogroup':
        return this.#grouped(s)
          .cogroup<Text>((_key, value, aggregate) => append(aggregate, '+', value))
          .cogroup(
            this.#grouped({ ...s, of: s.other as number, groupName: undefined } as never),
            (_key, value, aggregate) => append(aggregate, '/', value),
          )
          .aggregate(() => '', { ...named, ...this.#kept(s, true) });
      case 'joinTable': {
        const options = { ...strings, ...named };
        return s.kind === 'left'
          ? this.#stream(s).leftJoin(this.#other(s) as Table, joinedShort, options)
          : this.#stream(s).join(this.#other(s) as Table, joinedShort, options);
      }
      case 'joinGlobal': {
        const global = this.#other(s) as GlobalKTable<Text, Text>;
        return s.kind === 'left'
          ? this.#stream(s).leftJoin(global, choice, joinedShort, named)
          : this.#stream(s).join(global, choice, joinedShort, named);
      }
      case 'joinStream': {
        const windows = JoinWindows.ofTimeDifferenceAndGrace(s.after ?? 0, s.grace ?? 0).before(s.before ?? 0);
        const options = { ...strings, otherValue: strings.value, ...named, store: this.#medium };
        const [left, right] = [this.#stream(s), this.#other(s) as Stream];
        if (s.kind === 'outer') return left.outerJoin(right, joinedShort, windows, options);
        if (s.kind === 'left') return left.leftJoin(right, joinedShort, windows, options);
        return left.join(right, joinedShort, windows, options);
      }
      case 'tableFilter':
        return this.#table(s).filter(predicate, { ...named, ...this.#kept(s) });
      case 'tableMapValues':
        return this.#table(s).mapValues((value, key) => mapping(key, value), { ...named, ...this.#kept(s) });
      case 'tableGroup': {
        const grouped = this.#table(s).groupBy((key, value) => [choice(key, value), mapping(key, value)] as const, {
          ...strings,
          ...(s.groupName === undefined ? {} : { name: s.groupName }),
        });
        return this.#tableFolded(grouped, s);
      }
      case 'tableJoin': {
        const options = { ...named, ...this.#kept(s) };
        const [left, right] = [this.#table(s), this.#other(s) as Table];
        if (s.kind === 'outer') return left.outerJoin(right, joinedShort, options);
        if (s.kind === 'left') return left.leftJoin(right, joinedShort, options);
        return left.join(right, joinedShort, options);
      }
      case 'foreignKeyJoin': {
        const options = { ...named, ...this.#kept(s, true) };
        const [left, right] = [this.#table(s), this.#other(s) as Table];
        const foreignKey = (value: Text) => keyChoices.upper(null, value);
        return s.kind === 'left'
          ? left.leftJoin(right, foreignKey, joinedShort, options)
          : left.join(right, foreignKey, joinedShort, options);
      }
      case 'timeLimit': {
        const buffer = BufferConfig.maxRecords(s.maxRecords ?? 2).emitEarlyWhenFull();
        return this.#table(s).suppress(Suppressed.untilTimeLimit(s.limit ?? 0, buffer, named));
      }
      case 'toStream':
        return this.#table(s).toStream(named);
      case 'windowClose':
        return this.#windowedTable(s).suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), named));
      case 'windowFilter':
        return this.#windowedTable(s).filter(predicate, named);
      case 'windowGroup': {
        const grouped = this.#windowedTable(s).groupBy((window, value) => [window.key, value] as const, {
          ...strings,
          ...(s.groupName === undefined ? {} : { name: s.groupName }),
        });
        return this.#tableFolded(grouped, s);
      }
      case 'windowStream':
        return this.#windowedTable(s)
          .toStream(named)
          .selectKey(({ key, window }) => `${key}@${window.startMs}-${window.endMs}`);
      case 'to':
        this.#stream(s).to(topic, { ...strings, ...named });
        return undefined;
      default:
        throw new RangeError(`There is no operator '${s.op}'.`);
    }
  }

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

  #choice(by: KeyName): (key: Text, value: Text) => Text {
    return keyChoices[by] as (key: Text, value: Text) => Text;
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
    const options = { ...strings, ...(s.groupName === undefined ? {} : { name: s.groupName }) };
    return s.by === undefined
      ? this.#stream(s).groupByKey(options)
      : this.#stream(s).groupBy(this.#choice(s.by), options);
  }

  #folded(grouped: KGroupedStream<Text, Text>, s: Statement): Table {
    const named = s.name === undefined ? {} : { name: s.name };
    switch (s.fold) {
      case 'reduce':
        return grouped.reduce((aggregate, value) => append(aggregate, '+', value), {
          ...named,
          ...this.#kept(s, true),
        });
      case 'aggregate':
      case 'aggregate-or-null':
        return grouped.aggregate(() => '', folding(s), { ...named, ...this.#kept(s, true) });
      default:
        return grouped.count({ ...named, ...this.#counted(s) }).mapValues((count) => text(count), numbersAsText);
    }
  }

  #tableFolded(grouped: KGroupedTable<Text, Text>, s: Statement): Table {
    const named = s.name === undefined ? {} : { name: s.name };
    const kept = { ...named, ...this.#kept(s, true) };
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
        return grouped.count({ ...named, ...this.#counted(s) }).mapValues((count) => text(count), numbersAsText);
    }
  }

  #windowed(grouped: KGroupedStream<Text, Text>, s: Statement): WindowedTable {
    const named = s.name === undefined ? {} : { name: s.name };
    const retention = s.retention === undefined ? {} : { retentionMs: s.retention };
    const { materialized } = this.#kept(s, true) as { materialized: object };
    const kept = { ...named, materialized: { ...materialized, ...retention } };
    const counted = { ...named, materialized: { ...this.#counted(s).materialized, ...retention } };
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
