import { expect, test } from 'vitest';
import { checkListable, javaProperties } from '../src/base/java-properties.ts';

test('P8: what Java would read as something else is escaped', () => {
  expect(javaProperties({ 'log.dirs': '/srv/Prüfstand/漢字 😀', port: 9_092 })).toBe(
    'log.dirs=/srv/Pr\\u00fcfstand/\\u6f22\\u5b57 \\ud83d\\ude00\nport=9092\n',
  );
  expect(javaProperties({ path: 'C:\\new\\table' })).toBe('path=C:\\\\new\\\\table\n');
  expect(javaProperties({ value: ' # = :' })).toBe('value=\\ # = :\n');
  expect(javaProperties({ 'a key': 1 })).toBe('a\\ key=1\n');
  expect(javaProperties({ lines: 'one\ntwo' })).toBe('lines=one\\u000atwo\n');
});

test('P8: a comma in the name of a folder of Kafka is told before anything is written', () => {
  expect(() => checkListable('/srv/a,b/data')).toThrow(/"\/srv\/a,b\/data" has a comma/);
  expect(() => checkListable('/srv/ä b#c/data')).not.toThrow();
});
