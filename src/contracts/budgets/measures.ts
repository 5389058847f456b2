/** What a budget for a period limits. Apart from its schemas: the dashboard loads none. */
export const MEASURES = ['tokens', 'cost_usd', 'attempts'] as const;
export type Measure = (typeof MEASURES)[number];
