import { socketAddress, tryListen } from '@chip-quality/dev';

/**
 * Holds the data folder for this process until it ends, however it ends. Two platforms on one folder would be the same member of
 * the same consumer groups and take the partitions from each other for ever. Rejects when another process holds it.
 */
export async function claimDirectory(local: string): Promise<void> {
  const lock = await tryListen(socketAddress(local, 'platform'));
  if (lock === undefined) {
    throw new Error(
      `another "npm start" is running (or still stopping) on ${local}: stop it first, or give this one a folder of its own with ` +
        'LOCAL_DIR=/some/folder npm start',
    );
  }
  lock.unref();
}
