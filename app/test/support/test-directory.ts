import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const local = fileURLToPath(new URL('../../../.local', import.meta.url));

/** Data folder of a test's own stack: two folders are two independent lines, also of two test runs at the same time. */
export function testDirectory(name: string): string {
  return join(local, `${name}-${process.pid}`);
}

/** Removes what a test wrote. Processes that were just killed may still be closing files in it: it tries for some seconds. */
export function removeTestDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
}
