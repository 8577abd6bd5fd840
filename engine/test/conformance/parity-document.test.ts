import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parityDocument } from '../../conformance/parity-document.ts';
import { comparedTopologies } from '../../conformance/write-docs.ts';

const engineTests = new URL('../', import.meta.url);
const kept = new URL('../../../docs/parity.md', import.meta.url);

test('docs/parity.md is what npm run conformance -- --write-docs writes', () => {
  const made = parityDocument(comparedTopologies, (path) => existsSync(new URL(path, engineTests)));
  expect(readFileSync(kept, 'utf8')).toBe(made);
});
