/** The header Idempotency-Key. */
import type { IncomingHttpHeaders } from 'node:http';
import { type CreateTask, createTaskSchema } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { parse } from '../parse.ts';

/** @throws SignalboxError `invalid_request` */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  return parse(createTaskSchema.shape.idempotency_key, headers['idempotency-key'], 'Idempotency-Key');
}

/** The header is another way to write the field. @throws SignalboxError `invalid_request` where they differ */
export function withKey(request: CreateTask, headers: IncomingHttpHeaders): CreateTask {
  const key = idempotencyKeyOf(headers);
  if (key === undefined || key === request.idempotency_key) return request;
  if (request.idempotency_key !== undefined) {
    throw new SignalboxError(
      'invalid_request',
      'the header Idempotency-Key and the field "idempotency_key" differ: send one of them',
    );
  }
  return { ...request, idempotency_key: key };
}
