import { loadSource } from '@chip-quality/stations';
import type { StartOptions } from '../entry/options.ts';

/** The boards that a start is about. */
export interface BoardPlan {
  /** Null: until stopped. */
  readonly boards: number | null;
  /** Where they come from: `generated`, or the name of a folder of images. */
  readonly source: string;
  /** What a person should know of the source. */
  readonly remark: string | undefined;
}

/** Looks at the boards that the options name. Rejects when the folder has no images. */
export async function planBoards({ boards, images }: Pick<StartOptions, 'boards' | 'images'>): Promise<BoardPlan> {
  if (images === undefined) return { boards, source: 'generated', remark: undefined };
  const source = await loadSource({ boards, source: images, seed: 0 });
  return { boards: Math.min(boards ?? Infinity, source.size ?? Infinity), source: source.name, remark: source.remark };
}
