import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Deployment, InferenceError, ModelLifeCycle, type ModelObserver, placeOf } from '../../src/index.ts';
import { board, detection, FaultyEngine } from '../support/faulty-engine.ts';

const ids = Array.from({ length: 4_000 }, (_, index) => `inspection-${index}`);
const running: ModelLifeCycle[] = [];
afterEach(async () => {
  for (const lifeCycle of running.splice(0)) await lifeCycle.close();
});

function build(more: { open?: (version: string) => Promise<FaultyEngine> } = {}) {
  const engines = new Map<string, FaultyEngine>();
  const opened: string[] = [];
  const events: [name: keyof ModelObserver, ...values: unknown[]][] = [];
  const tell =
    (name: keyof ModelObserver) =>
    (...values: unknown[]) => {
      events.push([name, ...values]);
    };
  const lifeCycle = new ModelLifeCycle({
    modelName: 'pcb_defect_detector',
    open: async (version) => {
      const engine = (await more.open?.(version)) ?? new FaultyEngine(version);
      opened.push(version);
      engines.set(version, engine);
      return engine;
    },
    loadWaitMs: 1,
    observer: {
      judged: tell('judged'),
      failed: tell('failed'),
      compared: tell('compared'),
      shadowSkipped: tell('shadowSkipped'),
      fellBack: tell('fellBack'),
      suspended: tell('suspended'),
      circuit: tell('circuit'),
      deployed: tell('deployed'),
      deploymentFailed: tell('deploymentFailed'),
    },
  });
  running.push(lifeCycle);
  const engine = (version: string) => engines.get(version) as FaultyEngine;
  const told = (name: keyof ModelObserver) => events.filter(([each]) => each === name);
  return { lifeCycle, engine, opened, events, told };
}

const only = (production: string): Deployment => ({ production, candidate: null });
const withCandidate = (mode: 'split' | 'shadow', share: number): Deployment => ({
  production: '1',
  candidate: { version: '2', mode, share },
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the place of an inspection', () => {
  it('is the same in every process, and even over many inspections', () => {
    expect(placeOf('0b0f7b7e-6a0a-5d2e-9a55-3c1d7d5a5a01')).toBeCloseTo(0.14985653, 8);
    for (const share of [0.1, 0.5, 0.9]) {
      expect(ids.filter((id) => placeOf(id) < share).length / ids.length).toBeCloseTo(share, 1);
    }
  });
});

