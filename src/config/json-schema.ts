import { z } from 'zod';
import { configFileSchemaFor } from '../contracts/config.ts';
import { READY_DRIVER_NAMES } from '../contracts/drivers/index.ts';

/** The JSON Schema of the configuration file, in the draft that editors know best. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return {
    ...z.toJSONSchema(configFileSchemaFor(READY_DRIVER_NAMES), { io: 'input', target: 'draft-7' }),
    title: 'Signalbox configuration',
  };
}
