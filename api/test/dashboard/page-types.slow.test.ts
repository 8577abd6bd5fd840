import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const PROJECT = fileURLToPath(new URL('../../src/dashboard/browser/tsconfig.json', import.meta.url));

// The page's scripts are JavaScript with types in comments and have the browser's library: the root project leaves them out.
it('finds no type error in the scripts of the live page', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [TSC, '-p', PROJECT]).catch((error) => error);
  expect(stdout).toBe('');
});
