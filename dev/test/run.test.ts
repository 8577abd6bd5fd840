import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEV_FOLDER } from '../src/base/paths.ts';

const RUN = join(DEV_FOLDER, 'run.mjs');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('a TypeScript file runs on Node 24 with its arguments, and its exit code comes back', () => {
  const file = program(
    'arguments.mts',
    'const args: string[] = process.argv.slice(2);\nconsole.log(JSON.stringify([process.version.split(".")[0], ...args]));\nprocess.exit(7);',
  );
  const result = spawnSync(process.execPath, [RUN, file, '--boards', '300', '--exit'], { encoding: 'utf8' });
  expect(JSON.parse(result.stdout)).toEqual(['v24', '--boards', '300', '--exit']);
  expect(result.status).toBe(7);
});

test('a signal reaches the program, which may end in its own way', async () => {
  const file = program(
    'signals.mts',
    "process.on('SIGTERM', () => process.exit(3));\nsetInterval(() => {}, 1000);\nconsole.log('up');",
  );
  const child = spawn(process.execPath, [RUN, file], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([3, null]);
});

test('a missing file and an unknown option are errors', () => {
  for (const target of ['no-such-file.ts', '--no-such-option']) {
    const result = spawnSync(process.execPath, [RUN, target], { encoding: 'utf8' });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(target);
  }
});
