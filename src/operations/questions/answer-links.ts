/** Answering one question with its link: no token is needed, and nothing else is possible. */
import {
  linkAnsweredSchema,
  linkAnswerSchema,
  linkedQuestionSchema,
} from '../../contracts/api/answer-links.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { linkParams } from '../params.ts';

const link = {
  group: 'Questions',
  access: 'public',
  errors: ['link_invalid', 'link_used', 'link_expired'],
} as const;

export const readAnswerLink = operation({
  ...link,
  name: 'readAnswerLink',
  summary: 'Read the question of an answer link',
  http: { method: 'GET', path: '/api/answer-links/{link}' },
  input: { ...NO_INPUT, params: linkParams },
  answers: { 200: json(linkedQuestionSchema, 'The question.') },
  handle: ({ questions }, { params }) => questions.readLinked(params.link),
});

export const answerByLink = operation({
  ...link,
  name: 'answerByLink',
  summary: 'Answer a question with its link, once',
  http: { method: 'POST', path: '/api/answer-links/{link}' },
  input: { ...NO_INPUT, params: linkParams, body: linkAnswerSchema },
  example: { by: 'ann', option: 'yes' },
  answers: { 200: json(linkAnsweredSchema, 'The question is answered.') },
  errors: [...COMMITS, ...link.errors, 'option_not_offered', 'answer_invalid', 'answer_too_large'],
  handle: ({ questions }, { params, body }) => questions.answerByLink(params.link, body),
});
