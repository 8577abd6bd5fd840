import { isDeepStrictEqual } from 'node:util';
import ts from 'typescript';
import type { SourceProgram } from './source-program.ts';
import { comment, type Gap } from './undocumented.ts';

/** What a key of an options type says of itself, and where. */
export interface DocumentedOption {
  readonly file: string;
  readonly line: number;
  readonly key: string;
  /** Prose and tags. */
  readonly text: string;
  /** What follows `@defaultValue`. */
  readonly defaultValue: string | undefined;
}

/** The keys of an interface, inherited ones too. */
export function documentedOptions(
  { program, root }: SourceProgram,
  path: string,
  name: string,
): readonly DocumentedOption[] {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(`${root}/${path}`);
  const declaration = file?.statements.find(
    (each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === name,
  );
  if (declaration === undefined) throw new Error(`There is no interface ${name} in ${path}`);
  return checker.getPropertiesOfType(checker.getTypeAtLocation(declaration)).flatMap((property) => {
    const [member] = property.declarations ?? [];
    if (member === undefined) return [];
    const source = member.getSourceFile();
    const tag = ts.getJSDocTags(member).find((each) => each.tagName.text === 'defaultValue');
    return {
      file: source.fileName.slice(root.length + 1),
      line: source.getLineAndCharacterOfPosition(member.getStart(source)).line + 1,
      key: property.name,
      text: comment(member),
      defaultValue: tag === undefined ? undefined : (ts.getTextOfJSDocComment(tag.comment) ?? ''),
    };
  });
}

/** The unit that a key's name promises, as the word that stands behind the default. */
function unitOf(key: string, value: unknown): RegExp | undefined {
  if (key.endsWith('Ms')) return /^ms\b/;
  if (/Bytes/.test(key)) return /^bytes\b/;
  return typeof value === 'number' ? /^[a-z]+/ : undefined;
}

const javaKey = /^(Kafka Streams|Kafka's (consumer|producer)): `[a-z_]+(\.[a-z_]+)+`/m;
const noJavaKey = /^No counterpart in Kafka Streams/m;

/**
 * What the comments of options get wrong. A key names its counterpart (``Kafka Streams: `commit.interval.ms`.`` at the start of a line,
 * or `No counterpart in Kafka Streams`) and its default: the tag `@defaultValue` with an expression in backticks, which is evaluated with
 * `scope`, and the unit where the value is a number. A key that `defaults` lacks says `Required.`
 */
export function wrongOptions(
  options: readonly DocumentedOption[],
  defaults: Readonly<Record<string, unknown>>,
  scope: Readonly<Record<string, unknown>>,
): readonly Gap[] {
  const gaps: Gap[] = [];
  for (const { file, line, key, text, defaultValue } of options) {
    const say = (remedy: string): void => {
      gaps.push({ file, line, name: key, remedy });
    };
    if (!javaKey.test(text) && !noJavaKey.test(text)) {
      say("names no key of Java: write 'Kafka Streams: `the.key`.' or 'No counterpart in Kafka Streams.' on a line");
    }
    if (!(key in defaults)) {
      if (!/\bRequired\./.test(text)) say("has no default: write 'Required.'");
      continue;
    }
    const [, expression, rest] = /^`([^`]*)`\s*(.*)$/s.exec(defaultValue ?? '') ?? [];
    if (expression === undefined) {
      say('says no default: write @defaultValue with an expression in backticks');
      continue;
    }
    const real = defaults[key];
    if (!isSame(evaluated(expression, scope), real)) {
      say(`documents the default ${expression}, but it is ${String(real)}`);
    }
    const unit = unitOf(key, real);
    if (unit !== undefined && !unit.test(rest ?? '')) say('names no unit: write it behind the default');
  }
  return gaps;
}

function evaluated(expression: string, scope: Readonly<Record<string, unknown>>): unknown {
  try {
    return new Function(...Object.keys(scope), `return (${expression});`)(...Object.values(scope));
  } catch (error) {
    return error;
  }
}

/** Functions are the same when they answer the same. */
function isSame(documented: unknown, real: unknown): boolean {
  if (documented === real) return true;
  if (typeof documented === 'function' && typeof real === 'function') return documented() === real();
  return isDeepStrictEqual(documented, real);
}
