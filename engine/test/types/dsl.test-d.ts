// Checked by the compiler alone: types flow from serdes, and what doesn't fit doesn't compile.
import { map } from 'rxjs';
import {
  type KStream,
  type KTable,
  long,
  type Serde,
  StreamsBuilder,
  string,
  TimeWindows,
  type Windowed,
  windowed,
} from '../../src/index.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
  readonly kind: 'buy' | 'sell';
}
declare const order: Serde<Order>;

const builder = new StreamsBuilder();
const orders: KStream<string, Order> = builder.stream('orders', { key: string(), value: order });

// Sinks
orders.to('copy', { value: order });
// @ts-expect-error a sink can't write orders by the serde of numbers
orders.to('copy', { value: long() });
// @ts-expect-error the key is a string
orders.to('copy', { key: long() });

// Functions
const amounts: KStream<string, number> = orders.mapValues((value) => value.amount);
// @ts-expect-error there is no such field
orders.filter((_key, value) => value.prize > 0);
// @ts-expect-error not the value's type
orders.mapValues((value: string) => value);
const buys: KStream<string, Order & { kind: 'buy' }> = orders.filter(
  (_key, value): value is Order & { kind: 'buy' } => value.kind === 'buy',
);
const swapped: KStream<number, string> = orders.map((key, value) => [value.amount, key] as const);
// @ts-expect-error not a pair
orders.map((key) => key);

// Groups and windows
const counts: KTable<string, number> = orders.groupByKey().count();
const byAmount: KTable<number, number> = orders.groupBy((_key, value) => value.amount, { key: long() }).count();
// @ts-expect-error the selected key is a number
orders.groupBy((_key, value) => value.amount, { key: string() });
const perMinute: KTable<Windowed<string>, number> = orders
  .groupByKey()
  .windowedBy(TimeWindows.ofSizeAndGrace(60_000, 5_000))
  .count({ materialized: { name: 'per-minute' } });
perMinute.toStream().to('line-counts', { key: windowed(string(), 60_000), value: long() });
// @ts-expect-error windowed keys need a windowed serde
perMinute.toStream().to('line-counts', { key: string(), value: long() });
const sums: KTable<string, number> = orders.groupByKey().aggregate(
  () => 0,
  (_key, value, sum) => sum + value.amount,
  { value: long() },
);
const addAmount = (_key: string, value: Order, sum: number): number => sum + value.amount;
// @ts-expect-error the aggregate is a number
orders.groupByKey().aggregate(() => 0, addAmount, { value: string() });

// A wider serde may write a narrower type, null included; not the other way round
const marks = orders.mapValues((value) => (value.amount > 0 ? 'plus' : null));
marks.to('marks', { value: string() });
declare const markSerde: Serde<'plus' | 'minus'>;
// @ts-expect-error not every string is a mark
orders.mapValues((value) => value.id).to('marks', { value: markSerde });

// Joins
const joined: KStream<string, string> = orders.join(sums, (left, right) => `${left.id} of ${right.toFixed()}`);
const left: KStream<string, number> = orders.leftJoin(sums, (value, sum) => value.amount / (sum ?? 1));
// @ts-expect-error a left join may find nothing
orders.leftJoin(sums, (_value, sum) => sum.toFixed());
// @ts-expect-error the keys differ
orders.join(byAmount, (value, count) => value.amount + count);
const rates = builder.globalTable('rates', { key: long(), value: string() });
const priced: KStream<string, string> = orders.join(
  rates,
  (_key, value) => value.amount,
  (value, rate) => value.id + rate,
);
// @ts-expect-error the selector answers the table's key
orders.join(
  rates,
  (_key, value) => value.id,
  (value, rate) => value.id + rate,
);

// Asynchronous boundaries
const fetched: KStream<string, number> = orders.mapAsync(async ({ value }) => value.amount, { concurrency: 4 });
const batched: KStream<string, boolean> = orders.microBatch(
  { preferredSizes: [4, 8, 16], maxDelayMs: 2 },
  async (items) => items.map(({ value }) => value.amount > 0),
);
const piped: KStream<string, number> = orders.pipe(map(({ key, value }) => ({ key, value: value.amount })));
// @ts-expect-error the last operator must emit records
orders.pipe(map(({ value }) => value.amount));

export { amounts, batched, buys, byAmount, counts, fetched, joined, left, perMinute, piped, priced, swapped };
