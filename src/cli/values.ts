/** The values of single options. Each throws `usage`, and takes one that was not given for none. */
import { shorten, wrong } from "./arguments.ts";
import { isPlainName, PLAIN_NAME } from "../base/file_names.ts";
import { CHANNEL_NAME, CHANNEL_NAMES } from "./config_schema.ts";
import { type Shell, SHELLS } from "./options.ts";
import { isVersion } from "../base/version.ts";

/** A week: longer is a slip of the finger, and far longer overflows a timer. */
const MAX_WAIT_SECONDS = 7 * 24 * 3600;
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

type Text = string | undefined;

/** `--wait-timeout`, in milliseconds. */
export function seconds(text: Text): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && Number(text) <= MAX_WAIT_SECONDS) {
    return Math.round(Number(text) * 1000);
  }
  throw wrong(`--wait-timeout needs a number of seconds up to a week, not "${shorten(text)}"`);
}

/** `--parent-pid`. A pid of Windows is a DWORD; elsewhere they are smaller. */
export function pid(text: Text): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,9}$/.test(text) && Number(text) <= 0xffffffff) return Number(text);
  throw wrong(`--parent-pid needs the id of a process, not "${shorten(text)}"`);
}

/** `--pin`. */
export function version(text: Text): string | undefined {
  if (text === undefined || isVersion(text)) return text;
  throw wrong(`--pin needs a version such as 1.4.0, not "${shorten(text)}"`);
}

/** `--channel`. */
export function channel(text: Text): string | undefined {
  if (text === undefined || CHANNEL_NAME.test(text)) return text;
  throw wrong(`--channel needs ${CHANNEL_NAMES}, not "${shorten(text)}"`);
}

/** `--auth-fd`. */
export function descriptor(text: Text): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw wrong(`--auth-fd needs the number of an open file descriptor, not "${shorten(text)}"`);
}

/** `--max-age`, in milliseconds. */
export function age(text: Text): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  if (unit !== undefined) return Number(count) * UNITS[unit]!;
  throw wrong(`--max-age needs a time such as 24h, 90m or 7d, not "${shorten(text)}"`);
}

/** `--target`. */
export function plainName(text: Text): string | undefined {
  if (text === undefined || isPlainName(text)) return text;
  throw wrong(`--target needs ${PLAIN_NAME}, not "${shorten(text)}"`);
}

/** `--completions`. */
export function shell(text: string): Shell {
  const shell = SHELLS.find((known) => known === text);
  if (shell) return shell;
  throw wrong(`There are no completions for "${shorten(text)}", only for ${SHELLS.join(", ")}`);
}
