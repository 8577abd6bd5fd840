import { type Processor, type ProcessorContext, type Record, Stores, Topology } from '../../src/index.ts';
import type { KeyValueStore } from '../../src/state/key-value-store.ts';
import { strings, type TopologyFamily, text } from './family.ts';

/** Where processors send records, what headers their children see, and stores that are filled from topics of their own. */
export const processorRouting: TopologyFamily = {
  'papi-routing': {
    build: () =>
      new Topology()
        .addSource('src', 'in', strings)
        .addProcessor('router', () => new Router(), 'src')
        .addProcessor('left', () => new Marking('left'), 'router')
        .addProcessor('right', () => new Marking('right'), 'router')
        .addProcessor('last', () => new Marking('last'), ['left', 'right'])
        .addSink('sink', 'out', ['left', 'last'], strings)
        .addSink('chosen', chooseTopic, 'router', strings),
    params: [],
  },

  'papi-filled-stores': {
    build: (_params, store) => {
      const readOnly = Stores.keyValueStoreBuilder({ name: 'ro', ...strings, store, loggingEnabled: false });
      const global = Stores.keyValueStoreBuilder({ name: 'glo', ...strings, store, loggingEnabled: false });
      return new Topology()
        .addGlobalStore({
          store: global,
          sourceName: 'global-source',
          topic: 'third',
          ...strings,
          processorName: 'global-filler',
          supplier: () => new Filling('glo', '!'),
        })
        .addReadOnlyStateStore({
          store: readOnly,
          sourceName: 'ro-source',
          topic: 'right',
          ...strings,
          processorName: 'ro-filler',
          supplier: () => new Filling('ro', '?'),
        })
        .addSource('src', 'left', strings)
        .addProcessor('look', () => new Looking(), 'src', { stores: ['ro'] })
        .addSink('sink', 'out', 'look', strings);
    },
    plainStores: ['ro', 'glo'],
    params: [],
  },
};

/** Its name is in the text of describe(). */
function chooseTopic(key: string | null): string {
  return key === 'A' ? 'out-a' : 'out-rest';
}

/** `a…` goes to one child, `b…` to another a moment later, the rest to all. */
class Router implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }

  process(record: Record<string, string | null>): void {
    const { value } = record;
    record.headers.add('from', `${this.#context.recordMetadata()?.offset}`);
    if (value === null) return;
    if (value.startsWith('a')) this.#context.forward(record as Record<string, string>, 'left');
    else if (value.startsWith('b'))
      this.#context.forward(record.withValue(`${value}+`).withTimestamp(record.timestamp + 1), 'right');
    else this.#context.forward(record as Record<string, string>);
  }
}

/** Adds its name to the headers, which children of one parent share. */
class Marking implements Processor<string, string, string, string> {
  readonly #name: string;
  #context!: ProcessorContext<string, string>;

  constructor(name: string) {
    this.#name = name;
  }

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
  }

  process(record: Record<string, string>): void {
    record.headers.add('seen', this.#name);
    this.#context.forward(record.withValue(`${record.value}:${this.#name}@${this.#context.currentStreamTimeMs()}`));
  }
}

class Filling implements Processor<string, string, never, never> {
  readonly #name: string;
  readonly #mark: string;
  #store!: KeyValueStore<string, string>;

  constructor(name: string, mark: string) {
    this.#name = name;
    this.#mark = mark;
  }

  init(context: ProcessorContext<never, never>): void {
    this.#store = context.getStateStore(this.#name);
  }

  process(record: Record<string | null, string | null>): void {
    if (record.key === null) return;
    if (record.value === null) this.#store.delete(record.key);
    else this.#store.put(record.key, record.value + this.#mark);
  }
}

class Looking implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  #readOnly!: KeyValueStore<string, string>;
  #global!: KeyValueStore<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#readOnly = context.getStateStore('ro');
    this.#global = context.getStateStore('glo');
  }

  process(record: Record<string | null, string>): void {
    if (record.key === null) return;
    const found = [this.#readOnly.get(record.key), this.#global.get(record.key)].map(text).join('|');
    this.#context.forward((record as Record<string, string>).withValue(found));
  }
}
