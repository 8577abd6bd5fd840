import type { ArtifactConfirmPayload, ArtifactRef, ArtifactView } from '@chip-quality/schemas';

/** What a payload says of an artifact: all that was confirmed of one, or what an inspection shows of it. */
export type ArtifactFacts = Omit<ArtifactView, 'checksum'> & Partial<ArtifactConfirmPayload>;

/** The Avro form of a payload's artifact. */
export function artifactRef(facts: ArtifactFacts): ArtifactRef {
  return {
    artifact_id: facts.artifact_id,
    filename: facts.filename ?? facts.artifact_id,
    storage_path: facts.storage_path,
    content_type: facts.content_type,
    size_bytes: facts.size_bytes,
    checksum: facts.checksum ?? '',
    artifact_type: facts.artifact_type ?? 'image',
    metadata: JSON.stringify(facts.metadata ?? {}),
  };
}
