/**
 * The way to a session: initialize, the session itself, its mode and its model. Each step follows from what the agent has
 * answered, so it can be taken up after a restart.
 */
import type { Link, ProtocolSettings } from '../protocol.ts';
import type { Requests } from '../requests.ts';
import { type AgentState, IDS } from './agent-state.ts';
import { AUTHENTICATION_REQUIRED, type Initialized, PROTOCOL_VERSION, request } from './messages.ts';
import { errorText } from './reading.ts';

export const NOT_READING = 'it does not read its standard input';

interface OpeningParts {
  readonly link: Link;
  readonly settings: ProtocolSettings;
  readonly state: AgentState;
  readonly requests: Requests;
  readonly fail: (reason: string) => void;
}

export class Opening {
  readonly #parts: OpeningParts;
  /** The request whose answer is waited for, and since when (milliseconds of the monotonic clock). */
  #expected: { readonly id: string; readonly since: number } | undefined;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
  }

  /** Does what is next. Called again and again. @returns whether the session is ready for a prompt */
  async step(): Promise<boolean> {
    const { state } = this.#parts;
    const { initialized, session, sessionId } = state;
    const answer = state.answers.get(IDS.initialize);
    if (!answer) return this.#wait(IDS.initialize, 'initialize');
    if (answer.error) return this.#fail(`it refused "initialize": ${errorText(answer.error)}`);
    if (!initialized) return this.#fail('its answer to "initialize" is not one of the Agent Client Protocol');
    const { protocolVersion: version } = initialized;
    if (version !== PROTOCOL_VERSION) {
      return this.#fail(
        `it speaks version ${version} of the Agent Client Protocol, and Signalbox speaks ${PROTOCOL_VERSION}`,
      );
    }
    if (!session) return this.#openSession(initialized);
    if (sessionId === undefined) return this.#fail('its answer to "session/new" names no session');
    return state.isAtWork || state.hasEnded(IDS.prompt) || this.#configure(sessionId);
  }

  #openSession({ agentCapabilities, authMethods }: Initialized): Promise<boolean> | false {
    const { link, state } = this.#parts;
    const { resumes } = link.request;
    const session = { cwd: link.workDirectory, mcpServers: this.#mcpServers() };
    const resuming = agentCapabilities?.sessionCapabilities?.resume
      ? 'session/resume'
      : agentCapabilities?.loadSession && 'session/load';
    // A session that is gone is no reason to fail: the prompt says everything.
    if (resumes && resuming && !state.answers.has(IDS.resume))
      return this.#ask(IDS.resume, resuming, { sessionId: resumes.session, ...session });
    const error = state.answers.get(IDS.session)?.error;
    if (!error) return this.#ask(IDS.session, 'session/new', session);
    if (error.code !== AUTHENTICATION_REQUIRED)
      return this.#fail(`it opened no session: ${errorText(error)}`);
    const ways = (authMethods ?? []).map(({ id, name }) => `${name} (${id})`).join(', ');
    const offer = ways === '' ? '' : `; it offers ${ways.slice(0, 1_000)}`;
    return this.#fail(
      `it is not logged in (${errorText(error)}): log in with the tool itself, or pass its key by env or pass_env${offer}`,
    );
  }

  #mcpServers(): object[] {
    const { link, settings } = this.#parts;
    const { mcpServer } = link;
    if (!mcpServer || settings.hasMcpServer) return [];
    const env = Object.entries(mcpServer.env).map(([name, value]) => ({ name, value }));
    return [{ name: 'signalbox', command: mcpServer.command, args: mcpServer.args, env }];
  }

  /** Sets the mode and the model that the agent's configuration names. */
  async #configure(sessionId: string): Promise<boolean> {
    const { mode, model } = this.#parts.settings.options;
    const { session } = this.#parts.state;
    const offered = session?.modes?.availableModes.map(({ id }) => id);
    if (mode && offered && !offered.includes(mode))
      return this.#fail(`it has no mode ${mode}: choose one of ${offered.join(', ').slice(0, 1_000)}`);
    if (mode && !(await this.#set(IDS.mode, 'session/set_mode', { sessionId, modeId: mode }))) return false;
    if (!model) return true;
    const option = session?.configOptions?.find(({ category }) => category === 'model');
    if (option) {
      const value = { sessionId, configId: option.id, value: model };
      return this.#set(IDS.model, 'session/set_config_option', value);
    }
    if (session?.models) return this.#set(IDS.model, 'session/set_model', { sessionId, modelId: model });
    return this.#fail(
      'it offers no choice of a model over this protocol: leave out the option "model", and set it in its own way',
    );
  }

  #set(id: string, method: string, params: object): Promise<boolean> | boolean {
    const answer = this.#parts.state.answers.get(id);
    if (!answer) return this.#ask(id, method, params);
    return answer.error
      ? this.#fail(`it refused the ${id} of its configuration: ${errorText(answer.error)}`)
      : true;
  }

  async #ask(id: string, method: string, params: object): Promise<false> {
    if (this.#expected?.id !== id) {
      const sending = await this.#parts.link.send(id, request(id, method, params));
      if (sending === 'refused') return this.#fail(NOT_READING);
    }
    return this.#wait(id, method);
  }

  #wait(id: string, method: string): false {
    const { settings, requests } = this.#parts;
    const now = performance.now();
    if (this.#expected?.id !== id) this.#expected = { id, since: now };
    // It may ask on its way to the answer.
    if (requests.areOpen || now - this.#expected.since < settings.answerMs) return false;
    const hint = id === IDS.initialize ? ': check that its command starts an agent that speaks ACP' : '';
    return this.#fail(`it did not answer "${method}" within ${settings.answerMs / 1_000} s${hint}`);
  }

  #fail(reason: string): false {
    this.#parts.fail(reason);
    return false;
  }
}
