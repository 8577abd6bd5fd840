/** What the live socket sends, as the page sees it; the server's side is `live-session.ts` and `ports.ts`. */
export interface LineYield {
  line_id: string;
  window_start: string;
  inspected: number;
  passed: number;
  failed: number;
  errored: number;
  first_pass_yield: number | null;
  defects: Record<string, number>;
}

export interface Defect {
  id: string;
  defect_type: string;
  label: string;
  severity: string;
  location: { x: number; y: number; width: number; height: number };
  confidence: number;
  second_opinion: { label: string; defect_type: string | null; probability: number; disagrees: boolean } | null;
}

export interface Board {
  inspection_id: string;
  line_id: string | null;
  chip_id: string;
  status: 'completed' | 'failed';
  verdict: 'pass' | 'fail' | null;
  defects: Defect[];
  failure_reason: string | null;
  artifact_id: string | null;
  completed_at: string;
  latency_ms: number;
}

export type LiveMessage =
  | { type: 'snapshot'; epoch: string; offset: number; at?: string; yields: LineYield[]; boards: Board[] }
  | { type: 'resumed'; epoch: string; offset: number; at?: string }
  | { type: 'resync'; reason: string }
  | { type: 'yield'; epoch: string; offset: number; data: LineYield }
  | { type: 'board'; epoch: string; offset: number; data: Board }
  | { type: 'heartbeat'; epoch: string; offset: number; at: string };
