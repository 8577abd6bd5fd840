// Checked by the compiler alone: streams that can't be joined, and joiners that don't fit, don't compile.
import { JoinWindows, type KStream, long, type Serde, StreamsBuilder, string } from '../../src/index.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
}
interface Payment {
  readonly paid: number;
}
declare const order: Serde<Order>;
declare const payment: Serde<Payment>;

const builder = new StreamsBuilder();
const windows = JoinWindows.ofTimeDifferenceAndGrace(1_000, 100);
const orders: KStream<string, Order> = builder.stream('orders', { key: string(), value: order });
const payments: KStream<string, Payment> = builder.stream('payments', { key: string(), value: payment });
const byNumber: KStream<number, Payment> = builder.stream('by-number', { key: long(), value: payment });

// The joiner sees both values and the key.
const open: KStream<string, number> = orders.join(payments, (left, right) => left.amount - right.paid, windows);
const named: KStream<string, string> = orders.join(payments, (_left, _right, key) => key.toUpperCase(), windows);
// @ts-expect-error payments have no amount
orders.join(payments, (left, right) => left.amount - right.amount, windows);
// @ts-expect-error the key is a string
orders.join(payments, (_left, _right, key: number) => key, windows);
// @ts-expect-error not the type of the right value
orders.join(payments, (left, right: Order) => left.amount - right.amount, windows);
// @ts-expect-error the window is missing
orders.join(payments, (left, right) => left.amount - right.paid);

// Keys of different types never match, repartitioned or not.
// @ts-expect-error string and number keys
orders.join(byNumber, (left, right) => left.amount - right.paid, windows);
// @ts-expect-error string and number keys
orders.leftJoin(byNumber, (left) => left.amount, windows);
// @ts-expect-error string and number keys
orders.outerJoin(byNumber, (left) => left, windows);
const rekeyed: KStream<number, Order> = orders.selectKey((_key, value) => value.amount);
// @ts-expect-error the new key is a number
rekeyed.join(payments, (left, right) => left.amount - right.paid, windows);
rekeyed.join(byNumber, (left, right) => left.amount - right.paid, windows, { key: long() });

// Sides that may be missing are null.
orders.leftJoin(payments, (left, right) => left.amount - (right?.paid ?? 0), windows);
// @ts-expect-error the right side may be missing
orders.leftJoin(payments, (left, right) => left.amount - right.paid, windows);
orders.outerJoin(payments, (left, right) => (left?.amount ?? 0) - (right?.paid ?? 0), windows);
// @ts-expect-error the left side may be missing
orders.outerJoin(payments, (left, right) => left.amount - (right?.paid ?? 0), windows);

// Serdes
orders.join(payments, (left) => left, windows, { key: string(), value: order, otherValue: payment });
// @ts-expect-error the key is a string
orders.join(payments, (left) => left, windows, { key: long() });
// @ts-expect-error left values are orders
orders.join(payments, (left) => left, windows, { value: payment });
// @ts-expect-error right values are payments
orders.join(payments, (left) => left, windows, { otherValue: order });
// @ts-expect-error the result is a number
open.to('out', { value: string() });

export { named, rekeyed };
