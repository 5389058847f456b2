/** A question of an agent, shown whole, with what can be answered: options as buttons, a text, or the fields of a form. */
import { type Signal, useSignal } from '@preact/signals';
import { oneLine, printable } from '../../../src/base/text/printable.ts';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { defaultText } from '../../../src/contracts/question-text.ts';
import type { FormField } from '../../../src/contracts/questions.ts';
import { reasonOf } from '../../api/http.ts';
import { Block, Line } from '../base/safe-text.tsx';

export type AskedQuestion = Pick<
  QuestionJson,
  'id' | 'kind' | 'message' | 'about' | 'options' | 'schema' | 'url' | 'expires_at' | 'default'
>;

type Content = Record<string, string | number | boolean | string[]>;

/** What is sent. */
export interface GivenAnswer {
  readonly action?: 'declined';
  readonly option?: string;
  readonly content?: Content;
  readonly comment?: string;
}

export interface AnswerFormProps {
  readonly question: AskedQuestion;
  /** False for users who may only read. */
  readonly mayAnswer: boolean;
  /** An error is shown below the buttons. */
  readonly send: (answer: GivenAnswer) => Promise<void>;
}

export function AnswerForm({ question, mayAnswer, send }: AnswerFormProps) {
  const { kind, message, about, url } = question;
  const input = about?.input;
  return (
    <div class="question" data-question={question.id}>
      <p class="question-text">{printable(message)}</p>
      {about?.tool !== undefined && (
        <p class="dim">
          Tool: <Line text={about.tool} />
        </p>
      )}
      {about?.path !== undefined && (
        <p class="dim">
          Path: <Line text={about.path} />
        </p>
      )}
      {input !== undefined && (
        <Block text={typeof input === 'string' ? input : JSON.stringify(input)} label="Input" />
      )}
      {about?.diff !== undefined && <Block text={about.diff} label="Change" />}
      {kind === 'link' && url !== null && (
        <p>
          <a href={url} rel="noopener noreferrer" target="_blank">
            <Line text={url} />
          </a>
        </p>
      )}
      <p class="dim">
        Without an answer: <Line text={defaultText(question, (time) => new Date(time).toLocaleString())} />
      </p>
      {mayAnswer && <Answering question={question} send={send} />}
    </div>
  );
}

function Answering({ question, send }: Pick<AnswerFormProps, 'question' | 'send'>) {
  const { kind, options, schema } = question;
  const comment = useSignal('');
  const content = useSignal<Content>(initialContent(question));
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const answer = async (given: GivenAnswer): Promise<void> => {
    isSending.value = true;
    trouble.value = null;
    try {
      const text = comment.value.trim();
      await send(text === '' ? given : { ...given, comment: text });
    } catch (error) {
      trouble.value = reasonOf(error);
    } finally {
      isSending.value = false;
    }
  };
  const fields: readonly (readonly [string, FormField])[] =
    kind === 'text' ? [['text', { type: 'string' }]] : Object.entries(schema?.properties ?? {});
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void answer(kind === 'link' ? {} : { content: content.value });
      }}
    >
      <Fields fields={fields} content={content} />
      <label>
        Remark (optional)
        <input
          value={comment.value}
          onInput={(event) => {
            comment.value = event.currentTarget.value;
          }}
        />
      </label>
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="actions">
        {options.map((option) => (
          <button
            type="button"
            key={option.id}
            data-option={option.id}
            data-tone={toneOf(option.kind)}
            disabled={isSending.value}
            onClick={() => answer({ option: option.id })}
          >
            <Line text={option.label} />
          </button>
        ))}
        {(fields.length > 0 || kind === 'link') && (
          <button type="submit" class="strong" disabled={isSending.value}>
            {kind === 'link' ? 'Done' : 'Answer'}
          </button>
        )}
        <button
          type="button"
          class="quiet"
          disabled={isSending.value}
          onClick={() => answer({ action: 'declined' })}
        >
          Decline
        </button>
      </div>
    </form>
  );
}

interface FieldsProps {
  readonly fields: readonly (readonly [string, FormField])[];
  readonly content: Signal<Content>;
}

function Fields({ fields, content }: FieldsProps) {
  return (
    <>
      {fields.map(([name, field]) => (
        <Field
          key={name}
          name={name}
          field={field}
          value={content.value[name]}
          onChange={(value) => {
            const { [name]: _, ...others } = content.value;
            content.value = value === undefined ? others : { ...others, [name]: value };
          }}
        />
      ))}
    </>
  );
}

function toneOf(kind: string | undefined): 'good' | 'bad' | undefined {
  if (kind === undefined) return undefined;
  return kind.startsWith('allow') ? 'good' : 'bad';
}

function initialContent({ schema }: AskedQuestion): Content {
  const values: Content = {};
  for (const [name, field] of Object.entries(schema?.properties ?? {})) {
    if (field.default !== undefined) values[name] = field.default;
    else if (field.type === 'boolean') values[name] = false;
  }
  return values;
}

interface FieldProps {
  readonly name: string;
  readonly field: FormField;
  readonly value: Content[string] | undefined;
  /** Called with undefined for a field that is left empty. */
  readonly onChange: (value: Content[string] | undefined) => void;
}

function Field({ name, field, value, onChange }: FieldProps) {
  const label = oneLine(
    'title' in field && field.title ? field.title : name === 'text' ? 'Your answer' : name,
  );
  if (field.type === 'boolean') {
    return (
      <label>
        <input
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />{' '}
        {label}
      </label>
    );
  }
  const choices = choicesOf(field);
  if (choices) {
    const isMultiple = field.type === 'array';
    return (
      <label>
        {label}
        <select
          multiple={isMultiple}
          onChange={({ currentTarget }) =>
            onChange(
              isMultiple ? [...currentTarget.selectedOptions].map((each) => each.value) : currentTarget.value,
            )
          }
        >
          {!isMultiple && value === undefined && <option value="" />}
          {choices.map((each) => (
            <option
              key={each}
              value={each}
              selected={Array.isArray(value) ? value.includes(each) : value === each}
            >
              {oneLine(each)}
            </option>
          ))}
        </select>
      </label>
    );
  }
  const text = value === undefined ? '' : String(value);
  if (field.type === 'string') {
    return (
      <label>
        {label}
        <input value={text} onInput={({ currentTarget }) => onChange(currentTarget.value)} />
      </label>
    );
  }
  return (
    <label>
      {label}
      <input
        type="number"
        step="any"
        value={text}
        onInput={({ currentTarget }) => onChange(numberIn(currentTarget))}
      />
    </label>
  );
}

/** Undefined for an empty field, and for what is no number. */
function numberIn({ valueAsNumber }: HTMLInputElement): number | undefined {
  return Number.isNaN(valueAsNumber) ? undefined : valueAsNumber;
}

function choicesOf(field: FormField): readonly string[] | undefined {
  if (field.type === 'array') return field.items.enum;
  return field.type === 'string' ? (field.enum ?? field.oneOf?.map((each) => each.const)) : undefined;
}
