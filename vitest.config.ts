import { defineConfig } from 'vitest/config';

/**
 * `fast` needs no network and no children; `integration` runs against the real local stack; `package` installs the packed
 * engine in a folder elsewhere; `triton` runs against a real Triton server, half a gigabyte to install. `browser`, `package`,
 * `triton` and `slow` run in `.ci/run` only.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['*/test/**/*.test.ts'],
          exclude: ['**/*.{integration,browser,package,slow,triton}.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['*/test/**/*.integration.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'slow',
          include: ['*/test/**/*.slow.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'package',
          include: ['*/test/**/*.package.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'triton',
          include: ['*/test/**/*.triton.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['*/test/**/*.browser.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
