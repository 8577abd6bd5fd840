import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** The walls as data (`dev/lint/walls.json`). All paths are relative to the repository's root, with `/`. */
export interface Walls {
  /** Per workspace: the specifiers of other workspaces that its `src` may import. */
  readonly rooms: Readonly<Record<string, readonly string[]>>;
  /**
   * Per folder: its files and folders from the top floor to the lowest; each may import only itself and what is below. What stands
   * in one list is on one floor, and its members don't import each other. `*` is everything that has no floor of its own.
   */
  readonly floors: Readonly<Record<string, readonly (string | readonly string[])[]>>;
  /** Per folder: who may import it, besides itself. */
  readonly doors: Readonly<Record<string, readonly string[]>>;
  /**
   * Per folder: which of Node.js's own modules its files may import, and in which folders and files. One that has no row is not
   * imported there at all; a row holds for `node:fs/promises` and its like, too. Folders without a row here may import all.
   */
  readonly builtins: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Per npm package: the folders and files that may import it. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
}

export interface Violation {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly specifier: string;
  /** What is wrong and what to do instead. */
  readonly remedy: string;
}

const WALLS_FILE = 'dev/lint/walls.json';
const builtins = new Set(builtinModules);

/** Folders beside `src` that nothing which ships may need. */
const NOT_SHIPPED: ReadonlySet<string> = new Set(['test', 'conformance', 'packaging']);
/** The live page, whose modules a browser loads. */
const BROWSER_FOLDER = 'api/src/dashboard/browser';
/** What an import names where its module is computed. */
const COMPUTED = '(computed)';
/** Code that may be loaded by its URL, as worker threads are. */
const CODE_URL = /^\.\.?\/.*\.[cm]?[jt]sx?$/;

/**
 * Every module that one file names: imports and re-exports in all forms, of types too, dynamic ones, `require`, what is resolved by
 * `import.meta`, code that is loaded by its URL, augmented and referenced files, built-ins by `getBuiltinModule`.
 */
export function importsOf(
  source: string,
  file = 'file.ts',
): readonly { readonly specifier: string; readonly line: number }[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, false);
  const found: { specifier: string; line: number }[] = [];
  const add = (specifier: string, position: number): void => {
    found.push({ specifier, line: tree.getLineAndCharacterOfPosition(position).line + 1 });
  };
  const addLiteral = (node: ts.Node | undefined): void => {
    if (node === undefined) return;
    if (ts.isStringLiteralLike(node)) add(node.text, node.pos);
    else add(COMPUTED, node.pos);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) addLiteral(node.moduleSpecifier);
    } else if (ts.isExternalModuleReference(node)) addLiteral(node.expression);
    else if (ts.isImportTypeNode(node))
      addLiteral(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument);
    else if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name)) addLiteral(node.name);
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) addLiteral(node.arguments[0]);
    else if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'URL') {
      const target = node.arguments?.[0];
      if (target !== undefined && ts.isStringLiteralLike(target) && CODE_URL.test(target.text)) addLiteral(target);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  for (const { fileName, pos } of tree.referencedFiles) add(fileName.startsWith('.') ? fileName : `./${fileName}`, pos);
  return found;
}

/** `import`, `require`, `import.meta.resolve` and `process.getBuiltinModule`. */
function loadsModule(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  if (!ts.isPropertyAccessExpression(callee)) return false;
  return (
    callee.name.text === 'getBuiltinModule' || (ts.isMetaProperty(callee.expression) && callee.name.text === 'resolve')
  );
}

/** `file`: relative to the root. Answers the broken rules of this file, at most one an import. */
export function checkFile(walls: Walls, file: string, source: string): readonly Violation[] {
  const violations: Violation[] = [];
  for (const { specifier, line } of importsOf(source, file)) {
    const remedy = /^\.\.?(\/|$)/.test(specifier)
      ? relativeRemedy(walls, file, posix.join(posix.dirname(file), specifier))
      : packageRemedy(walls, file, specifier);
    if (remedy !== undefined) violations.push({ file, line, specifier, remedy });
  }
  return violations;
}

function relativeRemedy(walls: Walls, file: string, target: string): string | undefined {
  const room = roomOf(file);
  if (roomOf(target) !== room) {
    return `crosses the wall of ${room}/ by a path: import another workspace by its package name, as its exports allow.`;
  }
  if (!isSource(file)) return undefined;
  const folderOfTarget = target.split('/')[1];
  if (folderOfTarget !== undefined && NOT_SHIPPED.has(folderOfTarget)) {
    return `${room}/${folderOfTarget} is not shipped: move what is needed to ${room}/src.`;
  }
  for (const [folder, visitors] of Object.entries(walls.doors)) {
    if (!isIn(target, folder) || isIn(file, folder)) continue;
    if (!visitors.some((visitor) => isIn(file, visitor))) {
      return `${folder} is imported only by ${visitors.join(', ')}: go through the port that it implements.`;
    }
  }
  for (const [folder, floors] of Object.entries(walls.floors)) {
    if (!isIn(file, folder) || !isIn(target, folder)) continue;
    const from = floorOf(floors, relativeTo(folder, file));
    const to = floorOf(floors, relativeTo(folder, target));
    if (from === undefined || to === undefined) {
      const homeless = from === undefined ? file : target;
      return `${homeless} stands on no floor of ${folder}: give it a place in ${WALLS_FILE}.`;
    }
    if (to.level < from.level) {
      return `${folder}/${from.name} may import only what is below it, and ${to.name} is above: move what both need down, or let ${to.name} pass it in.`;
    }
    if (to.level === from.level && to.name !== from.name) {
      return `${from.name} and ${to.name} are neighbours on one floor of ${folder}: move what both need down, or let a floor above connect them.`;
    }
  }
  return undefined;
}

