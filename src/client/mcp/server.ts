/** The MCP server: the same tools for every transport and both revisions of the protocol. */
import { McpServer } from '@modelcontextprotocol/server';
import { VERSION } from '../../version.ts';
import { addBackgroundTools } from './background-tools.ts';
import { addBudgetTools } from './budget-tools.ts';
import { addQuestionTools } from './question-tools.ts';
import { addScheduleTools } from './schedule-tools.ts';
import { type McpSession, messagesOf } from './session.ts';
import { addTaskTools } from './task-tools.ts';

const INSTRUCTIONS =
  'Signalbox assigns tasks to agents and supervises them. Read your task with task_get, add results with task_output, and finish with task_status review. ' +
  'If you need a decision, use ask. ' +
  'Run long commands with background_run; call drain_notifications before each turn for what has finished.';

export function createMcpServer(session: McpSession): McpServer {
  const server = new McpServer(
    { name: 'signalbox', version: VERSION },
    {
      instructions: INSTRUCTIONS,
      // The list of tools is fixed.
      capabilities: { tools: { listChanged: false } },
    },
  );
  const { waiting } = session;
  if (waiting) {
    server.server.setNotificationHandler('notifications/cancelled', ({ params }) =>
      waiting.calls.cancel(waiting.caller, params.requestId, params.reason),
    );
  }
  const tools = { server, messages: () => messagesOf(session) };
  addTaskTools(tools, session);
  addQuestionTools(tools, session);
  addBackgroundTools(tools, session);
  addScheduleTools(tools, session);
  addBudgetTools(tools, session);
  return server;
}
