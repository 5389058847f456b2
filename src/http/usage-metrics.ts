/**
 * What agents have used, as counters for Prometheus. They follow from the log, so a restart does not set them back. Labels
 * are the agents and, of each, its first models (projections/usage.ts): never a task or a project.
 */
import { Counter, type Registry } from 'prom-client';
import type { AppContext } from '../app/context.ts';
import { COST_UNITS_PER_USD } from '../contracts/usage.ts';

type Projections = AppContext['state']['projections'];
type MapValue<All> = All extends Map<string, infer Value> ? Value : never;
type UsageEntry = MapValue<Projections['usage']['totals']>;

interface Series {
  readonly name: string;
  readonly help: string;
  /** The label that tells the values apart; absent if there is only one. */
  readonly label?: string;
  /** The values of an agent and a model, by that label. One that is not known is left out: 0 would say that nothing was used. */
  readonly values: (entry: UsageEntry) => Readonly<Record<string, number>>;
}

const SERIES: readonly Series[] = [
  {
    name: 'attempts',
    help: 'Ended attempts, by agent and model.',
    values: ({ attempts }) => ({ '': attempts }),
  },
  {
    name: 'tokens',
    help: 'Tokens of ended attempts. Those of the types cache_read and cache_write are among those of the type input.',
    label: 'type',
    values: ({ attempts, withoutTokens, input, output, cacheRead, cacheWrite }) =>
      known({ input, output, cache_read: cacheRead, cache_write: cacheWrite }, attempts > withoutTokens),
  },
  {
    name: 'cost_usd',
    help: 'Cost of ended attempts in US dollars, as far as it is known: reported by agents, or estimated from prices.',
    label: 'source',
    values: ({ attempts, withoutCost, cost, estimated }) =>
      known(
        {
          reported: (cost - estimated) / COST_UNITS_PER_USD,
          estimated: estimated / COST_UNITS_PER_USD,
        },
        attempts > withoutCost,
      ),
  },
  {
    name: 'attempts_without_cost',
    help: 'Ended attempts whose cost is not known.',
    values: ({ withoutCost }) => ({ '': withoutCost }),
  },
  {
    name: 'attempts_without_tokens',
    help: 'Ended attempts that have not reported their tokens.',
    values: ({ withoutTokens }) => ({ '': withoutTokens }),
  },
];

/** @param isKnown of at least one attempt; else only what is not 0 is */
function known(values: Readonly<Record<string, number>>, isKnown: boolean): Readonly<Record<string, number>> {
  return isKnown ? values : Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0));
}

export function addUsageMetrics(registry: Registry, { usage }: Pick<Projections, 'usage'>): void {
  for (const { name, help, label, values } of SERIES) {
    new Counter({
      name: `signalbox_usage_${name}_total`,
      help,
      labelNames: ['agent', 'model', ...(label === undefined ? [] : [label])],
      registers: [registry],
      collect() {
        this.reset();
        for (const entry of usage.totals.values()) {
          const { agent, model } = entry;
          for (const [value, count] of Object.entries(values(entry)))
            this.inc({ agent, model: model ?? '', ...(label !== undefined && { [label]: value }) }, count);
        }
      },
    });
  }
}
