/**
 * Writes generated boards as a folder of the DeepPCB form, for training and for `--images`.
 *
 *   node models/src/boards/write-board-folder.ts --out DIR [--count 800] [--seed 1] [--defects 6] [--clean 0.125]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFECT_LABELS } from './defect-placement.ts';
import { encodeJpeg } from './encode-jpeg.ts';
import { generateBoard } from './generate-board.ts';

/** Boards made of each part: few, since layouts teach more than repetitions. */
const BOARDS_PER_PART = 2;

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    count: { type: 'string', default: '800' },
    seed: { type: 'string', default: '1' },
    defects: { type: 'string', default: '6' },
    clean: { type: 'string', default: '0.125' },
  },
});
if (values.out === undefined) throw new Error('--out DIR is missing');
for (const name of ['boards', 'golden', 'annotations']) {
  await mkdir(join(values.out, name), { recursive: true });
}
const count = Number(values.count);
const cleanShare = Number(values.clean);
for (let i = 0; i < count; i += 1) {
  const { image, golden, defects } = generateBoard({
    seed: i,
    partSeed: Number(values.seed) * 1_000_000 + Math.floor(i / BOARDS_PER_PART),
    // Clean ones evenly among the others: whenever the running share passes a whole number.
    defective: Math.floor(i * cleanShare) === Math.floor((i - 1) * cleanShare),
    defectsMax: Number(values.defects),
  });
  const id = String(i).padStart(8, '0');
  const lines = defects.map(
    (d) => `${d.x} ${d.y} ${d.x + d.width} ${d.y + d.height} ${DEFECT_LABELS.indexOf(d.label) + 1}`,
  );
  await writeFile(join(values.out, 'boards', `${id}.jpg`), await encodeJpeg(image));
  await writeFile(join(values.out, 'golden', `${id}.jpg`), await encodeJpeg(golden));
  await writeFile(join(values.out, 'annotations', `${id}.txt`), lines.map((l) => `${l}\n`).join(''));
}
console.log(`${count} boards in ${values.out}`);
