/** One program that comes to its end, in a process of its own or without. */
import { denoSystem } from "../../../src/system/deno_system.ts";
import { type Breakage, broken } from "./breakages.ts";
import { freezeAt } from "./endings.ts";
import { type Scenario, update } from "./scenario.ts";

/** Starts the program that ends itself, with the arguments that it describes. Returns its output. */
export async function startAgain(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", ...args],
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (/^(killed before|finished)/.test(text)) return text;
  throw new Error(`${args} failed: ${text}${new TextDecoder().decode(stderr)}`);
}

/**
 * Leaves the disk that an update leaves which ends before its n-th step, without the price of a
 * process. Returns the steps.
 */
export async function runUntil(
  n: number,
  scenario: Scenario,
  breakage: Breakage,
  folder: string,
): Promise<readonly string[]> {
  const { fs, counter, end } = freezeAt(denoSystem.fs, n);
  try {
    await update(scenario, folder, broken(breakage, fs));
  } catch (error) {
    if (counter.steps < n && !scenario.sick) throw error;
  } finally {
    end();
  }
  return counter.names;
}
