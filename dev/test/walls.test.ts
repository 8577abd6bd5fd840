import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the linter says of `source` if it stood at `path`. */
function lint(path: string, source: string): string {
  const biome = fileURLToPath(import.meta.resolve('@biomejs/biome/bin/biome'));
  const run = spawnSync(process.execPath, [biome, 'lint', `--stdin-file-path=${path}`], {
    cwd: root,
    input: source,
    encoding: 'utf8',
  });
  return run.stdout + run.stderr;
}

describe('the import walls', () => {
  it.each([
    ['engine/src/state/planted.ts', "import { Datum } from '../processor/datum.ts';", 'may import only rooms below it'],
    [
      'engine/src/kstream/planted.ts',
      "import { T } from '../runtime/stream-task.ts';",
      'may import only rooms below it',
    ],
    ['engine/src/base/planted.ts', "import type { S } from '../serde/serde.ts';", 'may import only rooms below it'],
    ['engine/src/runtime/planted.ts', "import { W } from '../broker/wire/w.ts';", 'Adapters are chosen'],
    ['engine/src/runtime/planted.ts', "import { of } from 'rxjs';", 'RxJS runs in'],
    ['engine/src/topology/planted.ts', "import { x } from '@chip-quality/schemas';", 'may not import'],
    ['topologies/src/planted.ts', "import { x } from '@chip-quality/models';", 'may not import'],
    ['topologies/src/planted.ts', "import { x } from '@chip-quality/sinks';", 'may not import'],
    ['sinks/src/planted.ts', "import { Kafka } from 'kafkajs';", 'kafkajs is for'],
    ['api/src/planted.ts', "import { Pool } from 'pg';", 'SQL lives in'],
    ['api/src/planted.ts', "import { x } from '@chip-quality/topologies';", 'may not import'],
    ['api/src/live/planted.ts', "import uws from 'uWebSockets.js';", 'HTTP lives in'],
    ['models/src/planted.ts', "import { x } from 'millrace';", 'imports nothing of the platform'],
  ])('%s may not say %s', (path, line, message) => {
    expect(lint(path, `${line}\n`)).toContain(message);
  });

  it.each(['Date.now()', 'Math.random()', 'setTimeout(() => {}, 1)', 'performance.now()'])(
    'the engine may not call %s',
    (call) => {
      expect(lint('engine/src/runtime/planted.ts', `export const planted = ${call};\n`)).toMatch(/port|ports/);
    },
  );

  it('only app/ and dev/ read the environment', () => {
    expect(lint('sinks/src/planted.ts', "export const planted = process.env['X'];\n")).toContain('noProcessEnv');
    expect(lint('app/src/planted.ts', "export const planted = process.env['X'];\n")).not.toContain('noProcessEnv');
  });

  it('lets a room import what lies below it', () => {
    const allowed = lint(
      'engine/src/runtime/planted.ts',
      "import type { D } from '../processor/datum.ts';\nexport type E = D;\n",
    );
    expect(allowed).not.toContain('noRestrictedImports');
  });
});
