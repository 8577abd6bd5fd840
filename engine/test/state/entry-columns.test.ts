import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryColumns } from '../../src/state/memory/entry-columns.ts';

describe('EntryColumns', () => {
  it('agree with a map over random adds, overwrites and removals of all sizes', () => {
    const length = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
      { weight: 1, arbitrary: fc.integer({ min: 250_000, max: 270_000 }) },
    );
    const step = fc.record({ pick: fc.nat(), length, remove: fc.boolean(), add: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const columns = new EntryColumns();
        const model = new Map<number, Buffer>();
        let fill = 0;
        for (const { pick, length, remove, add } of steps) {
          fill += 1;
          const value = Buffer.alloc(length, fill);
          const slots = [...model.keys()];
          const slot = slots[pick % Math.max(1, slots.length)];
          if (add || slot === undefined) {
            const added = columns.add(value, fill);
            expect(model.has(added)).toBe(false);
            model.set(added, value);
          } else if (remove) {
            columns.remove(slot);
            model.delete(slot);
          } else {
            columns.set(slot, value, fill);
            model.set(slot, value);
          }
        }
        for (const [slot, value] of model) {
          expect(columns.value(slot).equals(value)).toBe(true);
          const { buffer, start, end, timestampMs } = columns.peek(slot);
          expect(buffer.subarray(start, end).equals(value)).toBe(true);
          expect(timestampMs).toBe(columns.timestampMs(slot));
          expect(columns.timestampMs(slot)).toBe(value.length > 0 ? value[0] : columns.timestampMs(slot));
        }
      }),
      { numRuns: 100 },
    );
  });
});
