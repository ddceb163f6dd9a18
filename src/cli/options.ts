/**
 * Every option of the command line, in the order of the help. The one table behind the parser, the
 * help, the nearest name of a mistyped option and the completions.
 */

/** What the shim can be asked to do. */
export type CommandKind =
  | "update"
  | "repair"
  | "check"
  | "from"
  | "rollback"
  | "uninstall"
  | "status"
  | "completions"
  | "man"
  | "help"
  | "version";

/** Shells that completions can be made for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
/** One of them. */
export type Shell = typeof SHELLS[number];

/** One option of the command line. */
export interface OptionSpec {
  readonly name: string;
  /** Letter that stands for it. */
  readonly short?: string;
  /** Name of the value in the help; none: a switch. */
  readonly value?: string;
  /** What a shell can offer as the value. */
  readonly completes?: "folder" | "file" | "shell";
  readonly repeatable?: boolean;
  /** Heading in the help. "Commands" are commands of their own: at most one at a time. */
  readonly group: "Commands" | "What to install" | "The running tool" | "Folder and output";
  /** Commands that take it; none named: it is a command. */
  readonly with: readonly CommandKind[];
  readonly help: string;
}

const RELEASES = ["update", "check"] as const;
const SWAPS = ["update", "from", "rollback"] as const;
const WAITS = [...SWAPS, "uninstall"] as const;
/** Where they mean nothing they do no harm: a wrapper may always pass them. */
const ALL = [...WAITS, "repair", "check", "status", "completions", "man", "version"] as const;

const command = (name: CommandKind, help: string, more: Partial<OptionSpec> = {}): OptionSpec => ({
  name,
  group: "Commands",
  with: [],
  help,
  ...more,
});

/** Every option there is. */
export const OPTIONS: readonly OptionSpec[] = [
  command("repair", "Put right what an interrupted update left behind"),
  command("check", "Exit code 10 if there is a newer version, else 0"),
  command("from", "Install a local executable, without a network", {
    value: "FILE",
    completes: "file",
  }),
  command("rollback", "Go back to the version before the last update"),
  command("uninstall", "Remove the tool, its updates' files and this shim"),
  command("status", "Show what is installed, the last run and leftovers"),
  command("completions", "Print a script for bash, zsh, fish or powershell", {
    value: "SHELL",
    completes: "shell",
  }),
  command("man", "Print the manual page (man -l -)"),
  command("help", "Show this text", { short: "h" }),
  command("version", "Show the version of updater-shim", { short: "V" }),
  {
    name: "manifest",
    value: "URL|PATH",
    completes: "file",
    group: "What to install",
    with: RELEASES,
    help: "The release manifest",
  },
  {
    name: "channel",
    value: "NAME",
    group: "What to install",
    with: RELEASES,
    help: "One of the configured channels, such as beta",
  },
  {
    name: "public-key",
    value: "KEY",
    repeatable: true,
    group: "What to install",
    with: RELEASES,
    help: "minisign key that signs it; may be repeated",
  },
  {
    name: "auth-file",
    value: "FILE",
    completes: "file",
    group: "What to install",
    with: RELEASES,
    help: "Credentials for private servers, as in ~/.netrc",
  },
  {
    name: "auth-fd",
    value: "N",
    group: "What to install",
    with: RELEASES,
    help: "The same from an open file descriptor (Unix)",
  },
  {
    name: "pin",
    value: "VERSION",
    group: "What to install",
    with: RELEASES,
    help: "This version and no other",
  },
  {
    name: "allow-downgrade",
    group: "What to install",
    with: RELEASES,
    help: "Let an older version in",
  },
  {
    name: "allow-http",
    group: "What to install",
    with: RELEASES,
    help: "Fetch without encryption",
  },
  {
    name: "force",
    group: "What to install",
    with: ["update"],
    help: "Install the same version again",
  },
  {
    name: "download-only",
    group: "What to install",
    with: ["update"],
    help: "Fetch and verify it; the next update installs it",
  },
  {
    name: "dry-run",
    group: "What to install",
    with: ["update", "uninstall"],
    help: "Say what would be done, change nothing",
  },
  {
    name: "max-age",
    value: "AGE",
    group: "What to install",
    with: ["check"],
    help: "An answer as young as 24h, 90m or 7d will do",
  },
  {
    name: "target",
    value: "NAME",
    group: "What to install",
    with: ["from"],
    help: "Install FILE under this name",
  },
  {
    name: "parent-pid",
    value: "PID",
    group: "The running tool",
    with: WAITS,
    help: "Wait for this process to exit first",
  },
  {
    name: "wait-stdin",
    group: "The running tool",
    with: WAITS,
    help: "The end of the standard input counts as its exit",
  },
  {
    name: "wait-timeout",
    value: "SECONDS",
    group: "The running tool",
    with: WAITS,
    help: "Give up after this time; default: 60",
  },
  {
    name: "relaunch",
    group: "The running tool",
    with: SWAPS,
    help: "Start it again afterwards, with the ARGS after --",
  },
  {
    name: "install-dir",
    value: "DIR",
    completes: "folder",
    group: "Folder and output",
    with: ALL,
    help: "Folder of the executables; default: the shim's own",
  },
  {
    name: "config",
    value: "FILE",
    completes: "file",
    group: "Folder and output",
    with: ALL,
    help: "Configuration of the tool that is meant",
  },
  {
    name: "json",
    group: "Folder and output",
    with: ALL,
    help: "Events as JSON, one a line, on the standard output",
  },
  {
    name: "yes",
    group: "Folder and output",
    with: ["uninstall"],
    help: "Do not ask before anything is removed",
  },
  { name: "quiet", group: "Folder and output", with: ALL, help: "Only warnings and errors" },
  { name: "no-progress", group: "Folder and output", with: ALL, help: "No progress bar" },
];

/** Whether the option is a command of its own. */
export function isCommand(option: OptionSpec): boolean {
  return option.group === "Commands";
}
