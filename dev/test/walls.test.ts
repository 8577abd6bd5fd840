import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFile, repositoryRoot, sourceFiles, staleRows, type Walls } from './support/check-walls.ts';

const walls = JSON.parse(readFileSync(join(repositoryRoot, 'dev/lint/walls.json'), 'utf8')) as Walls;

/** Files in one folder; tests' vectors and generated files aside. */
const FILES_PER_FOLDER_MAX = 20;

describe('the import walls', () => {
  it('hold for every import of every source file', () => {
    const files = sourceFiles(repositoryRoot, walls);
    // A check that reads nothing finds nothing.
    expect(files.length).toBeGreaterThan(500);
    const broken = files.flatMap((file) => checkFile(walls, file, readFileSync(join(repositoryRoot, file), 'utf8')));
    expect(
      broken.map(({ file, line, specifier, remedy }) => `${file}:${line} imports '${specifier}': ${remedy}`),
    ).toEqual([]);
  });

  it('name only rooms, floors and packages that are there', () => {
    expect(staleRows(repositoryRoot, walls)).toEqual([]);
  });

  /** A line that stands in a file, and what is said of it; undefined: nothing. */
  const planted: readonly (readonly [file: string, line: string, remedy: string | undefined])[] = [
    ['engine/src/state/x.ts', "import { Datum } from '../processor/datum.ts';", 'may import only what is below it'],
    ['engine/src/state/x.ts', "import { B } from '../broker/broker.ts';", 'neighbours on one floor'],
    ['engine/src/kstream/x.ts', "import { T } from '../runtime/thread/stream-thread.ts';", 'only what is below it'],
    ['engine/src/kstream/windows/x.ts', "import { K } from '../k-stream.ts';", 'only what is below it'],
    ['engine/src/kstream/processors/join/x.ts', "import { A } from '../aggregate/fold.ts';", 'neighbours'],
    ['engine/src/kstream/processors/table/x.ts', "import { J } from '../join/x.ts';", 'only what is below it'],
    ['engine/src/kstream/operations/x.ts', "import { F } from '../processors/join/x.ts';", undefined],
    ['engine/src/runtime/task/x.ts', "import { K } from '../../kafka-streams.ts';", 'only what is below it'],
    ['engine/src/runtime/task/x.ts', "import { T } from '../thread/stream-thread.ts';", 'only what is below it'],
    ['engine/src/runtime/task/x.ts', "import { D } from '../../processor/datum.ts';", undefined],
    ['engine/src/runtime/somewhere/x.ts', "import { D } from '../errors.ts';", 'stands on no floor'],
    ['engine/src/base/x.ts', "import type { S } from '../serde/serde.ts';", 'only what is below it'],
    ['engine/src/base/x.ts', "type S = import('../serde/serde.ts').Serde<string>;", 'only what is below it'],
    ['engine/src/base/x.ts', "export const lazy = () => import('../serde/serde.ts');", 'only what is below it'],
    ['engine/src/base/x.ts', "export * from '../serde/serde.ts';", 'only what is below it'],
    ['engine/src/base/x.ts', "// import { S } from '../serde/serde.ts';", undefined],
    ['engine/src/base/x.ts', "export * as all from '../kafka-streams.ts';", 'only what is below it'],
    ['engine/src/base/x.ts', "import s = require('../serde/serde.ts');", 'only what is below it'],
    ['engine/src/base/x.ts', "const s = require('../serde/serde.ts');", 'only what is below it'],
    ['engine/src/base/x.ts', 'export const s = () => import(`../serde/serde.ts`);', 'only what is below it'],
    [
      'engine/src/base/x.ts',
      "const q = /['`]/; export const s = () => import('../serde/serde.ts');",
      'only what is below it',
    ],
    ['engine/src/base/x.ts', "import.meta.resolve('../serde/serde.ts');", 'only what is below it'],
    ['engine/src/base/x.ts', "new Worker(new URL('../serde/serde.ts', import.meta.url));", 'only what is below it'],
    ['engine/src/base/x.ts', "declare module '../serde/serde.ts' {}", 'only what is below it'],
    ['engine/src/base/x.ts', "import type { T } from '../../test/support/batches.ts';", 'is not shipped'],
    ['engine/src/base/x.ts', 'export const s = (name: string) => import(name);', 'nobody can check'],
    ['engine/src/base/x.ts', "process.getBuiltinModule('node:fs');", 'node:fs is used only in'],
    ['engine/src/base/x.mts', "import { S } from '../serde/serde.ts';", 'only what is below it'],
    ['engine/src/base/x.ts', "import x from '/somewhere/x.js';", 'has no place yet'],
    ['api/src/dashboard/browser/x.js', "import x from '/dashboard/vendor/uplot.js';", undefined],
    ['engine/src/runtime/task/x.ts', "import { W } from '../../broker/wire/w.ts';", 'is imported only by'],
    ['engine/src/kafka-streams.ts', "import { W } from './broker/wire/w.ts';", undefined],
    ['engine/src/query/x.ts', "import { M } from '../broker/memory/memory-broker.ts';", 'is imported only by'],
    ['engine/src/broker/wire/connection/x.ts', "import { P } from '../producer/x.ts';", 'only what is below it'],
    ['engine/src/runtime/task/x.ts', "import { of } from 'rxjs';", 'rxjs is used only in'],
    [
      'engine/src/topology/x.ts',
      "import { x } from '@chip-quality/schemas';",
      'engine/ may import of other rooms only nothing',
    ],
    ['engine/src/topology/x.ts', "import { x } from '../../../schemas/src/topics.ts';", 'crosses the wall'],
    ['engine/test/x.test.ts', "import { x } from '../../schemas/src/topics.ts';", 'crosses the wall'],
    ['engine/src/runtime/directory/x.ts', "import { rmSync } from 'node:fs';", 'node:fs is used only in'],
    ['engine/src/runtime/directory/x.ts', "import { rmSync } from 'fs';", 'node:fs is used only in'],
    ['engine/src/state/x.ts', "import { readFile } from 'node:fs/promises';", 'node:fs is used only in'],
    ['engine/src/state/x.ts', "const { rm } = await import('fs/promises');", 'node:fs is used only in'],
    ['engine/src/base/disk.ts', "import type { Stats } from 'node:fs';", 'node:fs is used only in'],
    ['engine/src/base/system-disk.ts', "import { rm } from 'node:fs/promises';", undefined],
    ['engine/src/runtime/task/x.ts', "import { hostname } from 'node:os';", 'node:os is used only in'],
    ['engine/src/runtime/task/x.ts', "import { exit } from 'node:process';", 'node:process is not used in engine/src'],
    ['engine/src/runtime/task/x.ts', "import { setTimeout } from 'node:timers/promises';", 'node:timers is not used'],
    ['engine/src/runtime/task/x.ts', "import { join } from 'node:path';", undefined],
    ['engine/test/runtime/x.test.ts', "import { rmSync } from 'node:fs';", undefined],
    ['topologies/src/x.ts', "import { x } from '@chip-quality/models';", 'may import of other rooms only'],
    ['topologies/src/x.ts', "import { x } from '@chip-quality/sinks';", 'may import of other rooms only'],
    ['topologies/src/x.ts', "import { x } from 'millrace/testing';", 'may import of other rooms only'],
    ['topologies/src/x.ts', "import { map } from 'rxjs';", undefined],
    ['sinks/src/timescale/x.ts', "import { Kafka } from 'kafkajs';", 'kafkajs is used only in'],
    ['api/src/routes/x.ts', "import { Pool } from 'pg';", 'pg is used only in'],
    ['api/src/routes/x.ts', "import { x } from '@chip-quality/topologies';", 'may import of other rooms only'],
    ['api/src/routes/x.ts', "import uws from 'uWebSockets.js';", 'uWebSockets.js is used only in'],
    ['api/src/routes/x.ts', "import { readFile } from 'node:fs/promises';", undefined],
    ['models/src/x.ts', "import { x } from 'millrace';", 'may import of other rooms only'],
    ['models/src/x.ts', "import { x } from '@chip-quality/proto';", undefined],
    ['proto/src/x.ts', "import { Client } from '@grpc/grpc-js';", '@grpc/grpc-js is used only in'],
    ['proto/src/x.ts', "import { loadSync } from '@grpc/proto-loader';", undefined],
    ['stations/src/x.ts', "import { x } from '@chip-quality/api';", 'may import of other rooms only'],
    ['sinks/src/x.ts', "import { z } from 'some-new-package';", 'has no place yet'],
  ];

  it.each(planted)('in %s, %s → %s', (file, line, remedy) => {
    const found = checkFile(walls, file, `// a first line\n${line}\n`);
    if (remedy === undefined) expect(found).toEqual([]);
    else expect(found).toEqual([expect.objectContaining({ file, line: 2, remedy: expect.stringContaining(remedy) })]);
  });

  it('name a row whose folder or package is gone', () => {
    const stale = staleRows(repositoryRoot, {
      ...walls,
      floors: { 'engine/src': ['cellar'] },
      builtins: { 'engine/src': { 'node:attic': ['engine/src/attic.ts'] } },
      packages: { 'left-pad': ['engine/src/attic'] },
    });
    expect(stale).toEqual([
      'floors of engine/src: there is no engine/src/cellar',
      'builtins of engine/src: Node.js has no node:attic',
      'builtins of engine/src, node:attic: there is no engine/src/attic.ts',
      'packages: no package.json has left-pad',
      'packages, left-pad: there is no engine/src/attic',
    ]);
  });
});

