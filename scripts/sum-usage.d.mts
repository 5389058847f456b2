export declare class UsageSum {
  constructor(by: readonly string[], zone?: string);
  readonly rows: ReadonlyMap<string, readonly number[]>;
  add(line: string): void;
}
