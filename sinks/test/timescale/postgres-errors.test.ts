import { expect, test } from 'vitest';
import { faultOf } from '../../src/timescale/postgres-errors.ts';

test.each([
  ['the socket broke', undefined, 'transient'],
  ['the server shuts down', '57P01', 'transient'],
  ['a deadlock', '40P01', 'transient'],
  ['the server became a standby', '25006', 'transient'],
  ['NUL in text', '22021', 'data'],
  ['a column without a value', '23502', 'data'],
  ['a table that is not there', '42P01', 'fatal'],
  ['a wrong password', '28P01', 'fatal'],
])('%s (%s) is %s', (_, code, fault) => {
  expect(faultOf(Object.assign(new Error('x'), { code }))).toBe(fault);
});
