/** The parts of a task's answer, by name. */
import type { TaskAnswer } from '../../contracts/api/answers.ts';

type PartOf<Name extends 'outputs' | 'comments' | 'events'> = NonNullable<TaskAnswer[Name]>[number];

export type OutputAnswer = PartOf<'outputs'>;
export type CommentAnswer = PartOf<'comments'>;
export type EventAnswer = PartOf<'events'>;
