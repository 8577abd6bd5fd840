import { fileURLToPath } from 'node:url';

/** The committed detector. */
export const MODEL_DIRECTORY = fileURLToPath(new URL('../../repository/pcb_defect_detector', import.meta.url));
