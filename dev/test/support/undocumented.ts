import ts from 'typescript';
import { isWritten, type SourceProgram } from './source-program.ts';

/** Something that lacks its documentation. */
export interface Gap {
  /** Relative to the root of the repository. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** The declaration, or `Declaration.member`. */
  readonly name: string;
  /** What has to be done. */
  readonly remedy: string;
}

const remedies = {
  missing: 'has no TSDoc comment: say what it is and what a user must know',
  restating: 'has a comment that only repeats its name: say what a user must know',
  referring: 'has a comment that only points to another one: say what it is',
};

/** Every exported declaration of the sources without a comment of its own. Re-exports count where they are declared. */
export function undocumentedExports({ program, root, sources }: SourceProgram): readonly Gap[] {
  const checker = program.getTypeChecker();
  const gaps: Gap[] = [];
  for (const file of sources) {
    const module = checker.getSymbolAtLocation(file);
    if (module === undefined) continue;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = resolved(checker, exported);
      const declaration = symbol.declarations?.find((each) => each.getSourceFile() === file);
      if (declaration !== undefined) gaps.push(...gapsOf(checker, root, symbol, declaration, symbol.name));
    }
  }
  return gaps.sort(byPlace);
}

/**
 * What can be reached through the exports of `doors` (paths relative to the root) and lacks documentation, down to public members of
 * classes and interfaces, keys of options and members of unions of literals. Inherited comments count.
 */
export function undocumentedMembers(source: SourceProgram, doors: readonly string[]): readonly Gap[] {
  const walk = new DoorWalk(source);
  for (const door of doors) walk.door(door);
  return walk.gaps.sort(byPlace);
}

/**
 * Owns: what was seen and what is missing. Called by: {@link undocumentedMembers}.
 * Invariants: I1 a symbol is looked at once; I2 only declarations in written files of the repository give gaps.
 */
class DoorWalk {
  readonly gaps: Gap[] = [];
  readonly #checker: ts.TypeChecker;
  readonly #source: SourceProgram;
  readonly #seen = new Set<ts.Symbol>();

  constructor(source: SourceProgram) {
    this.#source = source;
    this.#checker = source.program.getTypeChecker();
  }

