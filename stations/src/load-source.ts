import type { BoardSource } from './board-source.ts';
import { folderBoards } from './folder-boards.ts';
import { generatedBoards } from './generated-boards.ts';
import type { RunPlan } from './run-ledger.ts';

/** The boards of a run: generated from its seed, or the user's own folder. */
export function loadSource(plan: RunPlan): Promise<BoardSource> {
  return plan.source === 'generated' ? Promise.resolve(generatedBoards(plan.seed)) : folderBoards(plan.source);
}
