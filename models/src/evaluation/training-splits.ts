import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The committed ways of holding boards out: two leave whole families out, one boards of all families. */
export const SPLITS = ['families-a', 'families-b', 'random'] as const;

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The network that the inspection line asks. */
export const SERVED_NETWORK = at('repository/pcb_defect_detector');

/** The network for boards without a golden image, trained with `families-a`. */
export const SINGLE_NETWORK = at('repository/pcb_defect_detector_single');

/** Folders of the networks that were trained with a split and never saw its held-out boards. */
const PAIR_NETWORKS: ReadonlyMap<string, string> = new Map([
  // The served network is the one of families-a, so that what is served is what is gated.
  ['families-a', SERVED_NETWORK],
  ['families-b', at('training/results/pair-families-b')],
  ['random', at('training/results/pair-random')],
]);

/** The folder of the network that may be judged on a split; `undefined` where none was trained. */
export function networkOfSplit(split: string, withGolden: boolean): string | undefined {
  if (withGolden) return PAIR_NETWORKS.get(split);
  return split === 'families-a' ? SINGLE_NETWORK : undefined;
}

/**
 * Board ids of one part (`held-out`, `validation` or `train`) of a committed split. Rejects with an
 * `Error` that names the splits there are.
 */
export async function splitIds(split: string, subset = 'held-out'): Promise<Set<string>> {
  let text: string;
  try {
    text = await readFile(at(`training/splits/${split}/${subset}.txt`), 'utf8');
  } catch (cause) {
    throw new Error(`no split "${split}/${subset}": there are ${SPLITS.join(', ')} and files of ids`, { cause });
  }
  const lines = text.split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}