describe('the rooms', () => {
  it(`hold at most ${FILES_PER_FOLDER_MAX} source files a folder`, () => {
    const count = new Map<string, number>();
    for (const file of sourceFiles(repositoryRoot, walls)) {
      if (file.split('/')[1] === 'src') count.set(dirname(file), (count.get(dirname(file)) ?? 0) + 1);
    }
    expect([...count].filter(([, files]) => files > FILES_PER_FOLDER_MAX)).toEqual([]);
  });

  it('are all walled: every workspace is a room', () => {
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { workspaces: string[] };
    expect(Object.keys(walls.rooms).sort()).toEqual([...manifest.workspaces].sort());
    const folders = readdirSync(repositoryRoot, { withFileTypes: true });
    const isWorkspace = (name: string): boolean =>
      spawnSync('git', ['ls-files', '--error-unmatch', `${name}/package.json`], { cwd: repositoryRoot }).status === 0;
    const unknown = folders.filter(
      (entry) => entry.isDirectory() && isWorkspace(entry.name) && !(entry.name in walls.rooms),
    );
    expect(unknown.map(({ name }) => name)).toEqual([]);
  });
});

/** What the linter must say of a line: time, randomness and the environment come through ports and the composition root. */
const globals: readonly (readonly [path: string, line: string, message: string | undefined])[] = [
  ['engine/src/runtime', 'export const planted = Date.now();', 'Clock and Random ports'],
  ['engine/src/runtime', 'export const planted = Math.random();', 'Clock and Random ports'],
  ['engine/src/runtime', 'export const planted = setTimeout(() => {}, 1);', 'noRestrictedGlobals'],
  ['engine/src/runtime', 'export const planted = performance.now();', 'noRestrictedGlobals'],
  ['sinks/src', "export const planted = process.env['X'];", "Don't use process.env"],
  ['app/src', "export const planted = process.env['X'];", undefined],
  ['engine/src/base', "export const planted = 'nothing to say';", undefined],
];

describe('ports for time, randomness and the environment', () => {
  let directory: string;
  const diagnostics = new Map<string, string>();

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'walls-'));
    cpSync(join(repositoryRoot, 'biome.json'), join(directory, 'biome.json'));
    cpSync(join(repositoryRoot, 'dev/lint'), join(directory, 'dev/lint'), { recursive: true });
    globals.forEach(([folder, line], index) => {
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
    const report = JSON.parse(run.stdout) as { diagnostics: { location: unknown }[] };
    for (const diagnostic of report.diagnostics) {
      const name = /planted-\d+/.exec(JSON.stringify(diagnostic.location))?.[0] ?? '';
      diagnostics.set(name, `${diagnostics.get(name) ?? ''}${JSON.stringify(diagnostic)}`);
    }
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each(globals.map((entry, index) => [index, ...entry] as const))(
    '%i: in %s, %s → %s',
    (index, _folder, _line, message) => {
      const said = diagnostics.get(`planted-${index}`) ?? '';
      if (message === undefined) expect(said).not.toMatch(/noRestrictedGlobals|noProcessEnv|Clock and Random/);
      else expect(said).toContain(message);
    },
  );
});
