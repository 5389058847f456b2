/** Streams of events. */
import { followEventsSchema } from '../../contracts/api/requests.ts';
import { NO_INPUT, operation } from '../operation.ts';
import { projectParams } from '../params.ts';

const follow = {
  group: 'Events',
  access: 'read',
  headers: { 'Last-Event-ID': 'Start after this event; the same as "after".' },
  answers: {
    200: {
      description:
        'An endless stream of server-sent events: "id" is the sequence in the log, "event" the type, "data" an Event as JSON.',
      mediaType: 'text/event-stream',
    },
  },
  errors: ['overloaded', 'log_corrupt', 'nats_unavailable'],
  needs: 'streams',
} as const;

export const followEvents = operation({
  ...follow,
  name: 'followEvents',
  summary: 'Follow the event log: recorded events from a sequence on, then new ones',
  http: { method: 'GET', path: '/api/events' },
  input: { ...NO_INPUT, query: followEventsSchema },
  handle: ({ streams }, { query, ...call }) => streams.followEvents(query, call),
});

export const followProjectEvents = operation({
  ...follow,
  name: 'followProjectEvents',
  summary: 'Follow the events of one project',
  http: { method: 'GET', path: '/api/projects/{project}/events' },
  input: { ...NO_INPUT, params: projectParams, query: followEventsSchema.omit({ project: true }) },
  handle: ({ streams }, { params, query, ...call }) => streams.followEvents({ ...query, ...params }, call),
});
