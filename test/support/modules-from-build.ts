import { fileURLToPath } from 'node:url';

import { startModulesFromBuild } from '../../src/process/source-modules.js';

// The global setup has made sure that the build is fresh.
startModulesFromBuild(fileURLToPath(new URL('../../dist', import.meta.url)));
