/** Arguments by name. Pure; knows the shape of options, not what they mean together. */
import { didYouMean } from "../base/nearest.ts";
import { UpdateError } from "../base/errors.ts";
import { OPTIONS } from "./options.ts";

/** What was given, by name of the option. */
export type Values = ReadonlyMap<string, readonly string[]>;

/**
 * Reads what stands before `--`: `--name`, `--name value`, `--name=value`. Everything is text, nothing
 * is guessed at. Throws `usage` for unknown names, positionals, a switch with a value, and a value that
 * is missing, is the next option or is given twice.
 */
export function readArguments(args: readonly string[]): Values {
  const values = new Map<string, string[]>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    const [, flag, given] = /^([^=]*)(?:=(.*))?$/s.exec(arg)!;
    const option = OPTIONS.find(({ name, short }) =>
      flag === `--${name}` || (short !== undefined && flag === `-${short}`)
    );
    if (!option) throw unknown(arg, flag!);
    const { name, value, repeatable } = option;
    if (!value) {
      if (given !== undefined) throw wrong(`--${name} takes no value`);
      values.set(name, []);
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
    if (values.has(name) && !repeatable) throw wrong(`--${name} is given more than once`);
    values.set(name, [...values.get(name) ?? [], found]);
  }
  return values;
}

function unknown(arg: string, flag: string): UpdateError {
  const known = OPTIONS.map(({ name }) => `--${name}`);
  const option = /^-./.test(flag);
  if (!option && !known.includes(`--${arg}`)) return wrong(`Unexpected argument "${shorten(arg)}"`);
  const name = shorten(option ? flag : arg);
  const what = option ? "Unknown option" : "Unexpected argument";
  return wrong(`${what} "${name}"${didYouMean(name, known)}`);
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
