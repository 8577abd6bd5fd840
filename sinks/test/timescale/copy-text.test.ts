import { expect, test } from 'vitest';
import { arrayText, copyLine, jsonText, timeText } from '../../src/timescale/copy-text.ts';

test('backslash, newline, carriage return and tab are escaped, and null is told from the text \\N', () => {
  expect(copyLine(['a\\b\nc\rd\te', null, '\\N', 1.5, true])).toBe('a\\\\b\\nc\\rd\\te\t\\N\t\\\\N\t1.5\ttrue\n');
});

test('array elements keep quotes, commas and backslashes', () => {
  expect(arrayText(['a,b', 'c"d', 'e\\f', ''])).toBe('{"a,b","c\\"d","e\\\\f",""}');
});

test('times are UTC with milliseconds, and null stays null', () => {
  expect([timeText(1_700_000_000_123), timeText(null)]).toEqual(['2023-11-14T22:13:20.123Z', null]);
});

test('JSON is one line', () => {
  expect(jsonText({ a: 'x\ny' })).toBe('{"a":"x\\ny"}');
});
