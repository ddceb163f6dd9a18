/**
 * When this source was made: the only time that goes into what is built of it, so that the same
 * source gives the same bytes, wherever and whenever it is built.
 */
import { dirname, fromFileUrl } from "@std/path";
import { runProgram } from "./run_program.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** Where neither is to be had (an unpacked archive): the first instant that a zip file can store. */
const FALLBACK_SECONDS = Date.UTC(1980, 0, 1) / 1000;

/**
 * `SOURCE_DATE_EPOCH` (https://reproducible-builds.org/specs/source-date-epoch/), else the time of
 * the commit that is checked out, else a fixed one. Throws where that variable is not a number of
 * seconds.
 */
export async function sourceTime(
  environment = Deno.env.get("SOURCE_DATE_EPOCH"),
  folder = ROOT,
): Promise<Date> {
  return new Date(1000 * (environment ? parse(environment) : await commitSeconds(folder)));
}

function parse(seconds: string): number {
  // 11 digits: years of four digits only, which is what archives and manifests can hold.
  if (/^\d{1,11}$/.test(seconds)) return Number(seconds);
  throw new Error(`SOURCE_DATE_EPOCH is "${seconds}", and must be a number of seconds`);
}

async function commitSeconds(folder: string): Promise<number> {
  try {
    return Number(await runProgram("git", ["log", "-1", "--format=%ct"], { cwd: folder }));
  } catch {
    return FALLBACK_SECONDS; // no git, or no repository
  }
}
