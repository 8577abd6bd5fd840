import ts from 'typescript';

/** A function, method, accessor or constructor. */
export interface FunctionLength {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly name: string;
  /** From its first line, comments before it left out, to its last. */
  readonly lines: number;
}

/** The functions of a file that have more than `linesMax` lines, those inside others too. */
export function longFunctions(file: string, source: string, linesMax: number): readonly FunctionLength[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: FunctionLength[] = [];
  const lineAt = (position: number): number => parsed.getLineAndCharacterOfPosition(position).line + 1;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const line = lineAt(node.getStart(parsed));
      const lines = lineAt(node.end) - line + 1;
      if (lines > linesMax) found.push({ file, line, name: nameOf(node, parsed), lines });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

/** The name of a function, or of what it is assigned to; of a constructor that of its class. */
function nameOf(node: ts.SignatureDeclaration, file: ts.SourceFile): string {
  const named = node.name !== undefined ? node : node.parent;
  const name = 'name' in named ? (named.name as ts.Node | undefined)?.getText(file) : undefined;
  return ts.isConstructorDeclaration(node) ? `${name}.constructor` : (name ?? 'a function without a name');
}
