export { oneLine, printable } from '../../contracts/printable.ts';
