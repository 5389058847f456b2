import { describeJournal } from './journal-contract.ts';
import { memoryLogs } from './memory-log-under-test.ts';

describeJournal('memory', memoryLogs());
