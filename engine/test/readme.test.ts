import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  BufferConfig,
  EmitStrategy,
  JoinWindows,
  json,
  long,
  type Processor,
  type ProcessorContext,
  Record,
  SessionWindows,
  SlidingWindows,
  Stores,
  StreamsBuilder,
  Suppressed,
  sessionWindowed,
  string,
  TimeWindows,
  Topology,
  type VersionedKeyValueStore,
  type WindowStore,
  windowed,
} from '../src/index.ts';
import { TopologyTestDriver } from '../src/testing/index.ts';

const MINUTE_MS = 60_000;

/** Runs the topology of a builder or of the Processor API and closes the driver afterwards. */
async function running(topology: Topology, body: (driver: TopologyTestDriver) => void): Promise<void> {
  const driver = new TopologyTestDriver(topology, { applicationId: 'readme' });
  try {
    body(driver);
  } finally {
    await driver.close();
  }
}

interface Order {
  readonly customerId: string;
  readonly amount: number;
}
type NamedOrder = Order & { readonly name: string };
interface Customer {
  readonly name: string;
  readonly region: string;
}

describe('the examples of the README', () => {
  it('counts page views by region and visit', async () => {
    // example: sessions
    const builder = new StreamsBuilder();
    const regions = builder.table('users', { key: string(), value: string() });
    builder
      .stream('pageviews', { key: string(), value: string() })
      .join(regions, (page, region) => ({ page, region }))
      .groupBy((_user, view) => view.region, { key: string(), value: json(), name: 'by-region' })
      .windowedBy(SessionWindows.ofInactivityGapAndGrace(5 * MINUTE_MS, MINUTE_MS))
      .aggregate(
        () => ({ views: 0 }),
        (_region, _view, visit) => ({ views: visit.views + 1 }),
        (_region, one, other) => ({ views: one.views + other.views }),
        { value: json(), materialized: { name: 'visits' } },
      )
      .toStream()
      .to('visits-by-region', { key: sessionWindowed(string()) });
    // end
    await running(builder.build(), (driver) => {
      driver.createInputTopic('users', string(), string()).pipeInput('ann', 'eu', 0);
      const views = driver.createInputTopic('pageviews', string(), string());
      views.pipeInput('ann', '/a', 0);
      views.pipeInput('ann', '/b', MINUTE_MS);
      views.pipeInput('bob', '/b', MINUTE_MS);
      const output = driver.createOutputTopic('visits-by-region', sessionWindowed(string()), json());
      expect(output.readKeyValuesToList().map(({ key, value }) => [key.window.endMs, value])).toEqual([
        [0, { views: 1 }],
        [0, null],
        [MINUTE_MS, { views: 2 }],
      ]);
      expect([...driver.getSessionStore('visits').fetch('eu')].map(({ value }) => value)).toEqual([{ views: 2 }]);
    });
  });

  it('joins orders with their payments, and finds the ones without', async () => {
    // example: stream-join
    const builder = new StreamsBuilder();
    const orders = builder.stream('orders', { key: string(), value: json<Order>() });
    const payments = builder.stream('payments', { key: string(), value: json<{ amount: number }>() });
    orders
      .outerJoin(
        payments,
        (order, payment) => ({ due: order?.amount ?? 0, paid: payment?.amount ?? 0 }),
        JoinWindows.ofTimeDifferenceAndGrace(10 * MINUTE_MS, MINUTE_MS).before(0), // never paid before it is ordered
        { name: 'settle', storeName: 'settle' },
      )
      .filter((_orderId, { due, paid }) => due !== paid, { name: 'unsettled' })
      .to('unsettled', { value: json() });
    // end
    await running(builder.build(), (driver) => {
      const order = driver.createInputTopic<string, Order>('orders', string(), json());
      const payment = driver.createInputTopic('payments', string(), json());
      order.pipeInput('1', { customerId: 'c', amount: 5 }, 0);
      order.pipeInput('2', { customerId: 'c', amount: 7 }, 0);
      payment.pipeInput('1', { amount: 5 }, MINUTE_MS);
      payment.pipeInput('3', { amount: 1 }, 30 * MINUTE_MS);
      driver.advanceWallClockTimeMs(1_000); // unmatched records are looked for once a second
      payment.pipeInput('4', { amount: 1 }, 90 * MINUTE_MS);
      const output = driver.createOutputTopic('unsettled', string(), json());
      expect(output.readKeyValuesToList().map(({ key }) => key)).toEqual(['2', '3']);
    });
  });

  it('enriches orders by their customers', async () => {
    // example: foreign-key
    const builder = new StreamsBuilder();
    const orders = builder.table('orders', { key: string(), value: json<Order>() });
    const customers = builder.table('customers', { key: string(), value: json<Customer>() });
    orders
      .leftJoin(
        customers,
        (order) => order.customerId,
        (order, customer) => ({ ...order, name: customer?.name ?? 'unknown' }),
        { name: 'customer-of-order', materialized: { name: 'enriched', value: json<NamedOrder>() } },
      )
      .groupBy((_orderId, order) => [order.name, order.amount], { key: string(), value: long(), name: 'by-name' })
      .reduce(
        (sum, amount) => sum + amount,
        (sum, amount) => sum - amount,
        { materialized: { name: 'turnover' } },
      );
    // end
    await running(builder.build(), (driver) => {
      const order = driver.createInputTopic<string, Order>('orders', string(), json());
      order.pipeInput('1', { customerId: 'c', amount: 5 }, 0);
      order.pipeInput('2', { customerId: 'c', amount: 6 }, 0);
      expect(driver.getKeyValueStore('turnover').get('unknown')).toBe(11);
      driver
        .createInputTopic<string, Customer>('customers', string(), json())
        .pipeInput('c', { name: 'Ann', region: 'eu' }, 9);
      expect([...driver.getKeyValueStore('turnover').all()]).toEqual([
        { key: 'Ann', value: 11 },
        { key: 'unknown', value: 0 },
      ]);
    });
  });

  it('reports a card once for each minute in which it was used too often', async () => {
    // example: final-results
    const builder = new StreamsBuilder();
    builder
      .stream('card-payments', { key: string(), value: json<{ amount: number }>() })
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE_MS, 10_000))
      .count({ materialized: { name: 'payments-per-minute' } })
      .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded(), { name: 'final' }))
      .filter((_window, count) => count >= 3)
      .toStream((card) => card.key)
      .to('suspicious-cards', { key: string(), value: long() });
    // end
    await running(builder.build(), (driver) => {
      const payments = driver.createInputTopic('card-payments', string(), json());
      for (const timestampMs of [0, 1, 2, 69_999, 59_999, 70_000])
        payments.pipeInput('4711', { amount: 1 }, timestampMs);
      expect(driver.createOutputTopic('suspicious-cards', string(), long()).readKeyValuesToList()).toEqual([
        { key: '4711', value: 4 },
      ]);
    });
  });

  it('emits closed windows without a suppression', async () => {
    // example: emit-on-close
    const builder = new StreamsBuilder();
    builder
      .stream('temperatures', { key: string(), value: long() })
      .groupByKey()
      .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(MINUTE_MS, 10_000))
      .emitStrategy(EmitStrategy.onWindowClose())
      .reduce((one, other) => Math.max(one, other), { materialized: { name: 'hottest' } })
      .toStream()
      .to('hottest', { key: windowed(string(), MINUTE_MS) });
    // end
    await running(builder.build(), (driver) => {
      const input = driver.createInputTopic('temperatures', string(), long());
      input.pipeKeyValueList([
        ['a', 20, MINUTE_MS],
        ['a', 30, MINUTE_MS + 5],
        ['a', 10, 5 * MINUTE_MS],
      ]);
      const output = driver.createOutputTopic('hottest', windowed(string(), MINUTE_MS), long());
      expect(output.readValuesToList()).toEqual([20, 30, 30]);
    });
  });

  it('keeps a shopping cart of several streams', async () => {
    // example: cogroup
    const builder = new StreamsBuilder();
    const added = builder.stream('items-added', { key: string(), value: string() }).groupByKey();
    const removed = builder.stream('items-removed', { key: string(), value: string() }).groupByKey();
    added
      .cogroup<readonly string[]>((_user, item, cart) => [...cart, item])
      .cogroup(removed, (_user, item, cart) => cart.filter((other) => other !== item))
      .aggregate(() => [], { value: json(), materialized: { name: 'carts' } });
    // end
    await running(builder.build(), (driver) => {
      const add = driver.createInputTopic('items-added', string(), string());
      add.pipeInput('ann', 'book', 0);
      add.pipeInput('ann', 'pen', 1);
      driver.createInputTopic('items-removed', string(), string()).pipeInput('ann', 'book', 2);
      expect(driver.getKeyValueStore('carts').get('ann')).toEqual(['pen']);
    });
  });

  it('prices orders by the price that held when they were placed', async () => {
    // example: versioned
    const builder = new StreamsBuilder();
    const prices = builder.table('prices', {
      key: string(),
      value: long(),
      materialized: { name: 'prices', historyRetentionMs: 60 * MINUTE_MS },
    });
    builder
      .stream('sales', { key: string(), value: long() })
      .join(prices, (pieces, price) => pieces * price, { name: 'price', graceMs: MINUTE_MS })
      .to('turnover', { value: long() });
    // end
    await running(builder.build(), (driver) => {
      const price = driver.createInputTopic('prices', string(), long());
      const sale = driver.createInputTopic('sales', string(), long());
      price.pipeInput('pen', 100, 0);
      sale.pipeInput('pen', 2, 10_000);
      price.pipeInput('pen', 200, 5_000); // late, but in time for the sale
      price.pipeInput('pen', 300, 20_000);
      sale.pipeInput('cup', 1, 2 * MINUTE_MS);
      expect(driver.createOutputTopic('turnover', string(), long()).readValuesToList()).toEqual([400]);
      const store: VersionedKeyValueStore<string, number> = driver.getVersionedKeyValueStore('prices');
      expect(store.get('pen', 4_000)?.value).toBe(100);
    });
  });

  it('joins a global table by any key', async () => {
    // example: global-table
    const builder = new StreamsBuilder();
    const currencies = builder.globalTable('currencies', { key: string(), value: json<{ rate: number }>() });
    builder
      .stream('transfers', { key: string(), value: json<{ currency: string; amount: number }>() })
      .join(
        currencies,
        (_id, transfer) => transfer.currency,
        (transfer, currency) => transfer.amount * currency.rate,
      )
      .split({ name: 'size-' })
      .branch((_id, euros) => euros >= 10_000, {
        name: 'large',
        consume: (large) => large.to('large', { value: json() }),
      })
      .defaultBranch({ consume: (rest) => rest.to('small', { value: json() }) });
    // end
    await running(builder.build(), (driver) => {
      driver.createInputTopic('currencies', string(), json()).pipeInput('usd', { rate: 0.5 });
      const transfers = driver.createInputTopic('transfers', string(), json());
      transfers.pipeInput('1', { currency: 'usd', amount: 30_000 });
      transfers.pipeInput('2', { currency: 'usd', amount: 3 });
      transfers.pipeInput('3', { currency: 'gbp', amount: 3 });
      expect(driver.createOutputTopic('large', string(), json()).readKeyValuesToList()).toEqual([
        { key: '1', value: 15_000 },
      ]);
      expect(driver.createOutputTopic('small', string(), json()).readValuesToList()).toEqual([1.5]);
    });
  });

  it('runs processors with stores and punctuators', async () => {
    // example: processors
    const store = Stores.windowStoreBuilder({
      name: 'alarms',
      key: string(),
      value: long(),
      windowSizeMs: MINUTE_MS,
      retentionMs: 60 * MINUTE_MS,
    });

    class Alarms implements Processor<string, string, string, number> {
      #context!: ProcessorContext<string, number>;
      #counts!: WindowStore<string, number>;

      init(context: ProcessorContext<string, number>): void {
        this.#context = context;
        this.#counts = context.getStateStore('alarms');
        context.schedule({ intervalMs: MINUTE_MS, type: 'STREAM_TIME', callback: (nowMs) => this.#report(nowMs) });
      }

      process(record: Record<string, string>): void {
        const startMs = record.timestamp - (record.timestamp % MINUTE_MS);
        this.#counts.put(record.key, (this.#counts.fetch(record.key, startMs) ?? 0) + 1, startMs);
      }

      #report(nowMs: number): void {
        // Stream time begins with a punctuation at the first record: nothing has closed then.
        for (const { key, value } of this.#counts.fetchAll(nowMs - MINUTE_MS, nowMs - 1)) {
          this.#context.forward(new Record(key.key, value, nowMs));
        }
      }
    }

    const topology = new Topology()
      .addSource('source', 'events', { key: string(), value: string() })
      .addProcessor('alarms', () => new Alarms(), 'source')
      .addStateStore(store, 'alarms')
      .addSink('sink', 'alarm-counts', 'alarms', { key: string(), value: long() });
    // end
    await running(topology, (driver) => {
      const events = driver.createInputTopic('events', string(), string());
      for (const timestampMs of [0, 1, 2, MINUTE_MS]) events.pipeInput('door', 'open', timestampMs);
      expect(driver.createOutputTopic('alarm-counts', string(), long()).readValuesToList()).toEqual([3]);
    });
  });
});

describe('the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  const examples = [...source.matchAll(/^ *\/\/ example: (\S+)\n(.*?)^ *\/\/ end$/gms)];

  it.each(examples.map(([, name, body]) => ({ name, body: body ?? '' })))('shows the example $name', ({ body }) => {
    const lines = body.split('\n').map((line) => line.replace(/^ {4}/, ''));
    expect(readme).toContain(lines.join('\n'));
  });
});
