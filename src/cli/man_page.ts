/** The manual page, in man(7)'s macros, made from the table of options. */
import { VERSION } from "../base/version.ts";
import { EXIT_STATUS } from "./usage.ts";
import { OPTIONS, type OptionSpec } from "./options.ts";

/** A page for `man -l -`; `program` is what the shim is called here. */
export function manPage(program: string): string {
  const name = escape(program);
  const groups = [...new Set(OPTIONS.map(({ group }) => group))];
  const sections = groups.map((group) =>
    `.SS ${group}\n${OPTIONS.filter((option) => option.group === group).map(entry).join("")}`
  );
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
${escape(EXIT_STATUS)}
.SH FILES
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
