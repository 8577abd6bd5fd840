import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createOnnxEngine, InferenceError } from '@chip-quality/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDetector } from '../src/detector/start-detector.ts';
import { boardImage, RunningPlatform } from './support/running-platform.ts';
import { removeTestDirectory, testDirectory } from './support/test-directory.ts';

const NAME = 'pcb_defect_detector';
const committed = fileURLToPath(new URL(`../../models/repository/${NAME}`, import.meta.url));
const repository = testDirectory('model-repository');
const MODEL = `/v1/models/${NAME}`;

/** A version as somebody who has trained a new one copies it into the repository. */
function addVersion(version: string): void {
  const folder = join(repository, NAME, version);
  mkdirSync(folder, { recursive: true });
  cpSync(join(committed, '1', 'model.onnx'), join(folder, 'model.onnx'));
  const classes = JSON.parse(readFileSync(join(committed, '1', 'classes.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'classes.json'), JSON.stringify({ ...classes, modelVersion: version }));
}

describe('model versions on the running line', () => {
  let platform: RunningPlatform;
  let image: Uint8Array;
  let deployments = 0;
  const broken = new Set<string>();
  /** The real engine, until its version breaks. */
  const open = async (modelDirectory: string, version: string) => {
    const engine = await createOnnxEngine({ modelDirectory, version });
    const infer = engine.infer.bind(engine);
    return Object.assign(engine, {
      infer: (...call: Parameters<typeof infer>) =>
        broken.has(version) ? Promise.reject(new InferenceError('bad-output', 'not a number')) : infer(...call),
    });
  };
  beforeAll(async () => {
    addVersion('1');
    image = await boardImage();
    platform = await RunningPlatform.start('test-deployment', {
      environment: { MODEL_DIRECTORY: join(repository, NAME) },
      startDetector: (config, surroundings) => startDetector(config, { ...surroundings, open }),
    });
  });
  afterAll(async () => {
    await platform?.stop();
    removeTestDirectory(repository);
  });

  const deploy = (body: object) =>
    platform.request('PUT', `${MODEL}/deployment`, { body, key: `deploy-${++deployments}` });
  const rollBack = () => platform.request('POST', `${MODEL}/rollback`, { key: `rollback-${++deployments}` });
  const versionOf = async () => (await platform.inspect(image)).model_version as string;
  /** Workers follow a moment after the answer. */
  const judgedBy = (version: string) => expect.poll(versionOf, { timeout: 60_000 }).toBe(version);

  it('begins with the oldest version, and has nothing to go back to', async () => {
    const model = await platform.request('GET', MODEL);
    expect(model).toMatchObject({
      status: 200,
      body: { versions: [{ version: '1' }], deployment: { production: '1', revision: 0, previous: null } },
    });
    expect(await rollBack()).toMatchObject({
      status: 409,
      body: { type: 'urn:chip-quality:problem:nothing-to-roll-back', status: 409 },
    });
    expect((await deploy({ production: '2' })).status).toBe(422);
    expect(await versionOf()).toBe('1');
  });

  it('deploys a version that was copied in while the line ran, shows it, records it, and rolls it back', async () => {
    addVersion('2');
    expect(await deploy({ production: '2' })).toMatchObject({
      status: 200,
      body: { production: '2', previous: '1', revision: 1, updated_by: 'test' },
    });
    const { body } = await platform.request('GET', MODEL);
    expect(body.deployment).toMatchObject({ production: '2', revision: 1 });
    expect(body.versions.map(({ version }: { version: string }) => version)).toEqual(['1', '2']);
    await judgedBy('2');
    expect(await rollBack()).toMatchObject({ status: 200, body: { production: '1', previous: null } });
    await judgedBy('1');
  });

  it('lets a shadow see boards beside production, in metrics only', async () => {
    await deploy({ production: '1', candidate: { version: '2', mode: 'shadow' } });
    const agreement = `model_shadow_boards_total{model="${NAME}",production="1",shadow="2",outcome="same"}`;
    await expect
      .poll(
        async () => {
          expect(await versionOf()).toBe('1');
          return metric(await platform.metrics(), agreement);
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(0);
  });

  it('shares inspections between two versions, and remembers all of it over a restart', async () => {
    await deploy({ production: '1', candidate: { version: '2', mode: 'split', share: 0.5 } });
    const seen = new Set<string>();
    await expect.poll(async () => seen.add(await versionOf()).size, { timeout: 60_000 }).toBe(2);
    const before = await platform.request('GET', MODEL);
    await platform.restart();
    expect((await platform.request('GET', MODEL)).body).toEqual(before.body);
    const again = new Set<string>();
    await expect.poll(async () => again.add(await versionOf()).size, { timeout: 60_000 }).toBe(2);
    const metrics = await platform.metrics();
    for (const [version, role] of [
      ['1', 'production'],
      ['2', 'candidate'],
    ]) {
      const labels = `model="${NAME}",version="${version}",role="${role}"`;
      expect(metric(metrics, `model_deployment_share{${labels}}`)).toBe(0.5);
      expect(metric(metrics, `model_boards_total{${labels}}`)).toBeGreaterThan(0);
      expect(metric(metrics, `model_flagged_boards_total{${labels}}`)).toBeGreaterThan(0);
      expect(metric(metrics, `model_batch_seconds_count{${labels}}`)).toBeGreaterThan(0);
    }
    expect(await rollBack()).toMatchObject({ status: 200, body: { production: '1', candidate: null } });
  });

  it('judges the boards of a candidate that fails with production, suspends its trial, and says so', async () => {
    const candidate = { version: '2', mode: 'split', share: 1 };
    await deploy({ production: '1', candidate });
    await judgedBy('2');
    broken.add('2');
    const fallbacks = `model_fallback_boards_total{model="${NAME}",candidate="2",production="1"}`;
    for (let board = 0; board < 5; board += 1) {
      expect(await platform.inspect(image)).toMatchObject({ status: 'completed', verdict: 'fail', model_version: '1' });
    }
    expect(metric(await platform.metrics(), fallbacks)).toBe(5);
    const shown = async () => (await platform.request('GET', MODEL)).body.deployment;
    await expect
      .poll(shown, { timeout: 60_000 })
      .toMatchObject({ candidate: { ...candidate, suspended_at: expect.any(String) }, updated_by: 'worker-test' });
    // Mended, it stays suspended until somebody acts.
    broken.delete('2');
    expect(await versionOf()).toBe('1');
    expect((await deploy({ production: '1', candidate })).body).toMatchObject({ candidate: { suspended_at: null } });
    await judgedBy('2');
    await rollBack();
  });

  it('lets a shadow that fails touch no board', async () => {
    broken.add('2');
    await deploy({ production: '1', candidate: { version: '2', mode: 'shadow' } });
    const failures = `model_failed_boards_total{model="${NAME}",version="2",role="shadow",reason="bad-output"}`;
    await expect
      .poll(
        async () => {
          expect(await platform.inspect(image)).toMatchObject({ verdict: 'fail', model_version: '1' });
          return metric(await platform.metrics(), failures);
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(5);
    broken.delete('2');
  });

  it('refuses strangers and unknown models', async () => {
    const token = await platform.token({ scopes: ['models:read'] });
    expect((await platform.request('GET', '/v1/models', { token })).status).toBe(200);
    expect((await platform.request('POST', `${MODEL}/rollback`, { token, key: 'stranger' })).status).toBe(403);
    expect((await platform.request('GET', '/v1/models/nobody')).status).toBe(404);
  });
});

/** A sample of Prometheus' text; NaN where it is not there. */
function metric(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? Number.NaN);
}
