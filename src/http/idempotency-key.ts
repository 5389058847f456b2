/** The header Idempotency-Key. */
import { SignalboxError } from '../contracts/errors.ts';
import { type CreateTask, createTaskSchema } from '../contracts/requests.ts';
import { parse } from './parse.ts';

/** The header is another way to write the field. @throws SignalboxError `invalid_request` where they differ */
export function withKey(request: CreateTask, header: string | string[] | undefined): CreateTask {
  if (header === undefined || header === request.idempotency_key) return request;
  if (request.idempotency_key !== undefined) {
    throw new SignalboxError(
      'invalid_request',
      'the header Idempotency-Key and the field "idempotency_key" differ: send one of them',
    );
  }
  const key = parse(createTaskSchema.shape.idempotency_key, header, 'Idempotency-Key');
  return { ...request, idempotency_key: key };
}
