// npm run build:package: makes the archive that `npm install` and `npm publish` take.
import { dirname, join } from 'node:path';
import { buildPackage } from './build-package.ts';

console.log(await buildPackage(join(dirname(import.meta.dirname), 'dist')));
