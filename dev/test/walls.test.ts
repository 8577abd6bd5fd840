import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A line that stands at a path, and what the linter must say of it; undefined: nothing about imports. */
const planted: readonly (readonly [path: string, line: string, message: string | undefined])[] = [
  ['engine/src/state', "import { Datum } from '../processor/datum.ts';", 'may import only rooms below it'],
  ['engine/src/kstream/nodes', "import { T } from '../../runtime/stream-thread.ts';", 'may import only rooms below it'],
  ['engine/src/runtime/task', "import { K } from '../../kafka-streams.ts';", 'may import only rooms below it'],
  ['engine/src/runtime/task', "import { D } from '../../processor/datum.ts';", undefined],
  ['engine/src/kstream', "import { T } from '../runtime/stream-thread.ts';", 'may import only rooms below it'],
  ['engine/src/base', "import type { S } from '../serde/serde.ts';", 'may import only rooms below it'],
  ['engine/src/runtime', "import { W } from '../broker/wire/w.ts';", 'Adapters are chosen'],
  ['engine/src/runtime', "import { of } from 'rxjs';", 'RxJS runs in'],
  ['engine/src/topology', "import { x } from '@chip-quality/schemas';", 'may not import'],
  ['topologies/src', "import { x } from '@chip-quality/models';", 'may not import'],
  ['topologies/src', "import { x } from '@chip-quality/sinks';", 'may not import'],
  ['sinks/src', "import { Kafka } from 'kafkajs';", 'kafkajs is for'],
  ['api/src', "import { Pool } from 'pg';", 'SQL lives in'],
  ['api/src', "import { x } from '@chip-quality/topologies';", 'may not import'],
  ['api/src/live', "import uws from 'uWebSockets.js';", 'HTTP lives in'],
  ['models/src', "import { x } from 'millrace';", 'imports nothing of the platform'],
  ['models/src', "import { x } from '@chip-quality/proto';", undefined],
  ['topologies/src', "import { Client } from '@grpc/grpc-js';", 'Triton is spoken to'],
  ['proto/src', "import { Client } from '@grpc/grpc-js';", 'Triton is spoken to'],
  ['proto/src', "import { loadSync } from '@grpc/proto-loader';", undefined],
  ['engine/src/runtime', 'export const planted = Date.now();', 'Clock and Random ports'],
  ['engine/src/runtime', 'export const planted = Math.random();', 'Clock and Random ports'],
  ['engine/src/runtime', 'export const planted = setTimeout(() => {}, 1);', 'noRestrictedGlobals'],
  ['engine/src/runtime', 'export const planted = performance.now();', 'noRestrictedGlobals'],
  ['sinks/src', "export const planted = process.env['X'];", "Don't use process.env"],
  ['app/src', "export const planted = process.env['X'];", undefined],
  ['engine/src/runtime', "import { D } from '../processor/datum.ts';", undefined],
  ['topologies/src', "import { map } from 'rxjs';", undefined],
];

const wall =
  /noRestrictedImports|noRestrictedGlobals|noProcessEnv|may import only|Adapters are chosen|may not import|lives in|is for/;

describe('the import walls', () => {
  let directory: string;
  const diagnostics = new Map<string, string>();

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'walls-'));
    cpSync(join(root, 'biome.json'), join(directory, 'biome.json'));
    cpSync(join(root, 'dev/lint'), join(directory, 'dev/lint'), { recursive: true });
    planted.forEach(([folder, line], index) => {
      const path = join(directory, folder, `planted-${index}.ts`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${line}\n`);
    });
    const biome = fileURLToPath(import.meta.resolve('@biomejs/biome/bin/biome'));
    const run = spawnSync(
      process.execPath,
      [biome, 'lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', '.'],
      { cwd: directory, encoding: 'utf8' },
    );
    const report = JSON.parse(run.stdout) as {
      diagnostics: { category: string; message: unknown; location: { path: unknown }; advices?: unknown }[];
    };
    for (const diagnostic of report.diagnostics) {
      const name = /planted-\d+/.exec(JSON.stringify(diagnostic.location))?.[0] ?? '';
      diagnostics.set(name, `${diagnostics.get(name) ?? ''}${JSON.stringify(diagnostic)}`);
    }
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each(planted.map((entry, index) => [index, ...entry] as const))(
    '%i: in %s, %s → %s',
    (index, _folder, _line, message) => {
      const said = diagnostics.get(`planted-${index}`) ?? '';
      if (message === undefined) expect(said).not.toMatch(wall);
      else expect(said).toContain(message);
    },
  );
});
