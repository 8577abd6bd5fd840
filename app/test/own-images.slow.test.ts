import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFECT_LABELS, encodeJpeg, generateBoard } from '@chip-quality/models/boards';
import { afterAll, describe, expect, it } from 'vitest';
import { StartedLine } from './support/started-line.ts';
import { removeTestDirectory, testDirectory } from './support/test-directory.ts';

const localDirectory = testDirectory('test-own-images');
const TIMEOUT_MS = 400_000;

/** A folder as a user has it: whatever is given, by path. */
function folder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'own-images-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

describe('npm start -- --images DIR', () => {
  const folders: string[] = [];
  let line: StartedLine | undefined;
  afterAll(async () => {
    if (line?.isRunning === true) await line.killEverything();
    for (const directory of [...folders, localDirectory]) removeTestDirectory(directory);
  });

  /** The last line of a run over a folder with these files. */
  async function resultOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<{ code: number | null }> {
    const directory = folder(files);
    folders.push(directory);
    line = new StartedLine(localDirectory, ['--images', directory, '--exit']);
    return { code: await line.exited };
  }

  it('scores boards whose annotations are there', { timeout: TIMEOUT_MS }, async () => {
    const files: Record<string, string | Uint8Array> = {};
    for (let seed = 1; seed <= 6; seed += 1) {
      const board = generateBoard({ seed, partSeed: seed, defective: seed % 2 === 1 });
      files[`boards/b${seed}.jpg`] = await encodeJpeg(board.image);
      files[`golden/b${seed}.jpg`] = await encodeJpeg(board.golden);
      files[`annotations/b${seed}.txt`] = board.defects
        .map(({ x, y, width, height, label }) => {
          return `${x} ${y} ${x + width} ${y + height} ${DEFECT_LABELS.indexOf(label) + 1}\n`;
        })
        .join('');
    }
    const { code } = await resultOf(files);
    expect(code, line?.output).toBe(0);
    const [, precision, recall] =
      /^boards=6 completed=6 lost=0 duplicated=0 precision=(\S+) recall=(\S+)/.exec(line?.lastLine ?? '') ?? [];
    expect(Number(precision), line?.output).toBeGreaterThan(0.6);
    expect(Number(recall), line?.output).toBeGreaterThan(0.6);
    expect(line?.output).toContain('6 images, 6 with a golden image, 6 annotated');
  });

  it('takes plain images, and says of each bad one what is wrong', { timeout: TIMEOUT_MS }, async () => {
    const { image } = generateBoard({ seed: 1, partSeed: 1, defective: true });
    const good = await encodeJpeg(image);
    const { code } = await resultOf({
      'good one.jpg': good,
      'good_one.jpg': good,
      'torn.jpg': good.subarray(0, good.length / 2),
      'letter.png': 'Dear Sir or Madam',
      'empty.jpg': '',
      'notes.txt': 'not an image at all',
    });
    expect(code, line?.output).toBe(0);
    expect(line?.lastLine).toMatch(
      /^boards=5 completed=2 lost=0 duplicated=0 failed=2 refused=1 precision=n\/a recall=n\/a /,
    );
    expect(line?.output).toMatch(/board empty: .*The object is empty/);
  });

  it('ends with a message where there is nothing to inspect', { timeout: TIMEOUT_MS }, async () => {
    const { code } = await resultOf({ 'notes.txt': 'nothing' });
    expect(code).toBe(1);
    expect(line?.lastLine).toMatch(/^error: .*no JPEG or PNG images/);
  });
});
