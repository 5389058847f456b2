/** How an event is declared: once, with everything that Signalbox derives from it. */
import { z } from 'zod';

export const ENTITY_KINDS = [
  'task',
  'attempt',
  'workspace',
  'agent',
  'queue',
  'schedule',
  'budget',
  'supervisor',
] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

/** What an event has in place of a text that was erased. */
export const REDACTED = '[redacted]';

/** An event as it is stored in the log, before its schema was checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Turns an event of one version into one of the next. It depends on the old event alone. */
export type Upcaster = (event: Fields) => Fields;

type EventSchema<Type extends string, Data extends z.ZodRawShape> = z.ZodObject<
  { type: z.ZodLiteral<Type> } & Data,
  z.core.$strict
>;

/** The fields that address an entity. An event that moves an entity has them. */
export const ADDRESS = {
  task: { project: z.string(), task: z.string() },
  attempt: { project: z.string(), task: z.string(), attempt: z.int().min(1) },
  agent: { agent: z.string() },
  /** `agent:<id>` for the tasks of one agent, `type:<name>` for those of one type. */
  queue: { queue: z.string() },
  schedule: { schedule: z.string() },
  budget: { budget: z.string() },
} as const;

export interface EventDeclaration<
  Type extends string,
  Data extends z.ZodRawShape,
  Moves extends EntityKind,
  Marks extends EntityKind,
> {
  readonly type: Type;
  readonly schema: EventSchema<Type, Data>;
  /** The entities whose machines receive it, in the order in which their transitions are recorded. */
  readonly moves: readonly Moves[];
  /** Entities of which it says something without moving them. */
  readonly marks: readonly Marks[];
  /** The entity that begins with it. */
  readonly opens: Moves | undefined;
  /** The entity that ends with it. */
  readonly closes: Moves | undefined;
  /** For each older version the step to the next one: the first turns version 1 into 2. */
  readonly upcasters: readonly Upcaster[];
  /** The event without its content, or null if it has none. */
  redacted(event: z.output<EventSchema<Type, Data>>): z.output<EventSchema<Type, Data>> | null;
}

interface Options<
  Type extends string,
  Data extends z.ZodRawShape,
  Moves extends EntityKind,
  Marks extends EntityKind,
> {
  readonly type: Type;
  readonly data: Data;
  readonly moves: readonly Moves[];
  readonly marks?: readonly Marks[];
  readonly opens?: NoInfer<Moves>;
  readonly closes?: NoInfer<Moves>;
  readonly upcasters?: readonly Upcaster[];
  /** Fields with text that a person or an agent wrote, or a function that erases it. Default: there is none. */
  readonly text?:
    | readonly NoInfer<keyof Data & string>[]
    | NoInfer<EventDeclaration<Type, Data, Moves, Marks>['redacted']>;
}

export function event<
  const Type extends string,
  Data extends z.ZodRawShape,
  const Moves extends EntityKind,
  const Marks extends EntityKind = never,
>({
  type,
  data,
  moves,
  marks = [],
  opens,
  closes,
  upcasters = [],
  text = [],
}: Options<Type, Data, Moves, Marks>): EventDeclaration<Type, Data, Moves, Marks> {
  const schema = z.strictObject({ type: z.literal(type), ...data });
  const redacted = typeof text === 'function' ? text : textEraser<z.output<typeof schema>>(text);
  return { type, schema, moves, marks, opens, closes, upcasters, redacted };
}

function textEraser<Event extends object>(fields: readonly string[]): (event: Event) => Event | null {
  return (event) => {
    const present = Object.entries(event).filter(
      ([name, value]) => fields.includes(name) && value !== undefined,
    );
    if (present.length === 0) return null;
    return { ...event, ...Object.fromEntries(present.map(([name]) => [name, REDACTED])) };
  };
}
