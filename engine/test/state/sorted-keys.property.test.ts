import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BinaryKey } from '../../src/base/bytes.ts';
import { SortedKeys } from '../../src/state/sorted-keys.ts';

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ put: fc.nat(300) }) },
  { weight: 3, arbitrary: fc.record({ remove: fc.nat(300) }) },
  { weight: 2, arbitrary: fc.record({ prepare: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.constantFrom('scan' as const, 'open' as const, 'clear' as const) },
);

const keyOf = (index: number) => String((index * 7_919) % 1_009).padStart(4, '0') as BinaryKey;

it('an order that is made in parts is that of the keys that are there, whatever comes and goes meanwhile', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(300), { maxLength: 200 }), fc.array(step, { maxLength: 60 }), (first, steps) => {
      const keys = new SortedKeys();
      let source = new Map<BinaryKey, number>(first.map((index) => [keyOf(index), index]));
      const open: { readonly iterator: Iterator<readonly [BinaryKey, undefined]>; readonly expected: BinaryKey[] }[] =
        [];
      const scan = () => ({
        iterator: keys.scan(source, undefined, 'forward'),
        expected: [...source.keys()].sort(),
      });
      const drain = ({ iterator, expected }: ReturnType<typeof scan>): void => {
        const found: BinaryKey[] = [];
        for (let next = iterator.next(); next.done !== true; next = iterator.next()) found.push(next.value[0]);
        keys.endScan();
        expect(found).toEqual(expected);
      };
      for (const each of steps) {
        if (each === 'scan') drain(scan());
        else if (each === 'open') open.push(scan());
        else if (each === 'clear') {
          // As after a commit: other keys, in another map.
          source = new Map([...source].filter((_, index) => index % 2 === 0));
          keys.clear();
        } else if ('prepare' in each) keys.prepare(source, each.prepare);
        else if ('put' in each) {
          const isNew = !source.has(keyOf(each.put));
          source.set(keyOf(each.put), each.put);
          if (isNew) keys.noteChange(keyOf(each.put), source.size);
        } else if (source.delete(keyOf(each.remove))) keys.noteChange(keyOf(each.remove), source.size);
      }
      for (const each of open) drain(each);
      drain(scan());
    }),
  );
});

it('an order is made once, in as many parts as it takes', () => {
  const keys = new SortedKeys();
  const source = new Map(Array.from({ length: 1_000 }, (_, index) => [`${index}` as BinaryKey, index]));
  let parts = 1;
  while (!keys.prepare(source, 100)) parts += 1;
  expect(parts).toBe(11);
  expect(keys.prepare(source, 100)).toBe(true);
  for (let index = 0; index < 350; index += 1) {
    source.delete(`${index}` as BinaryKey);
    keys.noteChange(`${index}` as BinaryKey, source.size);
  }
  // What is left after three parts is little enough for a scan.
  expect([1, 2, 3].map(() => keys.prepare(source, 100))).toEqual([false, false, true]);
});

it('an order that was being made is forgotten with the keys that it was made of', () => {
  const keys = new SortedKeys();
  keys.prepare(new Map([...'edcba'].map((key) => [key as BinaryKey, 0])), 2);
  keys.clear();
  const source = new Map([...'zy'].map((key) => [key as BinaryKey, 0]));
  for (const _ of [1, 2]) {
    expect([...(keys.scan(source, undefined, 'forward') as IterableIterator<[string]>)].map(String)).toHaveLength(2);
    keys.endScan();
  }
});
