import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { useTestStack } from '@chip-quality/dev/testing';
import { publint } from 'publint';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npm } from '../../packaging/npm.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/metrics.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Broker, Compression } from '../../src/broker/broker.ts';
import { createWireBroker } from '../../src/broker/wire/wire-broker.ts';
import { produceText, readAll, until } from '../support/memory-cluster-harness.ts';
import {
  areTheTypesWrong,
  installPackage,
  isNode22Available,
  type PackageConsumer,
  strictConfigs,
} from '../support/package-consumer.ts';

const run = promisify(execFile);
const stack = useTestStack(['kafka']);
/** Node 22 and 24; what npm does not have is reported as skipped. */
const nodes = (['22', '24'] as const).map((major) => ({ major, isMissing: major === '22' && !isNode22Available }));

const engineFolder = dirname(dirname(import.meta.dirname));

const lines = ['Kafka streams in Node', 'streams of records', 'records in streams'];
const countsOfLines = { kafka: 1, streams: 3, in: 2, node: 1, of: 1, records: 2 };

/** How long a program may take from its start to the last count: longer than a group waits for a member that was killed. */
const COUNT_TIMEOUT_MS = 50_000;

/** What `packaging/consumer/on-broker.ts` prints. */
interface Answer {
  readonly node: string;
  readonly counts: Readonly<Record<string, number>>;
  /** Records read from the changelog. */
  readonly restored: number;
}

let consumer: PackageConsumer;
let programs: Promise<void> | undefined;

beforeAll(async () => {
  consumer = await installPackage();
  const files = filesOf('**/*');
  console.log(`The package: ${kilobytes(consumer.archive)} kB, ${files.length} files`);
});

afterAll(() => consumer?.remove());

/** Checks and compiles the consumer's programs, once. */
function compilePrograms(): Promise<void> {
  programs ??= consumer.compile(strictConfigs.nodenext);
  return programs;
}

function kilobytes(file: string): number {
  return Math.round(statSync(file).size / 1_000);
}

/** Files of the installed package that match, relative to it. */
function filesOf(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: consumer.packageFolder })
    .filter((path) => statSync(join(consumer.packageFolder, path)).isFile())
    .map((path) => path.split(sep).join('/'))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(consumer.packageFolder, file), 'utf8');
}

describe('the packed engine', () => {
  it('holds every module as source, code and declarations with their maps, the documents, and nothing else', () => {
    const sources = filesOf('src/**/*.ts');
    const compiled = sources.flatMap((source) =>
      ['.d.ts', '.d.ts.map', '.js', '.js.map'].map((ending) =>
        source.replace(/^src\//, 'dist/').replace(/\.ts$/, ending),
      ),
    );
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    expect(filesOf('**/*')).toEqual([...sources, ...compiled, ...documents].sort());
    expect(sources).toContain('src/testing/index.ts');
  });

  it('has source maps that point to its own files', () => {
    for (const map of filesOf('dist/**/*.map')) {
      const { sources } = JSON.parse(read(map)) as { readonly sources: readonly string[] };
      expect(sources).toHaveLength(1);
      const source = resolve(consumer.packageFolder, dirname(map), sources[0] ?? '');
      expect(source.startsWith(join(consumer.packageFolder, 'src')) && existsSync(source), `${map}: ${source}`).toBe(
        true,
      );
    }
  });

  it('names compiled modules in its code and declarations, as every tool resolves them', () => {
    for (const file of filesOf('dist/**/*.{js,d.ts}')) {
      const specifiers = ts.preProcessFile(read(file), true, true).importedFiles.map(({ fileName }) => fileName);
      for (const specifier of specifiers.filter((each) => each.startsWith('.'))) {
        expect(existsSync(resolve(consumer.packageFolder, dirname(file), specifier)), `${file}: ${specifier}`).toBe(
          true,
        );
      }
    }
  });

  it('asks for nothing of the workspace and runs nothing when it is installed', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, unknown>;
    expect(Object.keys(manifest).sort()).toEqual(
      ['dependencies', 'description', 'engines', 'exports', 'files', 'keywords', 'license', 'name'].concat([
        'sideEffects',
        'type',
        'version',
      ]),
    );
    expect(manifest).toMatchObject({
      name: 'millrace',
      type: 'module',
      sideEffects: false,
      engines: { node: '^22.22.0 || >=24.6.0' },
      exports: {
        '.': { types: './dist/index.d.ts', default: './dist/index.js' },
        './testing': { types: './dist/testing/index.d.ts', default: './dist/testing/index.js' },
      },
    });
    for (const file of filesOf('**/*.{ts,js,json}')) expect(read(file), file).not.toContain('@chip-quality');
  });

  it('is not packed in place, where it runs from its sources', async () => {
    await expect(npm(engineFolder, ['pack', '--dry-run'])).rejects.toThrow('npm run build:package');
  });

  it('is clean for publint', async () => {
    const archive = readFileSync(consumer.archive);
    const tarball = archive.buffer.slice(archive.byteOffset, archive.byteOffset + archive.byteLength);
    const { messages } = await publint({ pack: { tarball }, strict: true });
    expect(messages).toEqual([]);
  });

  it('is clean for attw', async () => {
    expect(await areTheTypesWrong(consumer.archive)).toContain('🟢 (ESM)');
  });
});

