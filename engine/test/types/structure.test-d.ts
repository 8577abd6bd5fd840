// Compiled with the rest, never run: grouped, cogrouped and joined streams take only what fits.
import {
  type CogroupedKStream,
  JoinWindows,
  type KStream,
  type KTable,
  long,
  type Serde,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  string,
  TimeWindows,
  type Windowed,
} from '../../src/index.ts';

interface Sale {
  readonly amount: number;
}
interface Return {
  readonly reason: string;
}
interface Balance {
  readonly sum: number;
}
declare const sale: Serde<Sale>;
declare const giveBack: Serde<Return>;
declare const balance: Serde<Balance>;

const builder = new StreamsBuilder();
const sales: KStream<string, Sale> = builder.stream('sales', { key: string(), value: sale });
const returns: KStream<string, Return> = builder.stream('returns', { key: string(), value: giveBack });
const numbered: KStream<number, Return> = builder.stream('numbered', { key: long(), value: giveBack });
const none = (): Balance => ({ sum: 0 });

// Cogroups
const both: CogroupedKStream<string, Balance> = sales
  .groupByKey()
  .cogroup((_key, value, sum: Balance) => ({ sum: sum.sum + value.amount }))
  .cogroup(returns.groupByKey(), (_key, value, sum) => ({ sum: sum.sum - value.reason.length }));
const balances: KTable<string, Balance> = both.aggregate(none, { value: balance });
const perMinute: KTable<Windowed<string>, Balance> = both
  .windowedBy(TimeWindows.ofSizeWithNoGrace(60_000))
  .aggregate(none, { value: balance });
const sliding: KTable<Windowed<string>, Balance> = both
  .windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(60_000))
  .aggregate(none, { value: balance });
const sessions: KTable<Windowed<string>, Balance> = both
  .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(60_000))
  .aggregate(none, (_key, one, other) => ({ sum: one.sum + other.sum }), { value: balance });
// @ts-expect-error the keys differ
both.cogroup(numbered.groupByKey(), (_key, _value, sum) => sum);
// @ts-expect-error the second stream has no amounts
both.cogroup(returns.groupByKey(), (_key, value, sum) => ({ sum: sum.sum + value.amount }));
// @ts-expect-error an aggregator answers the aggregate
both.cogroup(returns.groupByKey(), (_key, value) => value.reason);
// @ts-expect-error the initializer makes the aggregate
both.aggregate(() => 0, { value: balance });
// @ts-expect-error the store holds balances
both.aggregate(none, { value: string() });
// @ts-expect-error sessions need a merger
both.windowedBy(SessionWindows.ofInactivityGapWithNoGrace(5)).aggregate(none, { value: balance });

// Serdes of groups, tables and repartition topics
// @ts-expect-error the key is a string
sales.groupByKey({ key: long() });
// @ts-expect-error the value is a sale
sales.groupByKey({ value: giveBack });
// @ts-expect-error the value is a sale
sales.repartition({ value: giveBack });
// @ts-expect-error the value is a sale
sales.toTable({ materialized: { value: giveBack } });
// @ts-expect-error a reducer answers the value's type
sales.groupByKey().reduce((one, other) => one.amount + other.amount);
// @ts-expect-error the value of a count is a number
sales.groupByKey().count({ materialized: { value: string() } });

// Joins with tables
const table: KTable<string, Return> = returns.toTable();
const joined: KStream<string, string> = sales.join(table, (left, right) => right.reason + left.amount);
// @ts-expect-error the left side is a sale
sales.join(table, (left, right) => left.reason + right.reason);
// @ts-expect-error a left join may find nothing
sales.leftJoin(table, (_left, right) => right.reason);
// @ts-expect-error the stream's keys are numbers
numbered.join(table, (left, right) => left.reason + right.reason);
// @ts-expect-error the repartition topic of the stream holds sales
sales.join(table, (left, right) => right.reason + left.amount, { value: giveBack });
// A stream with another key must get the table's again before it is joined.
const rekeyed: KStream<number, Sale> = sales.selectKey((_key, value) => value.amount);
// @ts-expect-error the keys differ
rekeyed.join(table, (left, right) => right.reason + left.amount);
// @ts-expect-error the keys differ
rekeyed.join(sales, (left, right) => left.amount + right.amount, JoinWindows.ofTimeDifferenceWithNoGrace(5));
// @ts-expect-error streams of different keys can't be merged
sales.merge(rekeyed);

// Processors
sales.processValues<number>(() => ({
  process(record) {
    record.value.amount.toFixed();
  },
}));
// @ts-expect-error the records are sales
sales.process<string, string>(() => ({ process: (record) => record.value.reason }));

// Building
builder.build({ topologyOptimization: ['reuse.ktable.source.topics'] });
// @ts-expect-error there is no such rule
builder.build({ topologyOptimization: 'some' });
builder.stream('in', { key: string(), value: sale, autoOffsetReset: { byDurationMs: 5 } });
// @ts-expect-error there is no such reset
builder.stream('in', { key: string(), value: sale, autoOffsetReset: 'first' });

export { balances, joined, perMinute, sessions, sliding };
