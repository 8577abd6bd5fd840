import { DEFAULT_SERVICES } from '@chip-quality/dev';
import { createOnnxEngine, decodeImage, TritonAdmin } from '@chip-quality/models';
import { VersionedRepository } from '@chip-quality/models/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boardImage, goldenImage, RunningPlatform } from './support/running-platform.ts';

const NAME = 'pcb_defect_detector';
const SINGLE = `${NAME}_single`;
const MODEL = `/v1/models/${NAME}`;
const PATIENCE_MS = 90_000;
/** The database keeps confidences as 32-bit numbers. */
const TOLERANCE = 1e-3;
/** Boards that the line works on at once. */
const STATIONS = 4;

interface Judged {
  readonly version: string;
  readonly confidence: number;
}

describe('model versions on a line with a real Triton', () => {
  const repository = new VersionedRepository();
  /** The confidence of the board's surest defect, by what judges it: it tells the versions apart. */
  const confidences = new Map<string, number>();
  let platform: RunningPlatform;
  let image: Uint8Array;
  let withoutGolden: string;
  let requests = 0;

  beforeAll(async () => {
    repository.addVersion('2');
    image = await boardImage();
    const [board, golden] = [await decodeImage(image), await decodeImage(await goldenImage())];
    for (const [model, version] of [
      [NAME, '1'],
      [NAME, '2'],
      [SINGLE, '1'],
    ] as const) {
      const engine = await createOnnxEngine({ modelDirectory: repository.modelDirectory(model), version });
      const [found = []] = await engine.infer([{ board, golden: model === SINGLE ? undefined : golden }]);
      confidences.set(model === SINGLE ? `${model}/${version}` : version, found[0]?.confidence ?? 0);
      await engine.close();
    }
    platform = await RunningPlatform.start('test-triton-versions', {
      environment: { MODEL_DIRECTORY: repository.modelDirectory(NAME), INFERENCE_ENGINE: 'triton' },
      services: [...DEFAULT_SERVICES, 'triton'],
    });
    withoutGolden = await platform.openLot('P-without', undefined);
  }, 900_000);
  afterAll(async () => {
    await platform?.stop();
    repository.remove();
  }, 60_000);

  const deploy = async (body: object) => {
    const answer = await platform.request('PUT', `${MODEL}/deployment`, { body, key: `deploy-${++requests}` });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  };
  const rollBack = async () => {
    expect((await platform.request('POST', `${MODEL}/rollback`, { key: `rollback-${++requests}` })).status).toBe(200);
  };
  const inspect = async (lotId?: string): Promise<Judged> => {
    const inspection = await platform.inspect(image, lotId === undefined ? {} : { lotId });
    expect(inspection).toMatchObject({ status: 'completed', verdict: 'fail', failure_reason: null });
    return { version: inspection.model_version, confidence: inspection.defects[0].confidence };
  };
  /** The version that is on record is the one whose answer it is. */
  const expectTrue = ({ version, confidence }: Judged) => {
    expect(Math.abs(confidence - (confidences.get(version) ?? Number.NaN)), `version ${version}`).toBeLessThan(
      TOLERANCE,
    );
  };

  it.each(['uint8', 'jpeg'])(
    'deploys, splits, shadows and rolls back while boards flow as %s: none fails, and each is judged by the version on its record',
    {
      timeout: 600_000,
    },
    async (transport) => {
      await platform.restart({ TRITON_TRANSPORT: transport });
      expect(confidences.get('2')).not.toBeCloseTo(confidences.get('1') ?? 0, 2);
      const judged: Judged[] = [];
      let isOver = false;
      const flow = Array.from({ length: STATIONS }, async (_, station) => {
        while (!isOver) {
          const board = await inspect(station === 0 ? withoutGolden : undefined);
          // A station that finds something wrong ends the test, which must not wait for the others.
          expectTrue(board);
          judged.push(board);
        }
      });
      const flowing = Promise.all(flow);
      /** Waits until the boards that come in are judged as `wanted`. */
      const judgedBy = async (wanted: readonly string[]) => {
        const from = judged.length;
        const seen = () => {
          const versions = judged.slice(from).map(({ version }) => version);
          return wanted.every((version) => versions.includes(version));
        };
        await Promise.race([flowing, expect.poll(seen, { timeout: PATIENCE_MS }).toBe(true)]);
      };
      const single = `${SINGLE}/1`;
      try {
        await judgedBy(['1', single]);
        await deploy({ production: '2' });
        await judgedBy(['2', single]);
        await deploy({ production: '2', candidate: { version: '1', mode: 'split', share: 0.5 } });
        await judgedBy(['1', '2', single]);
        await deploy({ production: '2', candidate: { version: '1', mode: 'shadow' } });
        await expect
          .poll(async () => (await platform.metrics()).includes(`model="${NAME}",production="2",shadow="1"`), {
            timeout: PATIENCE_MS,
          })
          .toBe(true);
        await rollBack();
        // Somebody else's reload of everything that the versions stand on.
        const admin = new TritonAdmin(platform.stack.triton?.grpc ?? '');
        for (const model of [NAME, SINGLE, 'ensemble_model', 'ensemble_model_single']) await admin.loadModel(model);
        admin.close();
        await deploy({ production: '1' });
        await judgedBy(['1', single]);
        await rollBack();
        await judgedBy(['2', single]);
        await deploy({ production: '1' });
        await judgedBy(['1', single]);
      } finally {
        isOver = true;
      }
      await flowing;
      // A slow machine may let a call run out of time; it is repeated, and its boards were judged. A shadow that is taken
      // away drops what it was about to judge.
      const failures = (await platform.metrics())
        .split('\n')
        .filter((line) => line.startsWith('model_failed_boards_total{'))
        .filter((line) => !line.includes('reason="unavailable"') && !/role="shadow",reason="aborted"/.test(line));
      expect(failures).toEqual([]);
      expect(platform.fatal).toEqual([]);
    },
  );

  it('tells what the ensemble refuses as what it is', async () => {
    // The header is sound: only the server, which decodes, sees it.
    const damaged = image.slice(0, image.length / 2);
    expect(await platform.inspect(damaged)).toMatchObject({
      status: 'failed',
      failure_reason: 'invalid_image:corrupt',
    });
    const golden = await goldenImage();
    const lotId = await platform.openLot('P-damaged', golden.slice(0, golden.length / 2));
    expect(await platform.inspect(image, { lotId })).toMatchObject({
      status: 'failed',
      failure_reason: 'golden_invalid_image:corrupt',
    });
    expectTrue(await inspect());
  });
});
