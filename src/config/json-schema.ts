import { z } from 'zod';
import { configFileSchema } from '../contracts/config.ts';

/** The JSON Schema of the configuration file, in the draft that editors know best. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return {
    ...z.toJSONSchema(configFileSchema, { io: 'input', target: 'draft-7' }),
    title: 'Signalbox configuration',
  };
}
