import type { StartPart } from './part.ts';

/** Starts Triton. */
export const startTriton: StartPart = async () => {
  throw new Error('Triton is not part of the local stack yet');
};
