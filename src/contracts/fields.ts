/** Schemas of single fields that several contracts have. */
import { z } from 'zod';
import { ID_PATTERN } from './ids.ts';

/** The id of a task, an agent, a project, a type … */
export const id = z.string().regex(ID_PATTERN, 'use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"');
/** A time in an answer: RFC 3339, in UTC. */
export const time = z.iso.datetime();
export const count = z.int().min(0);
/** Of the title of a task or an output. */
export const MAX_TITLE_LENGTH = 500;
export const title = z.string().trim().min(1).max(MAX_TITLE_LENGTH);
