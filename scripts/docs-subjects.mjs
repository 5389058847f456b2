/** Writes docs/reference/subjects.md and asyncapi.json from the compiled code (part of `npm run docs`). */
import { writeFile } from 'node:fs/promises';
import { asyncApi } from '../dist/src/nats/description/asyncapi.js';
import { subjectsPage } from '../dist/src/nats/description/subjects-page.js';
import { VERSION } from '../dist/src/version.js';

const docs = new URL('../docs/reference/', import.meta.url);
await writeFile(new URL('subjects.md', docs), subjectsPage());
await writeFile(new URL('asyncapi.json', docs), `${JSON.stringify(asyncApi(VERSION), null, 2)}\n`);
