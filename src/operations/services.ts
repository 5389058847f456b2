/** What handlers work with: the use cases of the app, and what a server provides beside them. Types only. */
import type { TaskView } from '../../projections/index.ts';
import type { AppServices } from '../app/services.ts';
import type { IncomingTrace } from '../base/trace-context.ts';
import type { AuditStatusAnswer } from '../contracts/api/audit-status.ts';
import type {
  BackgroundAnswer,
  DrainAnswer,
  DrainRequest,
  RunBackground,
} from '../contracts/api/background.ts';
import type { BoardAnswer } from '../contracts/api/board.ts';
import type { FollowEvents, ReadBoard } from '../contracts/api/requests.ts';
import type { HealthReport } from '../contracts/api/system-answers.ts';
import type { ChooseLetters, Redelivered, WebhookAnswer, WebhookLetter } from '../contracts/api/webhooks.ts';
import type { AttemptRef } from '../contracts/ids.ts';
import type { RejectionRecord } from '../contracts/messages/rejections.ts';
import type { FollowTranscript } from '../contracts/transcript/schemas.ts';
import type { CallContext, Reply } from './operation.ts';

export type { TaggedJob, UpdateWait } from '../app/services.ts';

export interface Services extends AppServices, Features, HttpServices {
  readonly health: () => HealthReport;
  /** Refused messages of one agent, or of all, the newest first. */
  readonly rejected: (agent: string | null, limit: number) => Promise<readonly RejectionRecord[]>;
}

/** Features that a Signalbox may have; without one, its operations are not offered. */
export interface Features {
  readonly audit?: AuditService | undefined;
  readonly webhooks?: WebhookService | undefined;
  readonly background?: BackgroundService | undefined;
}

/** Services that only an HTTP server has. */
export interface HttpServices {
  readonly streams?: StreamService;
  readonly metrics?: MetricsService;
  readonly documents?: DocumentService;
}

/** Services whose operations are not offered by every server. */
export type OptionalService = keyof Features | keyof HttpServices;

/** The audit of the log. */
export interface AuditService {
  status(): AuditStatusAnswer;
  /** Starts a verification of the whole log; one that is running continues. @param by the caller */
  verify(by: string): AuditStatusAnswer;
}

export interface WebhookService {
  list(): readonly WebhookAnswer[];
  letters(id: string): readonly WebhookLetter[];
  redeliver(id: string, choice: ChooseLetters): Promise<Redelivered>;
  discard(id: string, choice: ChooseLetters): Promise<Redelivered>;
}

export interface BackgroundService {
  run(
    request: RunBackground,
    idempotencyKey: string | undefined,
    actor: string,
    trace: IncomingTrace,
  ): Promise<{ readonly task: TaskView; readonly created: boolean }>;
  read(id: string): Promise<BackgroundAnswer>;
  list(limit: number): Promise<readonly BackgroundAnswer[]>;
  drain(request: DrainRequest): Promise<DrainAnswer>;
}

/** Events, transcripts and the board, now, in the past and as they change. */
export interface StreamService {
  readBoard(query: ReadBoard, gone: AbortSignal): BoardAnswer | Promise<BoardAnswer>;
  followBoard(project: string | undefined, call: CallContext): Reply<never>;
  followEvents(query: FollowEvents, call: CallContext): Promise<Reply<never>>;
  followTranscript(attempt: AttemptRef, query: FollowTranscript, call: CallContext): Promise<Reply<never>>;
}

export interface MetricsService {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface DocumentService {
  openApi(): { readonly openapi: string };
  page(): Reply<Uint8Array>;
}
