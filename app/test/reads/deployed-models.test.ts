import type { ModelCandidate, ModelDeployment } from '@chip-quality/schemas';
import { describe, expect, it } from 'vitest';
import { deploymentOf } from '../../src/reads/deployed-models.ts';

const deployed = (candidate: ModelCandidate | null): ModelDeployment => ({
  model_name: 'pcb_defect_detector',
  revision: 7,
  production: '1',
  candidate,
  history: [],
  updated_at: 0,
  updated_by: 'somebody',
  trace_id: '',
});
const trial: ModelCandidate = { version: '2', mode: 'split', share: 0.25, suspended_at: null };

describe('what judges by a deployment', () => {
  it('is production and, where one is tried, the candidate in its manner', () => {
    expect(deploymentOf(deployed(null))).toEqual({ revision: 7, production: '1', candidate: null });
    const { suspended_at: _, ...candidate } = trial;
    expect(deploymentOf(deployed(trial)).candidate).toEqual(candidate);
    expect(deploymentOf(deployed({ ...trial, mode: 'shadow' })).candidate).toEqual({ ...candidate, mode: 'shadow' });
  });

  it('is production alone while the candidate is suspended', () => {
    expect(deploymentOf(deployed({ ...trial, suspended_at: 1_000 })).candidate).toBeNull();
  });
});
