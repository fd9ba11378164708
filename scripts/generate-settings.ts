import { readFileSync, writeFileSync } from 'node:fs';
import { environmentExample, settingsPage, withSettingsList } from './settings-documents.js';

const compose = new URL('../docker-compose.yml', import.meta.url);
writeFileSync(new URL('../docs/settings.md', import.meta.url), settingsPage());
writeFileSync(new URL('../.env.example', import.meta.url), environmentExample());
writeFileSync(compose, withSettingsList(readFileSync(compose, 'utf8')));
