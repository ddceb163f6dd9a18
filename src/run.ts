import type { System } from "./system.ts";
export async function run(_args: readonly string[], _system: System): Promise<number> {
  return await Promise.resolve(0);
}
