import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const committed = fileURLToPath(new URL('../../repository', import.meta.url));
/** A network that was trained on other boards: it sees the same marks a little differently. */
const otherNetwork = fileURLToPath(new URL('../../training/results/pair-families-b/1', import.meta.url));

/** A copy of the model repository that a test may copy versions into. */
export class VersionedRepository {
  readonly directory = mkdtempSync(join(tmpdir(), 'model-repository-'));

  constructor() {
    cpSync(committed, this.directory, { recursive: true });
  }

  modelDirectory(model: string): string {
    return join(this.directory, model);
  }

  /** Copies a version of the detector in, as somebody who has trained a new one does. Its detections differ from version 1's. */
  addVersion(version: string): void {
    const folder = join(this.directory, 'pcb_defect_detector', version);
    mkdirSync(folder);
    cpSync(join(otherNetwork, 'model.onnx'), join(folder, 'model.onnx'));
    const classes = JSON.parse(readFileSync(join(otherNetwork, 'classes.json'), 'utf8')) as object;
    writeFileSync(join(folder, 'classes.json'), JSON.stringify({ ...classes, modelVersion: version }));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
