import type { ArtifactRef } from '@chip-quality/schemas';

/** What a payload says of an artifact; the API has checked it. */
export interface ArtifactFacts {
  readonly artifact_id: string;
  readonly filename?: string;
  readonly storage_path: string;
  readonly content_type: string;
  readonly size_bytes: number;
  readonly checksum?: string;
  readonly artifact_type?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

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
