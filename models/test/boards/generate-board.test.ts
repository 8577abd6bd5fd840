import { IMAGE_PIXELS, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { describe, expect, test } from 'vitest';
import { DEFECT_LABELS, encodeJpeg, generateBoard } from '../../src/boards/index.ts';
import { decodeImage } from '../../src/index.ts';

const request = { seed: 5, partSeed: 3, defective: true } as const;

function differences(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) count += 1;
  return count;
}

describe('generateBoard', () => {
  test('makes the same board again from the same seeds, whatever was made in between', () => {
    const first = generateBoard(request);
    for (let partSeed = 100; partSeed < 120; partSeed += 1) {
      generateBoard({ seed: 1, partSeed, defective: false });
    }
    const again = generateBoard(request);
    expect(again.defects).toEqual(first.defects);
    expect(differences(again.image, first.image)).toBe(0);
    expect(differences(again.golden, first.golden)).toBe(0);
  });

  test('gives every board of a part the same golden image, and other parts another', () => {
    const { golden } = generateBoard({ seed: 1, partSeed: 1, defective: false });
    for (let seed = 2; seed < 6; seed += 1) {
      const other = generateBoard({ seed, partSeed: 1, defective: seed % 2 === 0 });
      expect(differences(other.golden, golden)).toBe(0);
    }
    const otherPart = generateBoard({ seed: 1, partSeed: 2, defective: false });
    expect(differences(otherPart.golden, golden)).toBeGreaterThan(1000);
  });

  test('makes another board of the same part from another seed', () => {
    const a = generateBoard({ seed: 1, partSeed: 1, defective: false });
    const b = generateBoard({ seed: 2, partSeed: 1, defective: false });
    expect(differences(a.image, b.image)).toBeGreaterThan(100);
  });

  test('is bi-level, of the detector’s size, and defective exactly when asked', () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const board = generateBoard({ seed, partSeed: seed, defective: seed % 2 === 0 });
      expect(board.image.length).toBe(IMAGE_PIXELS);
      expect(board.image.every((value) => value === 0 || value === 255)).toBe(true);
      expect(board.defects.length > 0).toBe(seed % 2 === 0);
      expect(board.defects.length).toBeLessThanOrEqual(3);
    }
  });

  test('puts boxes inside the image, apart from each other, around pixels that differ from golden', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const { image, golden, defects } = generateBoard({
        seed,
        partSeed: seed,
        defective: true,
        defectsMax: 8,
      });
      defects.forEach((defect, i) => {
        seen.add(defect.label);
        expect(defect.x).toBeGreaterThanOrEqual(0);
        expect(defect.y).toBeGreaterThanOrEqual(0);
        expect(defect.x + defect.width).toBeLessThanOrEqual(IMAGE_SIDE_PX);
        expect(defect.y + defect.height).toBeLessThanOrEqual(IMAGE_SIDE_PX);
        let changed = 0;
        for (let y = defect.y; y < defect.y + defect.height; y += 1) {
          for (let x = defect.x; x < defect.x + defect.width; x += 1) {
            if (image[y * IMAGE_SIDE_PX + x] !== golden[y * IMAGE_SIDE_PX + x]) changed += 1;
          }
        }
        expect(changed, `${defect.label} of seed ${seed}`).toBeGreaterThan(12);
        for (const other of defects.slice(i + 1)) {
          const apart =
            other.x >= defect.x + defect.width ||
            defect.x >= other.x + other.width ||
            other.y >= defect.y + defect.height ||
            defect.y >= other.y + other.height;
          expect(apart).toBe(true);
        }
      });
    }
    expect([...seen].sort()).toEqual([...DEFECT_LABELS].sort());
  });

  test('survives JPEG: every decoded pixel is on the side of the threshold it was on', async () => {
    const { image } = generateBoard(request);
    const decoded = await decodeImage(await encodeJpeg(image));
    let flipped = 0;
    decoded.forEach((value, i) => {
      if (value > 127 !== (image[i] ?? 0) > 127) flipped += 1;
    });
    expect(flipped).toBeLessThan(IMAGE_PIXELS / 5000);
  });
});
