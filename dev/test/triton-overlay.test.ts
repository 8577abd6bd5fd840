import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

test('the GPU overlay adds placement, TensorRT and the unquantised network to the detectors alone', () => {
  const out = join(directory, 'gpu');
  expect(spawnSync(script, ['gpu', out], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  for (const model of readdirSync(repository)) {
    const laid = configOf(out, model);
    if (!model.startsWith('pcb_defect_detector')) {
      expect(laid).toBe(configOf(repository, model));
      continue;
    }
    expect(laid.startsWith(configOf(repository, model))).toBe(true);
    expect(laid.match(/instance_group/g)).toHaveLength(1);
    expect(laid).toContain('KIND_GPU');
    expect(laid).toContain('key: "precision_mode" value: "FP16"');
    const file = /default_model_filename: "(.+)"/.exec(laid)?.[1] ?? '';
    expect(existsSync(join(out, model, '1', file))).toBe(true);
  }
});

test('an overlay that does not exist, and a folder that does, are refused', () => {
  expect(spawnSync(script, ['tpu', join(directory, 'tpu')], { encoding: 'utf8' })).toMatchObject({
    status: 1,
    stderr: 'no overlay tpu in deploy/triton\n',
  });
  expect(spawnSync(script, ['gpu', directory], { encoding: 'utf8' }).stderr).toContain('is there already');
});
