/** What every real agent has to do under Signalbox. `needs` names what a tool must be able to do, beside the rest. */
import { hold } from './laboratory.mjs';

export const SCENARIOS = {
  'a tool that is not allowed asks, and "allow" runs it': { needs: 'questions', run: allowed },
  'a refused tool does not run, and the agent goes on': { needs: 'questions', run: denied },
  'the comment of a refusal reaches the model': { needs: 'denial with a comment', run: commented },
  '"always" asks no more, is listed, and can be revoked': { needs: 'questions', run: always },
  'kill -9 of Signalbox while it waits: answered after the restart, run once': {
    needs: 'questions',
    run: killed,
  },
  'a choice of the model is a question with options': { needs: 'choice', run: chosen },
  'a message of a user reaches the running agent': { needs: 'questions', run: steered },
  'it writes back over MCP without a configuration, and needs no permission': { run: writtenBack },
  'a cancelled task ends, with nothing left': { needs: 'questions', run: cancelled },
  'a rejected task continues its session': { run: rejected },
  'tokens are counted': { run: counted },
};

async function allowed(box) {
  await box.add('allow', [box.tool.bash('echo ran >allow.txt')]);
  const question = await box.asked('allow');
  hold(
    JSON.stringify(question.about.input).includes('echo ran >allow.txt'),
    `it asks for ${JSON.stringify(question.about)}`,
  );
  await box.answer(question, { option: 'allow_once' });
  await box.done('allow');
  hold(box.written('allow.txt') === 'ran\n', 'the command did not run');
}

async function denied(box) {
  await box.add('deny', [box.tool.bash('rm allow.txt')]);
  await box.answer(await box.asked('deny'), { option: 'reject_once' });
  await box.ended('deny');
  box.written('allow.txt');
}

async function commented(box) {
  await box.add('comment', [box.tool.bash('rm allow.txt')]);
  await box.answer(await box.asked('comment'), { option: 'reject_once', comment: 'Keep that file, please.' });
  const { outputs } = await box.done('comment');
  const isThere = outputs.some(({ content }) => content.includes('Keep that file, please.'));
  hold(isThere, 'the model got another message');
}

async function always(box) {
  await box.add('always', [box.tool.bash('touch one.txt'), box.tool.bash('touch one.txt')]);
  await box.answer(await box.asked('always'), { option: 'allow_always', remember: { scope: 'agent' } });
  await box.done('always');
  hold((await box.questionsOf('always')).filter(byPerson).length === 1, 'it asked a second time');
  const { rules } = await box.get('/api/agents/coder/rules');
  const rule = rules.find(({ id }) => id);
  hold(rule !== undefined, 'the rule is not listed');
  await box.post(`/api/agents/coder/rules/${rule.id}/revoke`, { by: 'ann' });
  await box.add('again', [box.tool.bash('touch one.txt')]);
  await box.answer(await box.asked('again'), { option: 'allow_once' });
  await box.done('again');
}

async function killed(box) {
  await box.add('killed', [box.tool.bash('echo after >>killed.txt')]);
  const question = await box.asked('killed');
  await box.down('SIGKILL');
  await box.up();
  await box.answer(question, { option: 'allow_once' });
  const { attempts } = await box.done('killed');
  hold(attempts.length === 1, `it took ${attempts.length} attempts`);
  hold(box.written('killed.txt') === 'after\n', 'the command did not run once');
}

async function chosen(box) {
  const options = [
    { label: 'Red', description: 'warm' },
    { label: 'Blue', description: 'cold' },
  ];
  const questions = [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options }];
  await box.add('choice', [{ name: 'AskUserQuestion', input: { questions } }]);
  const question = await box.asked('choice');
  await box.answer(question, { option: question.options.find(({ label }) => label.startsWith('Blue')).id });
  const { outputs } = await box.done('choice');
  const isThere = outputs.some(({ content }) => content.includes('"Which colour?"="Blue"'));
  hold(isThere, 'the model got another answer');
}

async function steered(box) {
  await box.add('steer', [box.tool.bash('echo first >first.txt')]);
  const question = await box.asked('steer');
  const text = `Then this.\nSTUB: ${JSON.stringify(box.tool.bash('echo second >steered.txt'))}`;
  await box.post('/api/projects/demo/tasks/steer/steer', { by: 'ann', text });
  await box.answer(question, { option: 'allow_once' });
  await box.answer(await box.asked('steer'), { option: 'allow_once' });
  const { attempts } = await box.done('steer');
  hold(attempts.length === 1, 'it took a second attempt');
  hold(box.written('steered.txt') === 'second\n', 'the message did not arrive');
}

async function writtenBack(box) {
  const input = { type: 'document', title: 'Note', content: 'written over MCP' };
  await box.add('mcp', [{ name: box.tool.writeBack, input }]);
  const { outputs } = await box.done('mcp');
  const isThere = outputs.some(({ content }) => content === 'written over MCP');
  hold(isThere, `the output did not arrive: ${outputs.map(({ content }) => content).join('; ')}`);
  hold((await box.questionsOf('mcp')).length === 0, 'it asked for permission');
}

async function cancelled(box) {
  await box.add('cancel', [box.tool.bash('tail -f /dev/null')]);
  await box.answer(await box.asked('cancel'), { option: 'allow_once' });
  await box.post('/api/projects/demo/tasks/cancel/cancel', { by: 'ann' });
  const { status, attempts } = await box.ended('cancel');
  hold(status === 'cancelled', `it is ${status}`);
  hold(attempts.at(-1).evidence?.survivors === 0, 'something is left of it');
}

async function rejected(box) {
  await box.post('/api/projects/demo/tasks', {
    id: 'reject',
    title: 'Reject',
    agent: 'coder',
    review: 'manual',
    max_attempts: 2,
  });
  const first = await box.reviewed('reject');
  await box.post('/api/projects/demo/tasks/reject/reject', { by: 'ann', comment: 'Once more.' });
  const second = await box.reviewed('reject', 2);
  hold(
    first.session === second.session,
    `the second attempt has session ${second.session}, the first ${first.session}`,
  );
}

async function counted(box) {
  await box.add('plain', []);
  const { usage } = (await box.done('plain')).attempts.at(-1);
  hold(usage?.input_tokens >= 10 && usage.output_tokens >= 5, `it has used ${JSON.stringify(usage)}`);
}

/** No rule answered it. */
function byPerson({ answer: given }) {
  return given?.by !== 'supervisor';
}
