import { z } from 'zod';
import { isStorable, NOT_STORABLE } from './common-schemas.ts';

/** Most nesting that free-form metadata may have: deeper is a mistake or an attack on whoever walks it. */
const METADATA_DEPTH_MAX = 8;
/** Metadata travels in every event of an inspection. */
const METADATA_BYTES_MAX = 16 * 1024;
/** An inspection has up to 32 artifacts, and all of it is one record of at most 1 MB in a changelog. */
const ARTIFACT_METADATA_BYTES_MAX = 4 * 1024;

const metadata = (bytesMax: number) =>
  z
    .record(z.string().max(100), z.unknown())
    .refine((value) => isWithinDepth(value, METADATA_DEPTH_MAX), {
      error: `At most ${METADATA_DEPTH_MAX} levels deep`,
      abort: true,
    })
    .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= bytesMax, `At most ${bytesMax} bytes as JSON`)
    .refine(areAllStorable, NOT_STORABLE);

/** Free-form facts about an inspection. */
export const Metadata = metadata(METADATA_BYTES_MAX).meta({
  id: 'Metadata',
  description: 'Free-form facts, kept and given back unchanged.',
});

/** Free-form facts about an artifact. */
export const ArtifactMetadata = metadata(ARTIFACT_METADATA_BYTES_MAX).meta({
  id: 'ArtifactMetadata',
  description:
    'Free-form facts about the capture. Where `expected_verdict` is `pass` or `fail` (reference boards), /metrics counts how often ' +
    'each model version is right.',
});

/** Without recursion: the value is the client's, and a deep one must not overflow the stack. */
function isWithinDepth(value: unknown, depthMax: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) return false;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return true;
}

/** Only for values whose depth is known to be bounded. */
function areAllStorable(value: unknown): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => isStorable(name) && areAllStorable(member));
}
