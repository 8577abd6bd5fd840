import ts from 'typescript';

/** A name or a statement that does not follow the conventions of `docs/decisions.md`. */
export interface Breach {
  /** Relative to the repository's root, with `/`. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** What is wrong and what to write instead. */
  readonly remedy: string;
}

const screaming = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;
/** `isOpen`, `hasMail`, `needsCommit`, and verbs of the third person, which read the same: `dropsHistory`. */
const assertion = /^(is|has|are|was|were|can|may|must|should|will|did)[A-Z]|^[a-z]+s([A-Z]|$)/;
/** Kafka's words, in ports that others implement or in errors that others read. */
const kafkasWords: readonly string[] = ['persistent', 'retriable'];

/** Every breach of the conventions in one file. `file` is relative to the root, with `/`. */
export function breachesOf(file: string, text: string): readonly Breach[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const isProduct = /^[^/]+\/src\//.test(file);
  const breaches: Breach[] = [];
  const report = (node: ts.Node, remedy: string): void => {
    breaches.push({ file, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, remedy });
  };
  for (const { name, initializer } of moduleConstants(source)) {
    const isData = isPrimitive(initializer, source) || (isProduct && isList(initializer, source));
    if (!isData || screaming.test(name.text)) continue;
    report(name, `'${name.text}' is a constant: name it ${screamingOf(name.text)}.`);
  }
  const visit = (node: ts.Node): void => {
    if (isLoneIncrement(node)) report(node, `'${node.getText()}' is a statement: write += 1 or -= 1.`);
    if (isProduct && isBooleanMember(node)) {
      const name = node.name.getText().replace('#', '');
      if (!assertion.test(name) && !kafkasWords.includes(name)) {
        report(node, `'${name}' is a boolean: say what is so, as in isOpen, hasMail, dropsHistory.`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return breaches;
}

function screamingOf(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

function moduleConstants(source: ts.SourceFile): { name: ts.Identifier; initializer: ts.Expression }[] {
  return source.statements
    .filter(ts.isVariableStatement)
    .filter(({ declarationList }) => (declarationList.flags & ts.NodeFlags.Const) !== 0)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .flatMap(({ name, initializer }) =>
      ts.isIdentifier(name) && initializer !== undefined ? [{ name, initializer: withoutTypes(initializer) }] : [],
    );
}

function withoutTypes(node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node)
    ? withoutTypes(node.expression)
    : node;
}

/** A number, a text, or what is made of such by operators and templates. Other constants count by their spelling. */
function isPrimitive(given: ts.Expression, source: ts.SourceFile): boolean {
  const node = withoutTypes(given);
  if (ts.isNumericLiteral(node) || ts.isStringLiteralLike(node) || ts.isBigIntLiteral(node)) return true;
  if (ts.isPrefixUnaryExpression(node)) return isPrimitive(node.operand, source);
  if (ts.isTemplateExpression(node)) return node.templateSpans.every((each) => isPrimitive(each.expression, source));
  if (ts.isBinaryExpression(node)) {
    const isChoice = node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken;
    return !isChoice && isPrimitive(node.left, source) && isPrimitive(node.right, source);
  }
  if (ts.isIdentifier(node)) return node.text === 'Infinity' || screaming.test(node.text);
  return (
    ts.isPropertyAccessExpression(node) && node.expression.getText() === 'Number' && screaming.test(node.name.text)
  );
}

/** A pattern, or a list or set of data. Tables are left out: `kafkaCodes.NONE` reads as a name, not as a constant. */
function isList(given: ts.Expression, source: ts.SourceFile): boolean {
  const node = withoutTypes(given);
  if (ts.isRegularExpressionLiteral(node)) return true;
  if (ts.isNewExpression(node) && node.expression.getText() === 'Set') {
    return node.arguments?.length === 1 && isList(node.arguments[0] as ts.Expression, source);
  }
  return ts.isArrayLiteralExpression(node) && node.elements.length > 0 && node.elements.every((each) => isDatum(each));

  function isDatum(element: ts.Expression): boolean {
    return isPrimitive(element, source) || isList(element, source);
  }
}

/** `x++;` and `for (…; …; x++)`, whose value nobody uses. `buffer[at++]` is none. */
function isLoneIncrement(node: ts.Node): boolean {
  if (!ts.isPostfixUnaryExpression(node) && !ts.isPrefixUnaryExpression(node)) return false;
  const { operator, parent } = node;
  if (operator !== ts.SyntaxKind.PlusPlusToken && operator !== ts.SyntaxKind.MinusMinusToken) return false;
  return ts.isExpressionStatement(parent) || (ts.isForStatement(parent) && parent.incrementor === node);
}

/** A field or a getter of a class that is true or false. */
function isBooleanMember(node: ts.Node): node is ts.PropertyDeclaration | ts.GetAccessorDeclaration {
  if (!ts.isPropertyDeclaration(node) && !ts.isGetAccessor(node)) return false;
  if (node.type !== undefined) return node.type.kind === ts.SyntaxKind.BooleanKeyword;
  const value = ts.isPropertyDeclaration(node) ? node.initializer?.kind : undefined;
  return value === ts.SyntaxKind.TrueKeyword || value === ts.SyntaxKind.FalseKeyword;
}
