/** Arguments by name. Pure; knows the shape of options, not what they mean together. */
import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import { UpdateError } from "../base/errors.ts";
import { OPTIONS, type OptionSpec } from "./options.ts";

/** What was given, by name of the option. */
export type Values = ReadonlyMap<string, readonly string[]>;

const nearest: (text: string, options: string[]) => string = closestString;
const parseRaw: (args: string[], options: Record<string, unknown>) => Record<string, unknown> =
  parseArgs;

/**
 * Reads what stands before `--`. Throws `usage`.
 * Everything is collected as text: nothing is guessed to be a number, and repetition shows.
 */
export function readArguments(args: readonly string[]): Values {
  const names = (which: (option: OptionSpec) => boolean) =>
    OPTIONS.filter(which).map(({ name }) => name);
  const parsed = parseRaw(checkShape(args), {
    string: names(({ value }) => value !== undefined),
    boolean: names(({ value }) => value === undefined),
    collect: names(() => true),
  });
  const values = new Map<string, readonly string[]>();
  for (const { name, value, repeatable } of OPTIONS) {
    const found = (parsed[name] as unknown[] | undefined ?? []).map(String);
    if (found.length === 0) continue;
    if (found.length > 1 && value && !repeatable) throw wrong(`--${name} is given more than once`);
    values.set(name, found);
  }
  return values;
}

/**
 * Refuses what the parser would let pass or guess at: unknown names, positionals, a switch with a
 * value, a value that is missing or is the next option. Returns the arguments in the one spelling
 * that leaves nothing to guess, `--name` and `--name=value`.
 */
function checkShape(args: readonly string[]): string[] {
  const plain: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    const [, flag, given] = /^([^=]*)(?:=(.*))?$/s.exec(arg)!;
    const option = OPTIONS.find(({ name, short }) =>
      flag === `--${name}` || (short !== undefined && flag === `-${short}`)
    );
    if (!option) throw unknown(arg, flag!);
    const { name, value } = option;
    if (!value) {
      if (given !== undefined) throw wrong(`--${name} takes no value`);
      plain.push(`--${name}`);
      continue;
    }
    const found = given ?? args[++index];
    if (!found) throw wrong(`--${name} needs a value: ${value}`);
    // A negative number is no option: whoever reads the value says what is wrong with it.
    if (given === undefined && /^-(?!\d)/.test(found)) {
      throw wrong(
        `--${name} needs a value: ${value}, not "${shorten(found)}"`,
        `A value that begins with a dash is written --${name}=VALUE.`,
      );
    }
    plain.push(`--${name}=${found}`);
  }
  return plain;
}

function unknown(arg: string, flag: string): UpdateError {
  const known = OPTIONS.map(({ name }) => `--${name}`);
  const option = /^-./.test(flag);
  if (!option && !known.includes(`--${arg}`)) return wrong(`Unexpected argument "${shorten(arg)}"`);
  const name = shorten(option ? flag : arg);
  const what = option ? "Unknown option" : "Unexpected argument";
  return wrong(`${what} "${name}"; did you mean "${nearest(name, known)}"?`);
}

/** A mistake in the arguments; the hint always ends with where the options are. */
export function wrong(message: string, advice?: string): UpdateError {
  const where = "For all options: updater-shim --help";
  return new UpdateError("usage", message, { hint: advice ? `${advice} ${where}` : where });
}

/** An argument may be a megabyte long; a message may not. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
