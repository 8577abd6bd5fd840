import { encodeJpeg, generateBoard } from '@chip-quality/models/boards';
import { type BoardSource, DEMO_LINES, type ImageFile, type PartSpec, placeOnLine } from './board-source.ts';

/** About one board in this many is defective, as on a line that has a quality problem worth showing. */
const DEFECTIVE_ONE_IN = 8;
/** Spreads board seeds: neighbouring runs must not share boards. Any odd constant would do; this one is 2^32 / phi. */
const SEED_STRIDE = 2_654_435_761;

/** Boards of the demonstration line: seeded, with known ground truth, one part a line. */
export function generatedBoards(seed: number): BoardSource {
  const parts: readonly PartSpec[] = DEMO_LINES.map((line, index) => ({
    partNumber: `demo-${line}`,
    golden: async () => {
      const { golden } = generateBoard({ seed: 0, partSeed: seed + index, defective: false });
      return jpeg('golden', await encodeJpeg(golden));
    },
  }));
  return {
    name: 'generated',
    size: null,
    remark: undefined,
    board(index) {
      const boardSeed = (seed + Math.imul(index + 1, SEED_STRIDE)) >>> 0;
      const line = index % DEMO_LINES.length;
      const chipId = `board-${String(index).padStart(6, '0')}`;
      return {
        ...placeOnLine(index),
        chipId,
        part: parts[line] as PartSpec,
        async capture() {
          const board = generateBoard({
            seed: boardSeed,
            partSeed: seed + line,
            defective: boardSeed % DEFECTIVE_ONE_IN === 0,
          });
          return {
            image: jpeg(chipId, await encodeJpeg(board.image)),
            defects: board.defects.map(({ x, y, width, height, label }) => ({
              x1: x,
              y1: y,
              x2: x + width,
              y2: y + height,
              label,
            })),
          };
        },
      };
    },
  };
}

function jpeg(name: string, encoded: Uint8Array): ImageFile {
  // `fetch` takes bodies over ArrayBuffers, not over shared memory.
  const bytes = encoded.buffer instanceof ArrayBuffer ? (encoded as Uint8Array<ArrayBuffer>) : new Uint8Array(encoded);
  return { bytes, contentType: 'image/jpeg', filename: `${name}.jpg` };
}
