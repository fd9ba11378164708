import { readFileSync, writeFileSync } from 'node:fs';
import { environmentExample, settingsPage, withSettingNames, withSettingsList } from './settings-documents.js';

const chart = new URL('../ops/helm/riskgraph/values.schema.json', import.meta.url);
const compose = new URL('../docker-compose.yml', import.meta.url);
writeFileSync(new URL('../docs/settings.md', import.meta.url), settingsPage());
writeFileSync(new URL('../.env.example', import.meta.url), environmentExample());
writeFileSync(chart, withSettingNames(readFileSync(chart, 'utf8')));
writeFileSync(compose, withSettingsList(readFileSync(compose, 'utf8')));
