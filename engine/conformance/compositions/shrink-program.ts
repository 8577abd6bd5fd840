import type { Program, Statement, StatementOptions } from './program.ts';

/** Tries after which shrinking stops: each asks both engines. */
const TRIES_MAX = 200;
const removable: readonly (keyof StatementOptions)[] = [
  'name',
  'groupName',
  'store',
  'cached',
  'logged',
  'history',
  'retention',
  'emitOnClose',
  'by',
];

/** Drops statements and options as long as the rest still fails. */
export async function shrinkProgram(program: Program, fails: (program: Program) => Promise<boolean>): Promise<Program> {
  let smallest = program;
  let tries = 0;
  for (let found = true; found; ) {
    found = false;
    for (const smaller of smallerPrograms(smallest)) {
      if (++tries > TRIES_MAX) return smallest;
      if (!(await fails(smaller))) continue;
      smallest = smaller;
      found = true;
      break;
    }
  }
  return smallest;
}

/** Programs with something less, from the largest cut to the smallest. */
function* smallerPrograms({ statements }: Program): Iterable<Program> {
  for (let i = statements.length - 1; i >= 0; i -= 1) {
    const without = withoutDependents(statements, (statements[i] as Statement).id);
    if (without.some(({ op }) => op === 'to')) yield { statements: without };
  }
  for (const statement of statements) {
    // The operator is left out: what used its result uses its input. Where the kinds don't fit, both engines refuse.
    if (statement.of === undefined || statement.op === 'to' || statement.op === 'default' || statement.op === 'split')
      continue;
    yield { statements: bypassed(statements, statement) };
  }
  for (const statement of statements) {
    for (const option of removable) {
      if (statement[option] === undefined) continue;
      const { [option]: _removed, ...rest } = statement;
      yield { statements: statements.map((each) => (each === statement ? (rest as Statement) : each)) };
    }
  }
}

function withoutDependents(statements: readonly Statement[], id: number): readonly Statement[] {
  const gone = new Set([id]);
  return statements.filter((each) => {
    if (each.id === id) return false;
    const depends = [each.of, each.other].some((input) => input !== undefined && gone.has(input));
    if (depends) gone.add(each.id);
    return !depends;
  });
}

function bypassed(statements: readonly Statement[], left: Statement): readonly Statement[] {
  return statements
    .filter((each) => each !== left)
    .map((each) => ({
      ...each,
      ...(each.of === left.id ? { of: left.of as number } : {}),
      ...(each.other === left.id ? { other: left.of as number } : {}),
    }));
}
