import { appendFileSync, writeFileSync } from 'node:fs';
import type { Processor } from '../../../processor/processor.ts';
import { PeekProcessor } from './stateless-processors.ts';

/** What `print` writes of a record, and where. */
export interface Printing<K, V> {
  /** Text of a record. Default: `key, value`, each as `String` shows it. */
  readonly format?: ((key: K, value: V) => string) | undefined;
  /** A file, emptied when the program is made; default: the standard output. */
  readonly file?: string | undefined;
  /** Takes the lines instead, for tests. */
  readonly write?: ((line: string) => void) | undefined;
}

/** Makes the processors of `print`. */
export function printing<K, V>(options: Printing<K, V>, label: string): () => Processor<K, V, K, V> {
  const { format = (key, value) => `${key}, ${value}`, file } = options;
  if (file !== undefined) writeFileSync(file, '');
  const write =
    options.write ??
    ((line: string): void => {
      if (file === undefined) process.stdout.write(`${line}\n`);
      else appendFileSync(file, `${line}\n`);
    });
  return () => new PeekProcessor<K, V>((key, value) => write(`[${label}]: ${format(key, value)}`), false);
}
