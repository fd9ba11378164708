import { readFileSync, writeFileSync } from 'node:fs';
import { readItems, readProofs, readThreats, withTables } from './security-map.js';

const document = 'docs/security.md';
writeFileSync(document, withTables(readFileSync(document, 'utf8'), readItems(), readProofs(), readThreats()));
