import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPOSITION_NAME } from './compositions/composition-case.ts';
import { parityDocument } from './parity-document.ts';
import { topologies } from './topologies/index.ts';

const document = join(import.meta.dirname, '..', '..', 'docs', 'parity.md');
const tests = join(import.meta.dirname, '..', 'test');

/** Everything that the runner compares, by the names of its reports. */
export const comparedTopologies: readonly string[] = [
  ...Object.keys(topologies),
  COMPOSITION_NAME,
  'describe-default-names',
].sort();

/** Writes `docs/parity.md`; rows whose topologies have just failed say so. */
export function writeParityDocument(failed: ReadonlySet<string>): void {
  writeFileSync(
    document,
    parityDocument(comparedTopologies, (path) => existsSync(join(tests, path)), failed),
  );
}
