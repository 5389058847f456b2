/** Signalbox itself: health, figures, state, machines, documents, and what the caller may do. */
import { z } from 'zod';
import { callerSchema } from '../../contracts/api/caller.ts';
import { machineListSchema } from '../../contracts/api/machines.ts';
import { readStateSchema } from '../../contracts/api/requests.ts';
import { healthReportSchema, stateAnswerSchema } from '../../contracts/api/system-answers.ts';
import { rightsOf } from '../access/access.ts';
import { json, NO_INPUT, nothing, operation, Reply } from '../operation.ts';

export const getCaller = operation({
  name: 'getCaller',
  group: 'System',
  summary: 'Read who the caller is, and what its token allows',
  access: 'read',
  http: { method: 'GET', path: '/api/caller' },
  input: NO_INPUT,
  answers: { 200: json(callerSchema, 'The authenticated caller.') },
  handle: (_, { caller }) => ({ actor: caller.actor, may: rightsOf(caller) }),
});

export const readState = operation({
  name: 'readState',
  group: 'System',
  summary: 'Read the whole state as hashes of its entries, to compare it with a replay of the log',
  access: 'read',
  http: { method: 'GET', path: '/api/state' },
  input: { ...NO_INPUT, query: readStateSchema },
  answers: { 200: json(stateAnswerSchema, 'A page of the entries.') },
  handle: ({ system }, { query }) => system.readState(query),
});

export const dropSnapshots = operation({
  name: 'dropSnapshots',
  group: 'System',
  summary: 'Delete the snapshots of the state: the next start reads the whole log',
  access: 'operate',
  http: { method: 'POST', path: '/api/state/drop-snapshots' },
  input: NO_INPUT,
  example: {},
  answers: { 200: json(nothing, 'The snapshots are deleted.') },
  handle: async ({ system }) => {
    await system.dropSnapshots();
    return {};
  },
});

export const listMachines = operation({
  name: 'listMachines',
  group: 'System',
  summary: 'List the state machines as graphs: states, and the events that lead from one to another',
  access: 'read',
  http: { method: 'GET', path: '/api/machines' },
  input: NO_INPUT,
  answers: { 200: json(machineListSchema, 'The machines.') },
  handle: ({ system }) => ({ machines: system.listMachines() }),
});

// Alive means that it answers: restarting a process whose log is unreachable would not help.
export const readHealth = operation({
  name: 'readHealth',
  group: 'System',
  summary: 'Read whether Signalbox is alive, with details of its health',
  access: 'public',
  http: { method: 'GET', path: '/health' },
  input: NO_INPUT,
  answers: { 200: json(healthReportSchema, 'Signalbox is alive.') },
  handle: ({ health }) => health(),
});

export const readReadiness = operation({
  name: 'readReadiness',
  group: 'System',
  summary: 'Read whether Signalbox takes new work',
  access: 'public',
  http: { method: 'GET', path: '/ready' },
  input: NO_INPUT,
  answers: {
    200: json(healthReportSchema, 'Signalbox takes new work.'),
    503: json(healthReportSchema, 'Signalbox takes no new work; "reason" says why.'),
  },
  handle: ({ health }) => {
    const report = health();
    return new Reply(report.ready ? 200 : 503, { body: report });
  },
});

const versionSchema = z.strictObject({
  version: z.string(),
  node_version: z.string(),
  nats_version: z.string(),
});

export const readVersion = operation({
  name: 'readVersion',
  group: 'System',
  summary: 'Read the versions of Signalbox, of Node.js and of the NATS server',
  access: 'public',
  http: { method: 'GET', path: '/api/version' },
  input: NO_INPUT,
  answers: { 200: json(versionSchema, 'The versions.') },
  handle: ({ health }) => {
    const { version, nats } = health();
    return { version, node_version: process.version, nats_version: nats.version };
  },
});

export const readMetrics = operation({
  name: 'readMetrics',
  group: 'System',
  summary: 'Read the metrics for Prometheus',
  access: 'read',
  http: { method: 'GET', path: '/metrics' },
  input: NO_INPUT,
  answers: { 200: { description: 'The metrics.', mediaType: 'text/plain; version=0.0.4; charset=utf-8' } },
  needs: 'metrics',
  handle: async ({ metrics }) =>
    new Reply(200, {
      headers: { 'content-type': metrics.contentType },
      body: Buffer.from(await metrics.text()),
    }),
});

export const readOpenApi = operation({
  name: 'readOpenApi',
  group: 'System',
  summary: 'Read this API as an OpenAPI 3.1 document',
  access: 'public',
  http: { method: 'GET', path: '/openapi.json' },
  input: NO_INPUT,
  answers: { 200: json(z.looseObject({ openapi: z.string() }), 'The document.') },
  needs: 'documents',
  handle: ({ documents }) => documents.openApi(),
});

export const readDocs = operation({
  name: 'readDocs',
  group: 'System',
  summary: 'Read this API as a page',
  access: 'public',
  http: { method: 'GET', path: '/docs' },
  input: NO_INPUT,
  answers: { 200: { description: 'The page.', mediaType: 'text/html; charset=utf-8' } },
  needs: 'documents',
  handle: ({ documents }) => documents.page(),
});
