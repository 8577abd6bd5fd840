import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type PendingOffset, PendingOffsets } from '../../../src/runtime/task/pending-offsets.ts';

it('the lowest pending offset is the lowest unfinished one, whatever the order of completion', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.integer({ min: 1, max: 3 }), holds: fc.integer({ min: 1, max: 3 }) }), {
        minLength: 1,
        maxLength: 40,
      }),
      fc.infiniteStream(fc.nat()),
      (records, random) => {
        const pending = new PendingOffsets();
        const open: PendingOffset[] = [];
        let offset = 0;
        for (const { gap, holds } of records) {
          offset += gap;
          const entry = pending.add(offset);
          entry.holds = holds;
          open.push(entry);
        }
        while (open.length > 0) {
          expect(pending.lowest).toBe(Math.min(...open.map((entry) => entry.offset)));
          const index = (random.next().value as number) % open.length;
          const entry = open[index] as PendingOffset;
          entry.holds -= 1;
          if (entry.holds === 0) open.splice(index, 1);
        }
        expect(pending.lowest).toBeUndefined();
      },
    ),
  );
});
