import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository this code lies in. */
export const REPOSITORY = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
/** The `dev/` folder: Maven files and configuration templates. */
export const DEV_FOLDER = join(REPOSITORY, 'dev');
/** The models that Triton serves, and that are run in process without it. */
export const MODEL_REPOSITORY = join(REPOSITORY, 'models', 'repository');
/**
 * Everything local: downloads, data, logs. Ignored by git, may be deleted at any time. It is the data folder of
 * the stack that `npm start` and `npm run stack` use.
 */
export const LOCAL_FOLDER = join(REPOSITORY, '.local');
/** Downloaded servers, shared by all stacks of this checkout. */
export const LIBRARY_FOLDER = join(LOCAL_FOLDER, 'lib');
/** Data folder of the stack that integration tests share. */
export const TEST_ROOT = join(LOCAL_FOLDER, 'test');