  door(path: string): void {
    const file = this.#source.program.getSourceFile(`${this.#source.root}/${path}`);
    const module = file === undefined ? undefined : this.#checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`There is no door ${path}`);
    for (const exported of this.#checker.getExportsOfModule(module)) this.#visit(exported);
  }

  #visit(reference: ts.Symbol): void {
    const symbol = resolved(this.#checker, reference);
    if (this.#seen.has(symbol) || (symbol.flags & ts.SymbolFlags.TypeParameter) !== 0) return;
    this.#seen.add(symbol);
    const declarations = (symbol.declarations ?? []).filter((each) =>
      isWritten(this.#source.root, each.getSourceFile()),
    );
    const [first] = declarations;
    if (first === undefined) return;
    this.#require(symbol, first, symbol.name);
    for (const declaration of declarations) this.#descend(declaration, symbol.name);
  }

  #descend(declaration: ts.Declaration, name: string): void {
    if (ts.isInterfaceDeclaration(declaration) || ts.isClassDeclaration(declaration)) {
      for (const clause of declaration.heritageClauses ?? []) this.#references(clause, name);
      this.#members(declaration.members, name);
    } else if (ts.isTypeAliasDeclaration(declaration)) {
      this.#literals(declaration.type, declaration, name);
      this.#references(declaration.type, name);
    } else if (ts.isFunctionLike(declaration)) {
      this.#signature(declaration, name);
    } else if (ts.isVariableDeclaration(declaration)) {
      if (declaration.type !== undefined) this.#references(declaration.type, name);
      else this.#inferred(declaration);
      const value = declaration.initializer === undefined ? undefined : withoutAssertions(declaration.initializer);
      if (declaration.type !== undefined || value === undefined) return;
      if (ts.isObjectLiteralExpression(value)) this.#members(value.properties, name);
      else if (ts.isFunctionLike(value)) this.#signature(value, name);
    }
  }

  #members(members: ts.NodeArray<ts.ClassElement | ts.TypeElement | ts.ObjectLiteralElementLike>, name: string): void {
    for (const member of members) {
      if (!isPublic(member)) continue;
      const isConstructor = ts.isConstructorDeclaration(member);
      const memberName = `${name}.${isConstructor ? 'constructor' : (member.name?.getText() ?? '()')}`;
      if (isConstructor) {
        if (member.parameters.length > 0 && comment(member) === '') this.#gap(member, memberName, remedies.missing);
      } else if (member.name !== undefined) {
        const symbol = this.#checker.getSymbolAtLocation(member.name);
        if (symbol !== undefined && !this.#seen.has(symbol)) {
          this.#seen.add(symbol);
          this.#require(symbol, member, memberName);
        }
      }
      if (ts.isFunctionLike(member)) this.#signature(member, memberName);
      else if (ts.isPropertySignature(member) || ts.isPropertyDeclaration(member)) {
        if (member.type === undefined) this.#inferred(member);
        else {
          this.#literals(member.type, member, memberName);
          this.#references(member.type, memberName);
        }
      } else if (ts.isPropertyAssignment(member)) {
        const value = withoutAssertions(member.initializer);
        if (ts.isFunctionLike(value)) this.#signature(value, memberName);
        else if (ts.isObjectLiteralExpression(value)) this.#members(value.properties, memberName);
        else this.#inferred(member);
      }
    }
  }

  #signature(declaration: ts.SignatureDeclaration, name: string): void {
    for (const parameter of declaration.parameters) {
      if (parameter.type !== undefined) {
        const parameterName = `${name}(${parameter.name.getText()})`;
        this.#references(parameter.type, parameterName);
      }
    }
    if (declaration.type !== undefined) this.#references(declaration.type, name);
    else this.#inferredType(this.#checker.getSignatureFromDeclaration(declaration)?.getReturnType());
  }

