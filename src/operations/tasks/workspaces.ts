/** Operations of workspaces, and of the diffs of tasks. */
import {
  diffAnswerSchema,
  prunedWorkspacesSchema,
  pruneWorkspacesSchema,
  readDiffSchema,
  removedWorkspaceSchema,
  removeWorkspaceSchema,
  workspaceAnswerSchema,
  workspaceListSchema,
} from '../../contracts/workspace-api.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { TASK, taskParams } from '../params.ts';

const WORKSPACE = `${TASK}/workspace`;

export const listWorkspaces = operation({
  name: 'listWorkspaces',
  group: 'Workspaces',
  summary: 'List the workspaces that exist, also those whose tasks are settled',
  access: 'read',
  http: { method: 'GET', path: '/api/workspaces' },
  input: NO_INPUT,
  answers: { 200: json(workspaceListSchema, 'The workspaces, the oldest first.') },
  handle: ({ workspaces }) => ({ workspaces: [...workspaces.list()] }),
});

export const readWorkspace = operation({
  name: 'readWorkspace',
  group: 'Workspaces',
  summary: 'Read the workspace of a task',
  access: 'read',
  http: { method: 'GET', path: WORKSPACE },
  input: { ...NO_INPUT, params: taskParams },
  answers: { 200: json(workspaceAnswerSchema, 'The workspace.') },
  errors: ['workspace_not_found'],
  handle: ({ workspaces }, { params }) => workspaces.read(params),
});

export const removeWorkspace = operation({
  name: 'removeWorkspace',
  group: 'Workspaces',
  summary: 'Remove the workspace of a settled task; with "discard" also if it has work that is nowhere else',
  access: 'operate',
  http: { method: 'POST', path: `${WORKSPACE}/remove` },
  input: { ...NO_INPUT, params: taskParams, body: removeWorkspaceSchema },
  example: { by: 'ann' },
  answers: { 200: json(removedWorkspaceSchema, 'Whether it is gone.') },
  errors: [...COMMITS, 'workspace_not_found', 'workspace_in_use', 'workspace_has_work'],
  handle: ({ workspaces }, { params, body, caller }) => workspaces.remove(params, body, caller.actor),
});

export const pruneWorkspaces = operation({
  name: 'pruneWorkspaces',
  group: 'Workspaces',
  summary: 'Remove every workspace of a settled task in which nothing would be lost, before its time',
  access: 'operate',
  http: { method: 'POST', path: '/api/workspaces/prune' },
  input: { ...NO_INPUT, body: pruneWorkspacesSchema },
  example: { dry_run: true },
  answers: { 200: json(prunedWorkspacesSchema, 'What is removed, and what is kept and why.') },
  errors: COMMITS,
  handle: ({ workspaces }, { body, caller }) => workspaces.prune(body, caller.actor),
});

export const readDiff = operation({
  name: 'readDiff',
  group: 'Workspaces',
  summary: 'Read the newest diff of a task, by file',
  access: 'read',
  http: { method: 'GET', path: `${TASK}/diff` },
  input: { ...NO_INPUT, params: taskParams, query: readDiffSchema },
  answers: { 200: json(diffAnswerSchema, 'The diff.') },
  errors: ['task_not_found', 'diff_not_found'],
  handle: ({ workspaces }, { params, query }) => workspaces.readDiff(params, query),
});
