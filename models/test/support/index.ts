/** What tests of other rooms may use (`@chip-quality/models/testing`). */
export { BAD_IMAGES } from './bad-images.ts';
export { VersionedRepository } from './versioned-repository.ts';
