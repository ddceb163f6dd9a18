/** The manual page, in man(7)'s macros, made from the table of options. */
import { VERSION } from "../base/version.ts";
import { EXIT_CODES } from "../base/errors.ts";
import { OPTIONS, type OptionSpec } from "./options.ts";

/** Exit codes that are no failures, and what each failure means. */
const CODES: Readonly<Record<number, string>> = {
  0: "done: updated, already current, repaired, nothing to repair",
  [EXIT_CODES.bug]: "a fault of the program's own",
  [EXIT_CODES.usage]: "usage, configuration or manifest not valid",
  [EXIT_CODES.network]: "network",
  [EXIT_CODES.verification]: "verification: size, digest, signature, expiry, downgrade",
  [EXIT_CODES.parent]: "the tool did not exit in time",
  [EXIT_CODES.locked]: "another update runs",
  [EXIT_CODES.filesystem]: "the file system refuses",
  [EXIT_CODES.health]: "the new version failed its health check; the old one is installed",
  [EXIT_CODES.repair]: "repair could not restore something",
  10: "--check found a newer version",
  [EXIT_CODES.interrupted]: "interrupted by Ctrl-C",
  [EXIT_CODES.terminated]: "interrupted by TERM",
};

/** A page for `man -l -`; `program` is what the shim is called here. */
export function manPage(program: string): string {
  const name = escape(program);
  const groups = [...new Set(OPTIONS.map(({ group }) => group))];
  const sections = groups.map((group) =>
    `.SS ${group}\n${OPTIONS.filter((option) => option.group === group).map(entry).join("")}`
  );
  const codes = Object.entries(CODES).map(([code, text]) => `.TP\n.B ${code}\n${escape(text)}\n`);
  return `.TH ${program.toUpperCase().replace(/[^A-Z0-9_-]/g, "_")} 1 "" "updater-shim ${VERSION}"
.SH NAME
${name} \\- replace a tool's executables after the tool has exited
.SH SYNOPSIS
.B ${name}
.RI [ command ]
.RI [ options ]
.SH DESCRIPTION
Downloads a release, verifies it, tries it and renames it into place. Whatever interrupts it, the
executables stay complete: all old or all new. Without a command it updates.
.SH OPTIONS
${sections.join("")}.SH EXIT STATUS
${codes.join("")}.SH FILES
.TP
.I ${name}.json
Defaults for the options, in the folder of the executables.
.TP
.I .updater\\-shim/
What is kept between runs, with the log of each.
`;
}

function entry({ name, short, value, help }: OptionSpec): string {
  const flag = `${short ? `\\-${short}, ` : ""}\\-\\-${escape(name)}`;
  return `.TP\n.B ${flag}${value ? ` \\fI${escape(value)}\\fR` : ""}\n${escape(help)}\n`;
}

/** A hyphen would be typeset as one; a line must not begin with a control character. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&");
}
