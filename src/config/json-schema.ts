import { z } from 'zod';
import { BUNDLED_DRIVER_NAMES } from '../drivers/bundled/index.ts';
import { configFileSchemaFor } from './schema/config.ts';

/** The JSON Schema of the configuration file, in the draft that editors know best. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return {
    ...z.toJSONSchema(configFileSchemaFor(BUNDLED_DRIVER_NAMES), { io: 'input', target: 'draft-7' }),
    title: 'Signalbox configuration',
  };
}
