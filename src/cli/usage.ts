/** The help text, made from the table of options. */
import { OPTIONS, type OptionSpec } from "./options.ts";

const INTRODUCTION = `updater-shim replaces a tool's executables after the tool has exited.
Whatever interrupts it, they stay complete: all old or all new.

Usage:
  updater-shim --parent-pid PID [options]   what a tool's "self update" starts
  updater-shim [options]                    the same by hand
  updater-shim --repair                     after an accident
`;

/** What each exit code means. */
export const EXIT_STATUS = `0 done, 1 a fault of updater-shim, 2 usage or configuration,
3 network, 4 verification, 5 the tool still runs, 6 another update runs,
7 file system, 8 health check failed, 9 could not repair, 10 update available,
130/143 interrupted. After every one but 9 the installed tool works.`;

const END = `
Options may be written "--option value" or "--option=value". Defaults for them
stand in updater-shim.json in the folder of the executables.

Exit codes: ${EXIT_STATUS}
`;

/** At most 80 columns wide, and ASCII: it is shown on every terminal there is. */
export function usage(program: string): string {
  const groups = [...new Set(OPTIONS.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const rows = OPTIONS.filter((option) => option.group === group).map(row).join("");
    return `\n${group}${group === "Commands" ? " (none: update)" : ""}:\n${rows}`;
  });
  return (INTRODUCTION + sections.join("") + END)
    .replace(/^ {2}updater-shim/gm, () => `  ${program}`)
    .replace("updater-shim.json", () => `${program}.json`);
}

function row({ name, short, value, help }: OptionSpec): string {
  const flag = `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
  return `  ${flag.padEnd(26)} ${help}\n`;
}
