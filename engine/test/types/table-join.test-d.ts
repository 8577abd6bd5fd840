// Checked by the compiler alone: joins of tables take what fits, and nothing else compiles.
import {
  type KStream,
  type KTable,
  long,
  type Serde,
  StreamsBuilder,
  string,
  type ValueTransformer,
} from '../../src/index.ts';

interface Order {
  readonly customer: number | null;
  readonly amount: number;
}
interface Customer {
  readonly name: string;
}
declare const order: Serde<Order>;
declare const customer: Serde<Customer>;
declare const orders: KTable<string, Order>;
declare const customers: KTable<number, Customer>;
declare const notes: KTable<string, string>;

// Equal keys
const noted: KTable<string, string> = orders.join(notes, (left, right) => `${left.amount} ${right.length}`);
const maybeNoted: KTable<string, number> = orders.leftJoin(notes, (left, right) => left.amount + (right?.length ?? 0));
const either: KTable<string, number> = orders.outerJoin(
  notes,
  (left, right) => (left?.amount ?? 0) + (right?.length ?? 0),
);
const kept: KTable<string, string> = orders.join(notes, (_left, right) => right, {
  name: 'noted',
  materialized: { name: 'noted', value: string() },
});
// @ts-expect-error keys are strings here and numbers there: only a foreign key joins them
orders.join(customers, (left, right) => `${left.amount}${right.name}`);
// @ts-expect-error the same for left joins
orders.leftJoin(customers, (left, right) => `${left.amount}${right?.name}`);
// @ts-expect-error and for outer ones, which no foreign key helps
orders.outerJoin(customers, (left, right) => `${left?.amount}${right?.name}`);
// @ts-expect-error there is no such field
orders.join(notes, (left) => left.price);
// @ts-expect-error the right value is a string
orders.join(notes, (_left, right: number) => right);
// @ts-expect-error without a right value there is null
orders.leftJoin(notes, (_left, right) => right.length);
// @ts-expect-error without a left value there is null
orders.outerJoin(notes, (left) => left.amount);
// @ts-expect-error the results are strings
orders.join(notes, (_left, right) => right, { materialized: { value: long() } });

// Foreign keys
const named: KTable<string, string> = orders.join(
  customers,
  (value) => value.customer,
  (left, right) => `${left.amount} ${right.name}`,
);
const byKey: KTable<string, string> = orders.join(
  customers,
  (value, key) => (key === 'x' ? null : value.customer),
  (_left, right) => right.name,
  {
    name: 'named',
    materialized: { name: 'named', value: string() },
    partitioner: (_topic, key: string, _none: null, partitions) => key.length % partitions,
    otherPartitioner: (_topic, key: number, _none: null, partitions) => key % partitions,
  },
);
const maybeNamed: KTable<string, string | null> = orders.leftJoin(
  customers,
  (value) => value.customer,
  (_left, right) => right?.name ?? null,
);
// @ts-expect-error keys of customers are numbers
orders.join(
  customers,
  (value) => `${value.customer}`,
  (_left, right) => right.name,
);
orders.join(
  customers,
  (value) => value.customer,
  // @ts-expect-error there is no such field
  (_left, right) => right.title,
);
orders.leftJoin(
  customers,
  (value) => value.customer,
  // @ts-expect-error without a right value there is null
  (_left, right) => right.name,
);
orders.join(
  customers,
  (value) => value.customer,
  (_left, right) => right.name,
  // @ts-expect-error the results are strings
  { materialized: { value: long() } },
);

// Transformed, and as streams
const numbering: ValueTransformer<string, Order, number> = { transform: (_key, value) => value?.amount ?? 0 };
const amounts: KTable<string, number> = orders.transformValues(() => numbering, { stores: ['s'] });
// @ts-expect-error these are not orders
notes.transformValues(() => numbering);
const rekeyed: KStream<number, Order> = orders.toStream((_key, value) => value.amount);
const updates: KStream<string, Order> = orders.toStream({ name: 'updates' });
// @ts-expect-error there is no such field
orders.toStream((_key, value) => value.price);

const builder = new StreamsBuilder();
builder
  .table('orders', { key: string(), value: order })
  .join(
    builder.table('customers', { key: long(), value: customer }),
    (value) => value.customer,
    (left, right) => ({ ...left, ...right }),
  )
  .filter((_key, value) => value.amount > 1 && value.name !== '');

export { amounts, byKey, either, kept, maybeNamed, maybeNoted, named, noted, rekeyed, updates };
