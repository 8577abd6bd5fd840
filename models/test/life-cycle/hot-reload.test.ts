import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateBoard } from '../../src/boards/index.ts';
import { createOnnxEngine, listModels, ModelLifeCycle, type ModelObserver } from '../../src/index.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';

const NAME = 'pcb_defect_detector';
const SWITCHES = 4;
const VERSIONS = ['1', '2', '10'];

describe('versions in one process', () => {
  let repository: string;
  beforeAll(() => {
    repository = mkdtempSync(join(tmpdir(), 'models-'));
    for (const version of VERSIONS) {
      cpSync(join(MODEL_DIRECTORY, '1'), join(repository, NAME, version), { recursive: true });
    }
    // What is just being copied is no version yet.
    mkdirSync(join(repository, NAME, '11'));
    mkdirSync(join(repository, 'preprocess_boards', '1'), { recursive: true });
  });
  afterAll(() => rmSync(repository, { recursive: true, force: true }));

  it('are listed by number, without what is incomplete or no detector', async () => {
    const models = await listModels(repository);
    expect(models.map(({ name }) => name)).toEqual([NAME]);
    expect(models[0]?.versions.map(({ version }) => version)).toEqual(VERSIONS);
  });

  it('are switched under traffic without a failed call, each answer from a version that was deployed', async () => {
    const failures: unknown[] = [];
    const deployed: string[] = [];
    const observer: ModelObserver = {
      judged: () => {},
      failed: (...failure) => failures.push(failure),
      compared: () => {},
      shadowSkipped: () => {},
      fellBack: () => {},
      suspended: () => {},
      circuit: () => {},
      deployed: ({ production }) => deployed.push(production),
      deploymentFailed: (_deployment, error) => failures.push(error),
    };
    const lifeCycle = new ModelLifeCycle({
      modelName: NAME,
      open: (version) => createOnnxEngine({ modelDirectory: join(repository, NAME), version }),
      observer,
    });
    const { image, golden } = generateBoard({ seed: 3, partSeed: 5, defective: true });
    const input = { board: image, golden };
    await lifeCycle.start({ production: '1', candidate: null });
    const [expected] = await lifeCycle.route('any').infer([input]);
    let isOver = false;
    let answers = 0;
    const traffic = [1, 2, 3].map(async () => {
      while (!isOver) {
        const [found] = await lifeCycle.route('any').infer([input]);
        expect(found).toEqual(expected);
        answers += 1;
      }
    });
    const switches = (async () => {
      for (let index = 1; index <= SWITCHES; index += 1) {
        const production = VERSIONS[index % VERSIONS.length] as string;
        const before = answers;
        await lifeCycle.follow({ production, candidate: null });
        expect(lifeCycle.deployment?.production).toBe(production);
        // Some traffic on every version.
        while (answers < before + 3) await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await switches.finally(() => {
      isOver = true;
    });
    await Promise.all(traffic);
    await lifeCycle.close();
    expect(failures).toEqual([]);
    expect(deployed).toEqual(['1', '2', '10', '1', '2']);
  });
});
