import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot, sourceFiles, type Walls } from './support/check-walls.ts';
import { longFunctions } from './support/long-functions.ts';

/** One screen. */
const LINES_MAX = 80;

const walls = JSON.parse(readFileSync(join(repositoryRoot, 'dev/lint/walls.json'), 'utf8')) as Walls;
const files = sourceFiles(repositoryRoot, walls).filter((file) => file.split('/')[1] === 'src');

describe('functions', () => {
  it(`have at most ${LINES_MAX} lines, so that each is read on one screen`, () => {
    // A check that reads nothing finds nothing.
    expect(files.length).toBeGreaterThan(300);
    const long = files.flatMap((file) =>
      longFunctions(file, readFileSync(join(repositoryRoot, file), 'utf8'), LINES_MAX),
    );
    expect(
      long.map(({ file, line, name, lines }) => `${file}:${line} ${name} has ${lines} lines: give its steps names`),
    ).toEqual([]);
  });

  it.each([
    ['a function', 'function long() {\n\n\n}', 'long'],
    ['an arrow', 'const long = () => [\n\n\n];', 'long'],
    ['a method', 'class A {\n  #long() {\n\n\n  }\n}', '#long'],
    ['a constructor', 'class A {\n  constructor() {\n\n\n  }\n}', 'A.constructor'],
    ['a property', 'const a = {\n  long: async () => {\n\n\n  },\n};', 'long'],
    ['a callback', 'call(() => {\n\n\n});', 'a function without a name'],
    ['one inside another', 'const short = () => call(function long() {\n\n\n});', 'long'],
  ])('are found: %s', (_what, source, name) => {
    expect(longFunctions('x.ts', source, 3).map((each) => each.name)).toContain(name);
    expect(longFunctions('x.ts', source, 4)).toEqual([]);
  });

  it('begin after what is written above them', () => {
    expect(longFunctions('x.ts', '/**\n *\n *\n */\nfunction short() {\n}', 3)).toEqual([]);
  });
});
