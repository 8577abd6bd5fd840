import type { Disk } from '../../../base/disk.ts';
import type { Processor, ProcessorContext } from '../../../processor/processor.ts';
import type { Record } from '../../../processor/record.ts';
import { PeekProcessor } from './stateless-processors.ts';

/** What `print` writes of a record, and where. */
export interface Printing<K, V> {
  /** Text of a record. Default: `key, value`, each as `String` shows it. */
  readonly format?: ((key: K, value: V) => string) | undefined;
  /** A file, emptied when the first task that writes to it begins; default: the standard output. */
  readonly file?: string | undefined;
  /** Takes the lines instead, for tests. */
  readonly write?: ((line: string) => void) | undefined;
}

/** Makes the processors of `print`. */
export function printing<K, V>(options: Printing<K, V>, label: string): () => Processor<K, V, K, V> {
  const { format = (key, value) => `${key}, ${value}`, file } = options;
  const lineOf = (key: K, value: V): string => `[${label}]: ${format(key, value)}`;
  if (options.write === undefined && file !== undefined) {
    const emptied = new WeakSet<Disk>();
    return () => new FilePrinter(file, lineOf, emptied);
  }
  const write = options.write ?? ((line: string): void => void process.stdout.write(`${line}\n`));
  return () => new PeekProcessor<K, V>((key, value) => write(lineOf(key, value)), false);
}

/** Appends a line a record to a file that all tasks share; `emptied`: the disks on which they have begun it anew. */
class FilePrinter<K, V> implements Processor<K, V, K, V> {
  readonly #file: string;
  readonly #lineOf: (key: K, value: V) => string;
  readonly #emptied: WeakSet<Disk>;
  #disk: Disk | undefined;

  constructor(file: string, lineOf: (key: K, value: V) => string, emptied: WeakSet<Disk>) {
    this.#file = file;
    this.#lineOf = lineOf;
    this.#emptied = emptied;
  }

  init(context: ProcessorContext<K, V>): void {
    const { disk } = context.config;
    this.#disk = disk;
    if (this.#emptied.has(disk)) return;
    disk.writeTextSync(this.#file, '');
    this.#emptied.add(disk);
  }

  process(record: Record<K, V>): void {
    this.#disk?.appendTextSync(this.#file, `${this.#lineOf(record.key, record.value)}\n`);
  }
}
