/** What the stations tell whoever started them, over the IPC channel. */
export type StationMessage =
  | { readonly type: 'board'; readonly status: 'completed' | 'failed' | 'refused'; readonly latencyMs: number }
  | { readonly type: 'trouble'; readonly chipId: string; readonly message: string }
  | { readonly type: 'done' };