describe('the life cycle of a model', () => {
  it('switches without failing a call: what was begun ends where it began, and then the old version is closed', async () => {
    const { lifeCycle, engine } = build();
    await lifeCycle.start(only('1'));
    engine('1').hangs = true;
    engine('1').detections = [detection({ label: 'old' })];
    const begun = lifeCycle.route('a').infer([board]);
    await lifeCycle.follow(only('2'));
    expect(lifeCycle.deployment?.production).toBe('2');
    expect(engine('1').isClosed).toBe(false);
    expect(await lifeCycle.route('a').infer([board])).toEqual([[]]);
    engine('1').release();
    expect((await begun)[0]?.[0]?.label).toBe('old');
    await turn();
    expect(engine('1').isClosed).toBe(true);
    expect(engine('2').isClosed).toBe(false);
  });

  it('tells who holds on to a replaced version to ask for a route again', async () => {
    const { lifeCycle } = build();
    await lifeCycle.start(only('1'));
    const old = lifeCycle.route('a');
    await lifeCycle.follow(only('2'));
    await expect(old.infer([board])).rejects.toMatchObject({ reason: 'unavailable', retriable: true });
  });

  it('shares inspections by their hash, steadily, and keeps whom a growing share had', async () => {
    const { lifeCycle } = build();
    await lifeCycle.start(withCandidate('split', 0.2));
    const candidates = () => ids.filter((id) => lifeCycle.route(id).modelVersion === '2');
    const first = candidates();
    expect(first.length / ids.length).toBeCloseTo(0.2, 1);
    expect(candidates()).toEqual(first);
    await lifeCycle.follow(withCandidate('split', 0.6));
    const grown = new Set(candidates());
    expect(grown.size / ids.length).toBeCloseTo(0.6, 1);
    expect(first.every((id) => grown.has(id))).toBe(true);
    await lifeCycle.follow(withCandidate('split', 1));
    expect(candidates()).toHaveLength(ids.length);
  });

  it('counts what each version judges, by its own threshold and role', async () => {
    const { lifeCycle, engine, told } = build();
    await lifeCycle.start(withCandidate('split', 0.5));
    const secondOpinion = { label: 'background', defectType: null, probability: 0.9, disagrees: true };
    engine('1').detections = [detection({ confidence: 0.9, secondOpinion }), detection({ confidence: 0.3 })];
    const mine = ids.find((id) => placeOf(id) >= 0.5) as string;
    const theirs = ids.find((id) => placeOf(id) < 0.5) as string;
    await lifeCycle.route(mine).infer([board, board]);
    engine('2').fault = new InferenceError('bad-output', 'NaN');
    await expect(lifeCycle.route(theirs).infer([board])).rejects.toThrow('NaN');
    expect(told('judged')).toEqual([
      [
        'judged',
        expect.objectContaining({
          version: '1',
          role: 'production',
          boards: 2,
          flagged: 2,
          defects: 2,
          confidenceSum: 1.8,
          opinions: { agrees: 0, 'other-label': 0, background: 2, none: 0 },
        }),
      ],
    ]);
    expect(told('failed')).toEqual([['failed', '2', 'candidate', 1, 'bad-output']]);
  });

  it('shows a shadow the same boards, answers as production does, and compares', async () => {
    const { lifeCycle, engine, told } = build();
    await lifeCycle.start(withCandidate('shadow', 1));
    const found = detection();
    engine('1').detections = [found];
    engine('2').detections = [detection({ x1: 12, x2: 32 })];
    expect(await lifeCycle.route('a').infer([board])).toEqual([[found]]);
    await turn();
    engine('2').detections = [detection({ label: 'short' })];
    await lifeCycle.route('a').infer([board]);
    await turn();
    engine('2').detections = [detection({ confidence: 0.4 })];
    await lifeCycle.route('a').infer([board]);
    await turn();
    expect(told('compared').map(([, ...values]) => values)).toEqual([
      ['1', '2', { same: 1, defectsDiffer: 0, verdictDiffers: 0 }],
      ['1', '2', { same: 0, defectsDiffer: 1, verdictDiffers: 0 }],
      ['1', '2', { same: 0, defectsDiffer: 0, verdictDiffers: 1 }],
    ]);
    expect(engine('2').boards).toHaveLength(3);
  });

  it('is not harmed by a shadow that fails, hangs or lags behind', async () => {
    const { lifeCycle, engine, told } = build();
    await lifeCycle.start(withCandidate('shadow', 1));
    engine('2').fault = new InferenceError('model-failed', 'no');
    await lifeCycle.route('a').infer([board]);
    await turn();
    expect(told('failed')).toEqual([['failed', '2', 'shadow', 1, 'model-failed']]);
    engine('2').fault = undefined;
    engine('2').hangs = true;
    for (let call = 0; call < 6; call += 1) expect(await lifeCycle.route('a').infer([board, board])).toHaveLength(2);
    expect(told('shadowSkipped')).toEqual([
      ['shadowSkipped', '2', 2],
      ['shadowSkipped', '2', 2],
    ]);
    engine('2').isReady = false;
    expect(await lifeCycle.ready()).toBe(true);
    await lifeCycle.follow(only('1'));
    await turn();
    expect(engine('2').isClosed).toBe(true);
  });

  it('shows a shadow only its share', async () => {
    const { lifeCycle, engine } = build();
    await lifeCycle.start(withCandidate('shadow', 0.3));
    for (const id of ids.slice(0, 40)) {
      await lifeCycle.route(id).infer([board]);
      await turn();
    }
    expect(engine('2').boards).toHaveLength(ids.slice(0, 40).filter((id) => placeOf(id) < 0.3).length);
  });

  it('goes on with what judged when a deployment cannot be loaded, and tries again', async () => {
    let tries = 0;
    const { lifeCycle, told } = build({
      open: async (version) => {
        if (version === '2' && ++tries < 3) throw new InferenceError('unavailable', 'half a folder');
        return new FaultyEngine(version);
      },
    });
    await lifeCycle.start(only('1'));
    await lifeCycle.follow(only('2'));
    expect(told('deploymentFailed')).toHaveLength(2);
    expect(lifeCycle.deployment?.production).toBe('2');
  });

  it('gives a deployment up after nine tries, and drops what it had loaded for it', async () => {
    const { lifeCycle, engine, told } = build({
      open: async (version) => {
        if (version === '3') throw new InferenceError('unavailable', 'half a folder');
        return new FaultyEngine(version);
      },
    });
    await lifeCycle.start(only('1'));
    await lifeCycle.follow({ production: '2', candidate: { version: '3', mode: 'split', share: 0.5 } });
    expect(told('deploymentFailed')).toHaveLength(9);
    expect(told('deploymentFailed').at(-1)?.[3]).toBe(false);
    expect(lifeCycle.deployment).toEqual(only('1'));
    await turn();
    expect(engine('2').isClosed).toBe(true);
    expect(await lifeCycle.route('a').infer([board])).toEqual([[]]);
  });

  it('follows the newest of several deployments that come at once', async () => {
    const { lifeCycle, engine, told } = build();
    await lifeCycle.start(only('1'));
    await Promise.all([lifeCycle.follow(only('2')), lifeCycle.follow(only('3')), lifeCycle.follow(only('4'))]);
    expect(lifeCycle.deployment?.production).toBe('4');
    expect(told('deployed').map(([, deployment]) => (deployment as Deployment).production)).toEqual(['1', '4']);
    await turn();
    expect(engine('1').isClosed).toBe(true);
  });

  describe('whose candidate on trial fails', () => {
    const broken = new InferenceError('model-failed', 'no such node');

    it('offers production as its fallback, and tells who judged', async () => {
      const { lifeCycle, engine, told } = build();
      await lifeCycle.start(withCandidate('split', 1));
      const { fallback, ...route } = lifeCycle.route('a');
      expect([route.modelVersion, fallback?.modelVersion, fallback?.fallback]).toEqual(['2', '1', undefined]);
      engine('2').fault = broken;
      await expect(route.infer([board, board])).rejects.toBe(broken);
      expect(await fallback?.infer([board, board])).toEqual([[], []]);
      expect(told('failed')).toEqual([['failed', '2', 'candidate', 2, 'model-failed']]);
      expect(told('judged')).toEqual([['judged', expect.objectContaining({ version: '1', role: 'production' })]]);
      expect(told('fellBack')).toEqual([['fellBack', '2', '1', 2]]);
    });

    /** As the inference topology does it. */
    async function judge(lifeCycle: ModelLifeCycle): Promise<string> {
      const route = lifeCycle.route('a');
      try {
        await route.infer([board]);
        return route.modelVersion;
      } catch (error) {
        if (route.fallback === undefined) throw error;
        await route.fallback.infer([board]);
        return route.fallback.modelVersion;
      }
    }

    it('suspends the trial after five failures in a row, until another deployment comes', async () => {
      const { lifeCycle, engine, told } = build();
      const trial = withCandidate('split', 1);
      await lifeCycle.start(trial);
      for (const isBroken of [true, true, true, true, false, true, true, true, true]) {
        engine('2').fault = isBroken ? broken : undefined;
        expect(await judge(lifeCycle)).toBe(isBroken ? '1' : '2');
      }
      expect(told('suspended')).toEqual([]);
      expect(await judge(lifeCycle)).toBe('1');
      expect(told('suspended')).toEqual([['suspended', trial, 5]]);
      engine('2').fault = undefined;
      expect(lifeCycle.route('a')).toMatchObject({ modelVersion: '1' });
      expect(await judge(lifeCycle)).toBe('1');
      await lifeCycle.follow(withCandidate('split', 1));
      expect(await judge(lifeCycle)).toBe('2');
    });

    it('ends one that hangs: each batch waits for it once, and half as long as it would for production', async () => {
      vi.useFakeTimers();
      try {
        const { lifeCycle, engine, told } = build();
        await lifeCycle.start(withCandidate('split', 1));
        engine('2').hangs = true;
        engine('2').deaf = true;
        for (let batch = 1; batch <= 5; batch += 1) {
          const judged = judge(lifeCycle);
          await vi.advanceTimersByTimeAsync(2_499);
          expect(engine('1').boards).toHaveLength(batch - 1);
          await vi.advanceTimersByTimeAsync(1);
          expect(await judged).toBe('1');
        }
        expect(told('failed').map(([, ...values]) => values)).toEqual(
          Array.from({ length: 5 }, () => ['2', 'candidate', 1, 'unavailable']),
        );
        expect(told('suspended')).toHaveLength(1);
      } finally {
        vi.useRealTimers();
      }
    });

    it('falls back while the circuit to the candidate is open, and does not count it: nobody was asked', async () => {
      const { lifeCycle, engine, told } = build();
      await lifeCycle.start(withCandidate('split', 1));
      const away = new InferenceError('unavailable', 'away');
      engine('1').fault = away;
      engine('2').fault = away;
      // Each version opens its own circuit: the server is away.
      const route = lifeCycle.route('a');
      for (let batch = 0; batch < 5; batch += 1) await expect(route.infer([board])).rejects.toBe(away);
      expect(told('circuit')).toEqual([['circuit', '2', 'open']]);
      engine('1').fault = undefined;
      for (let batch = 0; batch < 12; batch += 1) expect(await judge(lifeCycle)).toBe('1');
      expect(engine('2').boards).toHaveLength(5);
      expect([told('fellBack').length, told('suspended').length]).toEqual([12, 0]);
    });

    it('counts each of two batches that are under way at once by what became of it', async () => {
      const { lifeCycle, engine, told } = build();
      await lifeCycle.start(withCandidate('split', 1));
      const { fallback, ...route } = lifeCycle.route('a');
      const another = { ...board };
      const away = new InferenceError('unavailable', 'away');
      engine('2').fault = away;
      for (let batch = 0; batch < 4; batch += 1) {
        await expect(route.infer([board])).rejects.toBe(away);
        await fallback?.infer([board]);
      }
      await expect(route.infer([board])).rejects.toBe(away);
      // Now the circuit is open: the second batch is not asked, before the first has been judged.
      await expect(route.infer([another])).rejects.toThrow('is not asked');
      await fallback?.infer([another]);
      expect(told('suspended')).toEqual([]);
      await fallback?.infer([board]);
      expect(told('suspended')).toHaveLength(1);
    });

    it('does not suspend a trial for what a batch of the trial before it does', async () => {
      const { lifeCycle, engine, told } = build();
      await lifeCycle.start(withCandidate('split', 0.5));
      engine('2').fault = broken;
      const id = ids.find((each) => placeOf(each) < 0.5) as string;
      const { fallback, ...before } = lifeCycle.route(id);
      for (let batch = 1; batch <= 5; batch += 1) {
        if (batch === 5) await lifeCycle.follow(withCandidate('split', 1));
        await expect(before.infer([board])).rejects.toBe(broken);
        await fallback?.infer([board]);
      }
      expect(told('suspended')).toEqual([]);
      expect(lifeCycle.route(id).modelVersion).toBe('2');
    });

    it('does not count what production fails, too', async () => {
      const { lifeCycle, engine, told } = build();
      await lifeCycle.start(withCandidate('split', 1));
      engine('1').fault = broken;
      engine('2').fault = broken;
      for (let batch = 0; batch < 10; batch += 1) await expect(judge(lifeCycle)).rejects.toBe(broken);
      expect([...told('fellBack'), ...told('suspended')]).toEqual([]);
    });
  });

  it('is ready when what is in production is, and fails calls under way when it is closed', async () => {
    const { lifeCycle, engine } = build();
    expect(await lifeCycle.ready()).toBe(false);
    await lifeCycle.start(withCandidate('split', 0.5));
    engine('2').isReady = false;
    expect(await lifeCycle.ready()).toBe(true);
    engine('1').isReady = false;
    expect(await lifeCycle.ready()).toBe(false);
    await lifeCycle.close();
    expect([engine('1').isClosed, engine('2').isClosed]).toEqual([true, true]);
    expect(await lifeCycle.ready()).toBe(false);
    await lifeCycle.close();
  });
});