  /** All that a type names: other declarations, and members that it spells out itself. */
  #references(node: ts.Node, name: string): void {
    if (ts.isTypeLiteralNode(node)) {
      this.#members(node.members, name);
      return;
    }
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const target = ts.isTypeReferenceNode(node) ? node.typeName : node.expression;
      const symbol = this.#checker.getSymbolAtLocation(target);
      if (symbol !== undefined) this.#visit(symbol);
    }
    ts.forEachChild(node, (child) => this.#references(child, name));
  }

  #inferred(declaration: ts.Node): void {
    this.#inferredType(this.#checker.getTypeAtLocation(declaration));
  }

  #inferredType(type: ts.Type | undefined): void {
    const symbol = type?.aliasSymbol ?? type?.symbol;
    if (symbol !== undefined && !symbol.name.startsWith('__')) this.#visit(symbol);
  }

  /** Each string of a union needs a comment before it, or a mention in the comment of what has the union as its type. */
  #literals(type: ts.TypeNode, owner: ts.Declaration, name: string): void {
    if (!ts.isUnionTypeNode(type)) return;
    const said = comment(owner);
    const source = type.getSourceFile();
    let previousEnd = type.pos;
    for (const member of type.types) {
      const before = source.text.slice(previousEnd, member.getStart(source));
      previousEnd = member.end;
      if (!ts.isLiteralTypeNode(member) || !ts.isStringLiteral(member.literal)) continue;
      const text = member.literal.text;
      if (/\/\*\*/.test(before) || new RegExp(`(^|[^\\w-])${escaped(text)}($|[^\\w-])`).test(said)) continue;
      this.#gap(member, `${name} '${text}'`, 'is not explained: put a comment before it, or name it in the comment');
    }
  }

  #require(symbol: ts.Symbol, declaration: ts.Declaration, name: string): void {
    this.gaps.push(...gapsOf(this.#checker, this.#source.root, symbol, declaration, name));
  }

  #gap(node: ts.Node, name: string, remedy: string): void {
    if (isWritten(this.#source.root, node.getSourceFile()))
      this.gaps.push(gapAt(this.#source.root, node, name, remedy));
  }
}

function gapsOf(
  checker: ts.TypeChecker,
  root: string,
  symbol: ts.Symbol,
  declaration: ts.Declaration,
  name: string,
): readonly Gap[] {
  const own = (symbol.declarations ?? [declaration]).map(comment).find((text) => text !== '') ?? '';
  const text = own === '' ? ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() : own;
  if (text === '') return [gapAt(root, declaration, name, remedies.missing)];
  if (own !== '' && isRestating(name, own)) return [gapAt(root, declaration, name, remedies.restating)];
  const referring = (symbol.declarations ?? []).filter((each) => isReferring(comment(each)));
  return referring.map((each) => gapAt(root, each, name, remedies.referring));
}

/** `The same for windows.`, `As {@link get}, of windows.`: the reader has to look elsewhere to learn what it is. */
function isReferring(text: string): boolean {
  return /^(The same( as| for| in the| of|,|\.)|As \{@link)/.test(text);
}

/** Words that add nothing to a name. */
const empty = new Set(
  'a an the this that its it of for to in is are be with by and or as which what value values name names'.split(' '),
);

/** Whether every word of a comment is already a word of the name. */
export function isRestating(name: string, text: string): boolean {
  const stem = (word: string): string => word.toLowerCase().replace(/(y|i?e|i?es|s)$/, '');
  const words = new Set(name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g)?.map(stem));
  const said = text.replaceAll(/['’]s\b/g, '').match(/[A-Za-z]+|\d+/g) ?? [];
  return said.every((word) => empty.has(word.toLowerCase()) || words.has(stem(word)));
}

/** The description in the comment before a declaration, tags included; empty where there is none. */
export function comment(declaration: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(declaration)
    .filter((each) => ts.isJSDoc(each))
    .map((each) => `${ts.getTextOfJSDocComment(each.comment) ?? ''}${each.tags === undefined ? '' : '\n'}`)
    .join('\n')
    .trim();
}

/** Not private, not `@internal`, no brand of a type; what overrides is documented where it is declared first. */
function isPublic(member: ts.ClassElement | ts.TypeElement | ts.ObjectLiteralElementLike): boolean {
  const { name } = member;
  if (name !== undefined && (ts.isPrivateIdentifier(name) || isBrand(name))) return false;
  if (ts.isSpreadAssignment(member) || ts.isClassStaticBlockDeclaration(member)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Override;
  const flags = ts.getCombinedModifierFlags(member as ts.Declaration);
  return (flags & hidden) === 0 && !ts.getJSDocTags(member).some(isInternal);
}

/** `[brand]` and `__type`, which only the compiler sees. */
function isBrand(name: ts.Node): boolean {
  return ts.isComputedPropertyName(name)
    ? !/^Symbol\./.test(name.expression.getText())
    : name.getText().startsWith('__');
}

function isInternal(tag: ts.JSDocTag): boolean {
  return tag.tagName.text === 'internal';
}

function withoutAssertions(expression: ts.Expression): ts.Expression {
  if (ts.isAsExpression(expression) || ts.isSatisfiesExpression(expression) || ts.isParenthesizedExpression(expression))
    return withoutAssertions(expression.expression);
  return expression;
}

function resolved(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

function gapAt(root: string, node: ts.Node, name: string, remedy: string): Gap {
  const source = node.getSourceFile();
  const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  return { file: source.fileName.slice(root.length + 1), line, name, remedy };
}

function byPlace(one: Gap, other: Gap): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