function packageRemedy(walls: Walls, file: string, specifier: string): string | undefined {
  // Modules that a browser loads by their URL.
  if (specifier.startsWith('/') && isIn(file, BROWSER_FOLDER)) return undefined;
  if (specifier === COMPUTED) {
    return isSource(file) ? 'a module is named where it is loaded: nobody can check what is computed.' : undefined;
  }
  if (specifier.startsWith('node:') || builtins.has(specifier)) return builtinRemedy(walls, file, specifier);
  if (!isSource(file)) return undefined;
  const room = roomOf(file);
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (name === 'millrace' || name.startsWith('@chip-quality/')) {
    const allowed = walls.rooms[room] ?? [];
    if (allowed.includes(specifier)) return undefined;
    return `${room}/ may import of other rooms only ${allowed.join(', ') || 'nothing'}: let app/ inject what is needed as a port.`;
  }
  const places = walls.packages[name];
  if (places === undefined) return `${name} has no place yet: say in ${WALLS_FILE} which room it belongs to.`;
  if (places.some((place) => isIn(file, place))) return undefined;
  return `${name} is used only in ${places.join(', ')}: use what that room offers.`;
}

function builtinRemedy(walls: Walls, file: string, specifier: string): string | undefined {
  const name = `node:${specifier.replace(/^node:/, '').split('/')[0]}`;
  for (const [folder, rows] of Object.entries(walls.builtins)) {
    if (!isIn(file, folder)) continue;
    const places = rows[name];
    if (places === undefined)
      return `${name} is not used in ${folder}: give it a place in ${WALLS_FILE}, behind a port.`;
    if (!places.some((place) => isIn(file, place))) {
      return `${name} is used only in ${places.join(', ')}: go through the port that is implemented there.`;
    }
  }
  return undefined;
}

/** The walls concern what ships; tests may reach for anything that their package.json names. */
function isSource(file: string): boolean {
  return file.split('/')[1] === 'src';
}

function roomOf(path: string): string {
  return path.split('/')[0] as string;
}

function isIn(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

function relativeTo(folder: string, path: string): string {
  return path.slice(folder.length + 1);
}

function floorOf(
  floors: Walls['floors'][string],
  path: string,
): { readonly level: number; readonly name: string } | undefined {
  let rest: { level: number; name: string } | undefined;
  for (const [level, floor] of floors.entries()) {
    for (const name of typeof floor === 'string' ? [floor] : floor) {
      if (name === '*') rest = { level, name: 'the rest' };
      else if (isIn(path, name)) return { level, name };
    }
  }
  return rest;
}

/** All TypeScript and JavaScript of the workspaces, relative to `root`. */
export function sourceFiles(root: string, walls: Walls): readonly string[] {
  const files: string[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (/^(node_modules|dist|target|\..*)$/.test(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (/\.[cm]?[jt]sx?$/.test(entry.name)) files.push(relative(root, path).split(sep).join('/'));
    }
  };
  for (const room of Object.keys(walls.rooms)) visit(join(root, room));
  return files;
}

/** Rows of the walls that name what isn't there (any more). */
export function staleRows(root: string, walls: Walls): readonly string[] {
  const stale: string[] = [];
  const expectPath = (path: string, row: string): void => {
    if (!existsSync(join(root, path))) stale.push(`${row}: there is no ${path}`);
  };
  const declared = new Set<string>();
  for (const room of Object.keys(walls.rooms)) {
    expectPath(room, 'rooms');
    const manifest = JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>;
      readonly devDependencies?: Readonly<Record<string, string>>;
    };
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) declared.add(name);
  }
  for (const [folder, floors] of Object.entries(walls.floors)) {
    for (const floor of floors.flat()) if (floor !== '*') expectPath(`${folder}/${floor}`, `floors of ${folder}`);
  }
  for (const [folder, visitors] of Object.entries(walls.doors)) {
    for (const path of [folder, ...visitors]) expectPath(path, `doors of ${folder}`);
  }
  for (const [folder, rows] of Object.entries(walls.builtins)) {
    expectPath(folder, 'builtins');
    for (const [name, places] of Object.entries(rows)) {
      if (!builtins.has(name.replace(/^node:/, ''))) stale.push(`builtins of ${folder}: Node.js has no ${name}`);
      for (const place of places) expectPath(place, `builtins of ${folder}, ${name}`);
    }
  }
  for (const [name, places] of Object.entries(walls.packages)) {
    if (!declared.has(name)) stale.push(`packages: no package.json has ${name}`);
    for (const place of places) expectPath(place, `packages, ${name}`);
  }
  return stale;
}

/** The root of the repository, from this file. */
export const repositoryRoot = dirname(dirname(dirname(import.meta.dirname)));
