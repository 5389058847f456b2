export { oneLine, printable } from '../../base/printable.ts';
