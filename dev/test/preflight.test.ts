import { expect, test } from 'vitest';
import {
  findMissing,
  installCommand,
  javaMajor,
  type Machine,
  MissingSoftwareError,
  preflight,
} from '../src/preflight.ts';

interface Has {
  readonly java?: string;
  readonly maven?: boolean;
  readonly users?: readonly string[];
  readonly python?: boolean;
  readonly isRoot?: boolean;
  readonly isDebian?: boolean;
}

function machine(has: Has): Machine {
  return {
    isRoot: has.isRoot ?? false,
    isDebian: has.isDebian ?? true,
    hasUser: (name) => (has.users ?? []).includes(name),
    run(command) {
      const line = command.join(' ');
      if (line.endsWith('java -version')) return has.java;
      if (line.startsWith('mvn')) return has.maven ? 'Apache Maven 3.8.7' : undefined;
      if (line.includes('ldconfig')) return has.python ? 'libpython3.11.so.1.0 (libc6) => /lib' : '';
      if (line.startsWith('/usr/bin/python3.11')) return has.python ? '' : undefined;
      return undefined;
    },
  };
}

const JAVA_17 = 'openjdk version "17.0.15" 2025-04-15';

test.each([
  [JAVA_17, 17],
  ['java version "1.8.0_401"', 8],
  ['openjdk version "21" 2023-09-19', 21],
  ['something else', undefined],
])('reads the major version from: %s', (text, major) => {
  expect(javaMajor(text)).toBe(major);
});

test('nothing is missing where everything is there', () => {
  const complete = machine({ java: JAVA_17, maven: true, users: ['postgres'], isRoot: true, python: true });
  expect(findMissing(['kafka', 'registry', 'postgres', 'objects', 'triton'], true, complete)).toEqual([]);
});

test('an old Java is named with the version that was found', () => {
  const [missing] = findMissing(['kafka'], false, machine({ java: 'openjdk version "11.0.2"' }));
  expect(missing?.what).toBe('Java 17 or newer');
  expect(missing?.why).toContain('found Java 11');
});

test('Maven is needed only until the libraries are there', () => {
  const withoutMaven = machine({ java: JAVA_17 });
  expect(findMissing(['kafka'], true, withoutMaven).map(({ what }) => what)).toEqual(['Maven']);
  expect(findMissing(['kafka'], false, withoutMaven)).toEqual([]);
});

test('only root needs another user for PostgreSQL', () => {
  expect(findMissing(['postgres'], false, machine({ isRoot: false }))).toEqual([]);
  const [missing] = findMissing(['postgres'], false, machine({ isRoot: true }));
  expect(missing?.command).toMatch(/^useradd --system .* postgres$/);
});

test('one command line installs everything', () => {
  const bare = machine({ isRoot: false });
  const command = installCommand(findMissing(['kafka'], true, bare), bare);
  expect(command).toBe(
    'sudo apt-get update && sudo apt-get install -y --no-install-recommends openjdk-17-jre-headless maven',
  );
});

test('whoever is not root is told what is missing and the command that installs it', async () => {
  const bare = machine({ isRoot: false });
  const error = await preflight(['kafka', 'postgres'], true, () => {}, bare).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(MissingSoftwareError);
  expect((error as Error).message).toContain('Java 17 or newer');
  expect((error as Error).message).toContain('sudo apt-get install');
});
