/** The board: now, as it changes, and at any moment of the past. */
import { boardSchema } from '../../contracts/api/board.ts';
import { followBoardSchema, readBoardSchema } from '../../contracts/api/requests.ts';
import { json, NO_INPUT, operation } from '../operation.ts';

export const readBoard = operation({
  name: 'readBoard',
  group: 'Tasks',
  summary: 'Read the board: a card for every open task and the newest settled ones, and the agents',
  access: 'read',
  http: { method: 'GET', path: '/api/board' },
  input: { ...NO_INPUT, query: readBoardSchema },
  answers: { 200: json(boardSchema, 'The board, as it is or as it was.') },
  errors: ['no_such_moment', 'past_pending'],
  needs: 'streams',
  handle: ({ streams }, { query, gone }) => streams.readBoard(query, gone()),
});

export const followBoard = operation({
  name: 'followBoard',
  group: 'Tasks',
  summary: 'Follow the board: the whole board first, then its changes',
  access: 'read',
  http: { method: 'GET', path: '/api/board/live' },
  input: { ...NO_INPUT, query: followBoardSchema },
  headers: { 'Last-Event-ID': 'Continue after this event; a client that is far behind gets a whole board.' },
  answers: {
    200: {
      description:
        'An endless stream of server-sent events: "board" with a whole board as JSON, then "change" with what has changed since. "id" is the sequence in the log.',
      mediaType: 'text/event-stream',
    },
  },
  errors: ['overloaded'],
  needs: 'streams',
  handle: ({ streams }, { query, ...call }) => streams.followBoard(query.project, call),
});
