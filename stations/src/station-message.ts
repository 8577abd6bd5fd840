/**
 * What the stations tell whoever started them, over the IPC channel: the end of a board, a problem, the end of the run.
 */
export type StationMessage =
  | {
      /** A board came to its end. */
      readonly type: 'board';
      /**
       * `completed`: it was judged; `failed`: the platform gave no verdict; `refused`: the API did not take its image.
       */
      readonly status: 'completed' | 'failed' | 'refused';
      /** From the first request for the board to its end, ms. */
      readonly latencyMs: number;
    }
  | {
      /** A board got stuck; the run goes on with others. */
      readonly type: 'trouble';
      /** Serial number of the board. */
      readonly chipId: string;
      /** What went wrong, for people. */
      readonly message: string;
    }
  | {
      /** All boards of the run have their end. */
      readonly type: 'done';
    };
