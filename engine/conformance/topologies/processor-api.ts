import { type Processor, type ProcessorContext, Record, Stores, Topology } from '../../src/index.ts';
import type { KeyValueStore } from '../../src/state/key-value-store.ts';
import { type Params, strings, type TopologyFamily, text } from './family.ts';
import { processorRouting } from './processor-routing.ts';
import { storeReads } from './store-reads.ts';

export const processorApi: TopologyFamily = {
  ...storeReads,
  ...processorRouting,

  'papi-punctuate': {
    build: (params, store) => {
      const buffer = Stores.keyValueStoreBuilder({ name: 'buf', ...strings, store });
      return new Topology()
        .addSource('src', 'in', strings)
        .addProcessor('proc', { get: () => new Punctuated(params), stores: () => [buffer] }, 'src')
        .addSink('sink', 'out', 'proc', strings);
    },
    plainStores: ['buf'],
  },
};

/** Gathers values of each key and forwards them from both kinds of punctuator. */
class Punctuated implements Processor<string, string, string, string> {
  readonly #params: Params;
  #context!: ProcessorContext<string, string>;
  #store!: KeyValueStore<string, string>;

  constructor(params: Params) {
    this.#params = params;
  }

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#store = context.getStateStore('buf');
    const { streamEvery, wallEvery } = this.#params as { streamEvery: number; wallEvery: number };
    context.schedule({ intervalMs: streamEvery, type: 'STREAM_TIME', callback: (at) => this.#fire('st', at) });
    context.schedule({ intervalMs: wallEvery, type: 'WALL_CLOCK_TIME', callback: (at) => this.#fire('wc', at) });
  }

  process(record: Record<string, string>): void {
    if (record.key === null) return;
    this.#store.put(record.key, (this.#store.get(record.key) ?? '') + text(record.value));
  }

  #fire(kind: string, at: number): void {
    const entries = [...this.#store.all()];
    for (const { key, value } of entries) {
      this.#context.forward(new Record(key, `${kind}@${at}=${value}`, at));
      this.#store.delete(key);
    }
    if (entries.length === 0) {
      this.#context.forward(new Record('-', `${kind}@${at} empty stream=${this.#context.currentStreamTimeMs()}`, at));
    }
  }
}
