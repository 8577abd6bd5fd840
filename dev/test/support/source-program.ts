import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** Files that a tool writes; what they are made from carries the documentation. */
const generated = /\/generated\/|\/node_modules\/|\/dist\/|\.d\.m?ts$/;

/** The compiler's view of the `src` folders of workspaces, and of files that exist only in memory. */
export interface SourceProgram {
  readonly program: ts.Program;
  /** The absolute path of the repository, with `/`. */
  readonly root: string;
  /** The source files that people write: under `<workspace>/src`, without generated ones and those in memory. */
  readonly sources: readonly ts.SourceFile[];
}

/** What {@link createSourceProgram} looks at. */
export interface SourceProgramOptions {
  /** The absolute path of the repository. */
  readonly root: string;
  /** Folders of the root whose `src` is read. */
  readonly workspaces: readonly string[];
  /** Files in memory, by their path relative to `root`; they resolve imports as if they stood there. */
  readonly virtual?: ReadonlyMap<string, string>;
  /** A program whose parsed files are taken over, so that they are not parsed twice. */
  readonly base?: SourceProgram;
}

/** Parses sources with the repository's own compiler options; `millrace` is the engine's source, built or not. */
export function createSourceProgram(given: SourceProgramOptions): SourceProgram {
  const root = given.root.replaceAll('\\', '/');
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [], files: [] }, ts.sys, root);
  options.paths = {
    millrace: [`${root}/engine/src/index.ts`],
    'millrace/testing': [`${root}/engine/src/testing/index.ts`],
  };
  const host = ts.createCompilerHost(options, true);
  const inMemory = new Map([...(given.virtual ?? [])].map(([path, text]) => [`${root}/${path}`, text]));
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => inMemory.has(path) || fileExists(path);
  host.readFile = (path) => inMemory.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = inMemory.get(path);
    if (text !== undefined) return ts.createSourceFile(path, text, rest[0], true);
    return given.base?.program.getSourceFile(path) ?? getSourceFile(path, ...rest);
  };
  const roots = given.workspaces.flatMap((workspace) => typeScriptFiles(`${root}/${workspace}/src`));
  const program = ts.createProgram([...roots, ...inMemory.keys()], options, host);
  return { program, root, sources: roots.flatMap((path) => program.getSourceFile(path) ?? []) };
}

/** Whether documentation is asked of a declaration in this file: people write it, and it belongs to the repository. */
export function isWritten(root: string, file: ts.SourceFile): boolean {
  return file.fileName.startsWith(`${root}/`) && !generated.test(file.fileName.slice(root.length));
}

function typeScriptFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !generated.test(path))
    .sort();
}
