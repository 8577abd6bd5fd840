import ts from 'typescript';
import { createSourceProgram, type SourceProgram } from './source-program.ts';
import type { Gap } from './undocumented.ts';

/** An `@example` of a TSDoc comment. */
export interface Example {
  /** Relative to the root of the repository. */
  readonly file: string;
  /** 1-based: the line of the tag. */
  readonly line: number;
  /** `Class.method`, or the name of a declaration. */
  readonly name: string;
  /** What stands between the fences; undefined: the example is not fenced as `ts`. */
  readonly code: string | undefined;
}

/** What examples may use without saying where it comes from; an example that declares one of these names means its own. */
const PRELUDE = `
import type * as M from 'millrace';
declare global {
  interface Order { readonly id: string; readonly customerId: string; readonly amount: number }
  interface Customer { readonly name: string; readonly region: string }
  const builder: M.StreamsBuilder;
  const topology: M.Topology;
  const streams: M.KafkaStreams;
  /** Keyed by the order's id. */
  const orders: M.KStream<string, Order>;
  /** Keyed by the customer's id. */
  const customers: M.KTable<string, Customer>;
  const minuteMs: number;
}
`;

/** All examples in the comments of the sources' declarations and members. */
export function examplesOf({ root, sources }: SourceProgram): readonly Example[] {
  return sources.flatMap((file) => {
    const found: Example[] = [];
    const visit = (node: ts.Node, owner: string): void => {
      const name = nameOf(node, owner);
      for (const documentation of ts.getJSDocCommentsAndTags(node)) {
        if (!ts.isJSDoc(documentation) || documentation.parent !== node) continue;
        for (const tag of documentation.tags ?? []) {
          if (tag.tagName.text !== 'example') continue;
          const code = /```ts\n(.*?)\n```/s.exec(ts.getTextOfJSDocComment(tag.comment) ?? '')?.[1];
          const line = file.getLineAndCharacterOfPosition(tag.getStart(file)).line + 1;
          found.push({ file: file.fileName.slice(root.length + 1), line, name, code });
        }
      }
      if (!ts.isBlock(node)) ts.forEachChild(node, (child) => visit(child, name));
    };
    visit(file, '');
    return found;
  });
}

/** Type-checks examples with the engine's exports in scope, and says what the compiler says. Nothing is run. */
export function uncompilable(source: SourceProgram, examples: readonly Example[]): readonly Gap[] {
  const exported = engineExports(source);
  const virtual = new Map([['engine/examples/prelude.ts', PRELUDE]]);
  const gaps: Gap[] = [];
  for (const [index, example] of examples.entries()) {
    if (example.code === undefined) gaps.push({ ...example, remedy: 'has an @example without a ```ts block' });
    else virtual.set(pathOf(index), `${importsFor(example.code, exported)}\n${example.code}\nexport {};\n`);
  }
  const { program, root } = createSourceProgram({ root: source.root, workspaces: [], virtual, base: source });
  for (const [index, example] of examples.entries()) {
    const file = program.getSourceFile(`${root}/${pathOf(index)}`);
    if (file === undefined) continue;
    for (const { start, messageText } of [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]) {
      // The first line of the file is our import, the one of the tag is followed by the fence.
      const line = example.line + 1 + file.getLineAndCharacterOfPosition(start ?? 0).line;
      const message = ts.flattenDiagnosticMessageText(messageText, ' ');
      gaps.push({ file: example.file, line, name: example.name, remedy: `has an @example that fails: ${message}` });
    }
  }
  return gaps;
}

function pathOf(index: number): string {
  return `engine/examples/example-${index}.ts`;
}

interface EngineExport {
  readonly specifier: string;
  readonly isType: boolean;
}

function engineExports({ program, root }: SourceProgram): ReadonlyMap<string, EngineExport> {
  const checker = program.getTypeChecker();
  const found = new Map<string, EngineExport>();
  for (const [specifier, door] of [
    ['millrace', 'engine/src/index.ts'],
    ['millrace/testing', 'engine/src/testing/index.ts'],
  ] as const) {
    const file = program.getSourceFile(`${root}/${door}`);
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
      const target = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
      const isType =
        (target.flags & ts.SymbolFlags.Value) === 0 ||
        symbol.declarations?.some(ts.isTypeOnlyImportOrExportDeclaration);
      found.set(symbol.name, { specifier, isType: isType === true });
    }
  }
  return found;
}

/** One line that imports what an example uses of the engine and neither imports nor declares itself. */
function importsFor(code: string, exported: ReadonlyMap<string, EngineExport>): string {
  const file = ts.createSourceFile('example.ts', code, ts.ScriptTarget.Latest, true);
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) used.add(node.text);
    if (ts.isImportSpecifier(node)) declared.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) declared.add(name.getText(file));
    } else if (ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement)) {
      declared.add(statement.name?.text ?? '');
    } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      declared.add(statement.name.text);
    }
  }
  return [...used]
    .filter((name) => exported.has(name) && !declared.has(name))
    .map((name) => {
      const { specifier, isType } = exported.get(name) as EngineExport;
      return `import { ${isType ? 'type ' : ''}${name} } from '${specifier}';`;
    })
    .join(' ');
}

function nameOf(node: ts.Node, owner: string): string {
  if (ts.isConstructorDeclaration(node)) return `${owner}.constructor`;
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0]?.name.getText() ?? owner;
  const { name } = node as { readonly name?: ts.Node };
  if (name === undefined || ts.isParameter(node) || ts.isVariableDeclaration(node) || !ts.isIdentifier(name))
    return owner;
  return owner === '' ? name.text : `${owner}.${name.text}`;
}
