/** Checks who gets in: the tokens of people, and whether there ever were any. */
import { accessFiles } from '../../config/derived.ts';
import { messageOf } from '../../contracts/errors.ts';
import { readAccess } from '../../operations/access/access-state.ts';
import { LOCKED_ADVICE } from '../../operations/access/people.ts';
import { readTokens } from '../../operations/access/tokens-file.ts';
import { countText } from '../output.ts';
import { type Check, fail, ok, warn } from './finding.ts';

export const checkAccess: Check = async ({ config }) => {
  const files = accessFiles(config);
  try {
    const { length } = await readTokens(files.tokens);
    if (length > 0) return [ok('access', `${countText(length, 'token')}; every caller needs one`)];
    if (readAccess(files) !== 'closed')
      return [ok('access', 'no tokens: every user of this machine is an administrator')];
    return [
      warn('access', 'there were tokens and there are none now: all callers are refused', LOCKED_ADVICE),
    ];
  } catch (error) {
    return [fail('access', messageOf(error), LOCKED_ADVICE)];
  }
};
