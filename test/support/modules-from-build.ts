import { fileURLToPath } from 'node:url';

import { startModulesFromBuild } from '../../src/process/source-modules.js';

// The global setup has brought the build up to date.
startModulesFromBuild(fileURLToPath(new URL('../../dist', import.meta.url)));
