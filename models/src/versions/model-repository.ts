import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceError } from '../errors.ts';
import { readModelDescription } from './model-description.ts';

/** A version's folder is a number from 1 on, as Triton has it. */
const VERSION = /^[1-9][0-9]{0,8}$/;

/** A version that is complete enough to be loaded. */
export interface RepositoryVersion {
  /** Name of its folder: a number from 1 on. */
  readonly version: string;
  /** Confidence from which a detection makes a board defective. */
  readonly verdictThreshold: number;
}

/** A detector of the repository. */
export interface RepositoryModel {
  /** Name of its folder. */
  readonly name: string;
  /** Oldest first; never empty. */
  readonly versions: readonly RepositoryVersion[];
}

/**
 * The detectors in a Triton model repository: folders with at least one version that describes its classes, by name. Versions
 * that are just being copied (no `classes.json` yet, or half of one) are left out. Rejects when the folder cannot be read.
 */
export async function listModels(repositoryDirectory: string): Promise<RepositoryModel[]> {
  const models: RepositoryModel[] = [];
  for (const name of await folders(repositoryDirectory)) {
    const directory = join(repositoryDirectory, name);
    const versions: RepositoryVersion[] = [];
    for (const version of (await folders(directory)).filter((each) => VERSION.test(each))) {
      const verdictThreshold = await thresholdOf(directory, version);
      if (verdictThreshold !== undefined) versions.push({ version, verdictThreshold });
    }
    versions.sort((a, b) => Number(a.version) - Number(b.version));
    if (versions.length > 0) models.push({ name, versions });
  }
  return models.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function folders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function thresholdOf(modelDirectory: string, version: string): Promise<number | undefined> {
  try {
    return (await readModelDescription(modelDirectory, version)).verdictThreshold;
  } catch (error) {
    if (error instanceof InferenceError) return undefined;
    throw error;
  }
}
