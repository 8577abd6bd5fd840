import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { breachesOf } from './support/check-conventions.ts';
import { repositoryRoot, sourceFiles, type Walls } from './support/check-walls.ts';

const walls = JSON.parse(readFileSync(join(repositoryRoot, 'dev/lint/walls.json'), 'utf8')) as Walls;
const remediesOf = (file: string, text: string) =>
  breachesOf(file, text).map(({ line, remedy }) => `${line}: ${remedy}`);

describe('the conventions', () => {
  it('hold for every source file', () => {
    const written = sourceFiles(repositoryRoot, walls).filter((file) => !file.includes('/generated/'));
    const breaches = written.flatMap((file) => breachesOf(file, readFileSync(join(repositoryRoot, file), 'utf8')));
    expect(breaches.map(({ file, line, remedy }) => `${file}:${line} ${remedy}`)).toEqual([]);
  });

  it.each([
    ['a number', 'const waitMs = 250;', 'WAIT_MS'],
    ['a text', "export const topicPrefix = 'a';", 'TOPIC_PREFIX'],
    ['arithmetic', 'const MINUTE_MS = 60_000;\nconst hourMs = 60 * MINUTE_MS;', 'HOUR_MS'],
    ['a template', `const NAME = "a";\nconst path = \`/\${NAME}\`;`, 'PATH'],
    ['the largest number', 'const endOfTime = Number.MAX_SAFE_INTEGER;', 'END_OF_TIME'],
    ['a negative number', 'const none = -1 as const;', 'NONE'],
  ])('name %s of a module in capitals, in tests, too', (_, text, name) => {
    for (const file of ['engine/src/a.ts', 'models/test/a.test.ts']) {
      expect(remediesOf(file, text).join()).toMatch(`name it ${name}.`);
    }
  });

  it.each([
    ['a list', "const kinds = ['a', 'b'] as const;", 'KINDS'],
    ['a set', 'const codes = new Set([1, 2]);', 'CODES'],
    ['a pattern', 'const namePattern = /^a$/;', 'NAME_PATTERN'],
  ])('name %s in capitals in sources', (_, text, name) => {
    expect(remediesOf('api/src/a.ts', text)).toEqual([expect.stringMatching(`name it ${name}.`)]);
    expect(remediesOf('api/test/a.test.ts', text)).toEqual([]);
  });

  it('let functions, instances and tables have names as anything else', () => {
    const text = [
      'const listener = () => 1;',
      'const pool = new Pool(8);',
      'const kafkaCodes = { NONE: 0 } as const;',
      'const empty: string[] = [];',
      'const path = process.env.PATH ?? "";',
      'function f() { const waitMs = 1; return waitMs; }',
    ].join('\n');
    expect(breachesOf('engine/src/a.ts', text)).toEqual([]);
  });

  it('write increments whose value nobody uses as += 1', () => {
    const text = 'for (let i = 0; i < 3; i++) {\n  count--;\n  buffer[at++] = 0;\n}';
    expect(remediesOf('engine/test/a.test.ts', text)).toEqual([
      "1: 'i++' is a statement: write += 1 or -= 1.",
      "2: 'count--' is a statement: write += 1 or -= 1.",
    ]);
  });

  it('let boolean members of classes say what is so', () => {
    const text = [
      'class A {',
      '  #closed = false;',
      '  readonly full: boolean;',
      '  get saturated(): boolean { return this.#isOpen; }',
      '  #isOpen = true;',
      '  #dropsHistory = true;',
      '  readonly persistent = true;',
      '  closed: Promise<boolean> | undefined;',
      '}',
    ].join('\n');
    expect(remediesOf('engine/src/a.ts', text)).toEqual([
      "2: 'closed' is a boolean: say what is so, as in isOpen, hasMail, dropsHistory.",
      "3: 'full' is a boolean: say what is so, as in isOpen, hasMail, dropsHistory.",
      "4: 'saturated' is a boolean: say what is so, as in isOpen, hasMail, dropsHistory.",
    ]);
  });
});