describe('a program that installed it', () => {
  it('is checked strictly, declarations included, as Node resolves modules', async () => {
    await compilePrograms();
  });

  it('is checked strictly, declarations included, as bundlers resolve modules', async () => {
    await consumer.compile(strictConfigs.bundler);
  });

  it("uses no API that Node 22's declarations lack", async () => {
    await consumer.compile(strictConfigs.sources);
  });

  it.for(nodes)('counts words in the test driver on Node $major', async ({ major, isMissing }, { skip }) => {
    skip(isMissing, 'npm has no Node 22 for this machine');
    await compilePrograms();
    const { stdout } = await run(consumer.nodes[major], [program('in-driver'), JSON.stringify(lines)], options());
    expect(JSON.parse(stdout)).toEqual({
      node: expect.stringMatching(`^v${major}\\.`),
      counts: countsOfLines,
      throwsErrorsOfMillrace: true,
      codeOfDeepImport: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
      requiredIsImported: true,
    });
  });
});

function program(name: string): string {
  return join(consumer.folder, 'out', `${name}.js`);
}

function options() {
  return { cwd: consumer.folder, env: { ...process.env, NODE_OPTIONS: '' } };
}

describe('a program that installed it, on a real broker', () => {
  let broker: Broker;
  const children: ChildProcessWithoutNullStreams[] = [];

  beforeAll(async () => {
    const bootstrapServers = [stack.bootstrapServers];
    const ports = { clock: systemClock, random: systemRandom, log: silentLog };
    broker = createWireBroker({ bootstrapServers, clientId: 'test', ...ports });
    await compilePrograms();
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await broker?.close();
  });

  it.for(nodes)('counts words on Node $major, and goes on after a restart', async ({ major, isMissing }, { skip }) => {
    skip(isMissing, 'npm has no Node 22 for this machine');
    const app = stack.uniqueName(`words-${major}`);
    const topics = { lines: `${app}-lines`, counts: `${app}-counts` };
    const stateDir = join(consumer.folder, 'state', major);
    const specs = Object.values(topics).map((topic) => ({ topic, partitions: 2, replicationFactor: 1, configs: {} }));
    await broker.admin().createTopics(specs);
    const words = Object.keys(countsOfLines);

    /** One life of the program, in which the lines come once more: a batch packed by one of the native codecs. */
    const live = async (times: number, compression: Compression) => {
      const args = [stack.bootstrapServers, app, topics.lines, topics.counts, stateDir, ...words];
      const child = spawn(consumer.nodes[major], [program('on-broker'), ...args], options());
      children.push(child);
      const closed = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      await produceText(broker, topics.lines, 0, timestamped(lines), [], compression);
      const expected = multiplied(times);
      const isCounted = async () => total(await latest(topics.counts)) === total(expected);
      await until(async () => child.exitCode !== null || (await isCounted()), 'the counts', COUNT_TIMEOUT_MS);
      child.stdin.end();
      const [stdout, stderr, [code]] = await closed;
      expect(code, stderr).toBe(0);
      expect(await latest(topics.counts)).toEqual(expected);
      const { node, counts, restored } = JSON.parse(stdout) as Answer;
      expect(node).toMatch(new RegExp(`^v${major}\\.`));
      expect(counts).toEqual(expected);
      return restored;
    };

    await live(1, 'snappy');
    expect(globSync('**/data.mdb', { cwd: stateDir })).not.toEqual([]);
    // What is on disk is not read from the changelog again.
    expect(await live(2, 'lz4')).toBe(0);
    // What is lost is read again.
    rmSync(stateDir, { recursive: true });
    expect(await live(3, 'zstd')).toBeGreaterThan(0);
  });

  /** The last count of each word in the topic. */
  async function latest(topic: string): Promise<Record<string, number>> {
    const records = await readAll(broker, topic);
    return Object.fromEntries(records.map(({ key, value }) => [String(key), Number(value?.readBigInt64BE(0))]));
  }
});

function timestamped(all: readonly string[]): [string, string, number][] {
  const nowMs = Date.now();
  return all.map((line) => ['any', line, nowMs]);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function multiplied(times: number): Record<string, number> {
  return Object.fromEntries(Object.entries(countsOfLines).map(([word, count]) => [word, count * times]));
}
