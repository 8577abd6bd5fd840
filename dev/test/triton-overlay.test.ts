import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'deploy/triton/lay-over.sh');
const repository = join(root, 'models/repository');
const directory = mkdtempSync(join(tmpdir(), 'overlay-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const configOf = (folder: string, model: string) => readFileSync(join(folder, model, 'config.pbtxt'), 'utf8');

test('the GPU overlay adds placement and TensorRT to the detector and leaves the other models alone', () => {
  const out = join(directory, 'gpu');
  expect(spawnSync(script, ['gpu', out], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  const laid = configOf(out, 'pcb_defect_detector');
  expect(laid.startsWith(configOf(repository, 'pcb_defect_detector'))).toBe(true);
  expect(laid.match(/instance_group/g)).toHaveLength(1);
  expect(laid).toContain('KIND_GPU');
  expect(laid).toContain('key: "precision_mode" value: "FP16"');
  for (const model of readdirSync(repository)) {
    if (model !== 'pcb_defect_detector') expect(configOf(out, model)).toBe(configOf(repository, model));
  }
});

test('an overlay that does not exist, and a folder that does, are refused', () => {
  expect(spawnSync(script, ['tpu', join(directory, 'tpu')], { encoding: 'utf8' })).toMatchObject({
    status: 1,
    stderr: 'no overlay tpu in deploy/triton\n',
  });
  expect(spawnSync(script, ['gpu', directory], { encoding: 'utf8' }).stderr).toContain('is there already');
});
