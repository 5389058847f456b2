/** The configuration files that are looked for in the current directory if none is named. */
export const DEFAULT_CONFIG_NAMES = [
  'signalbox.config.yaml',
  'signalbox.config.yml',
  'signalbox.config.json',
];
