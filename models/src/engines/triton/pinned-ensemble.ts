import type { ModelConfig } from '@chip-quality/proto';
import { InferenceError } from '../../errors.ts';
import { OUTPUT_NAME } from '../onnx/onnx-messages.ts';
import type { TritonAdmin } from './triton-admin.ts';

const ENSEMBLE_PLATFORM = 'ensemble';

/**
 * Makes the server serve the whole ensemble (images in, defects out) with exactly this version of the detector, and answers the
 * ensemble's name. It is the repository's ensemble that asks this detector, pushed once more under a name of its own with the
 * version pinned; its only version has the detector's number, so that every answer says which version gave it. Needs no file.
 *
 * Triton loads what it depends on, the version too where that was copied in just now, and takes the ensemble away with it.
 * Loading it again swaps it without a failed request. Rejects with `InferenceError`: `model-not-loaded` where the server has no
 * ensemble of the detector or no such version.
 */
export async function loadPinnedEnsemble(admin: TritonAdmin, detector: string, version: string): Promise<string> {
  const ensemble = await ensembleOf(admin, detector);
  const name = `${ensemble.name}.${version}`;
  const step = ensemble.ensembleScheduling?.step.map((each) =>
    each.modelName === detector ? { ...each, modelVersion: Number(version) } : each,
  );
  const config = { ...ensemble, name, ensembleScheduling: { step } };
  // A pushed model must have a file in its version's folder; an ensemble reads none.
  await admin.loadModel(name, { config: JSON.stringify(config), files: { [`${version}/pinned`]: new Uint8Array() } });
  return name;
}

/** The repository's ensemble whose detections come from this detector. */
async function ensembleOf(admin: TritonAdmin, detector: string): Promise<ModelConfig> {
  const found = await findEnsemble(admin, detector);
  if (found !== undefined) return found;
  // It goes when its detector is unloaded, and comes back with it.
  await admin.loadModel(detector);
  const again = await findEnsemble(admin, detector);
  if (again === undefined) throw new InferenceError('model-not-loaded', `the server has no ensemble of ${detector}`);
  return again;
}

async function findEnsemble(admin: TritonAdmin, detector: string): Promise<ModelConfig | undefined> {
  // What was pushed is not in the index: only the repository's own.
  const names = (await admin.repositoryIndex()).filter(({ state }) => state === 'READY').map(({ name }) => name);
  const configs = await Promise.all([...new Set(names)].map((name) => admin.modelConfig(name)));
  return configs.find(
    ({ platform, ensembleScheduling }) =>
      platform === ENSEMBLE_PLATFORM &&
      ensembleScheduling?.step.some(
        ({ modelName, outputMap }) => modelName === detector && outputMap[OUTPUT_NAME] === OUTPUT_NAME,
      ) === true,
  );
}
