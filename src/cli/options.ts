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

const inGroup = <Name extends string>(group: OptionSpec["group"]) =>
(
  name: Name,
  commands: OptionSpec["with"],
  help: string,
  more: Partial<OptionSpec> = {},
): OptionSpec => ({ name, group, with: commands, help, ...more });
const command = inGroup<CommandKind>("Commands");
const release = inGroup("What to install");
const running = inGroup("The running tool");
const place = inGroup("Folder and output");

/** Every option there is. */
export const OPTIONS: readonly OptionSpec[] = [
  command("repair", [], "Put right what an interrupted update left behind"),
  command("check", [], "Exit code 10 if there is a newer version, else 0"),
  command("from", [], "Install a local executable, without a network", {
    value: "FILE",
    completes: "file",
  }),
  command("rollback", [], "Go back to the version before the last update"),
  command("uninstall", [], "Remove the tool, its updates' files and this shim"),
  command("status", [], "Show what is installed, the last run and leftovers"),
  command("completions", [], "Print a script for bash, zsh, fish or powershell", {
    value: "SHELL",
    completes: "shell",
  }),
  command("man", [], "Print the manual page (man -l -)"),
  command("help", [], "Show this text", { short: "h" }),
  command("version", [], "Show the version of updater-shim", { short: "V" }),
  release("manifest", RELEASES, "The release manifest", { value: "URL|PATH", completes: "file" }),
  release("channel", RELEASES, "One of the configured channels, such as beta", { value: "NAME" }),
  release("public-key", RELEASES, "minisign key that signs it; may be repeated", {
    value: "KEY",
    repeatable: true,
  }),
  release("auth-file", RELEASES, "Credentials for private servers, as in ~/.netrc", {
    value: "FILE",
    completes: "file",
  }),
  release("auth-fd", RELEASES, "The same from an open file descriptor (Unix)", { value: "N" }),
  release("pin", RELEASES, "This version and no other", { value: "VERSION" }),
  release("allow-downgrade", RELEASES, "Let an older version in"),
  release("allow-http", RELEASES, "Fetch without encryption"),
  release("force", ["update", "from"], "Install the same version again"),
  release("download-only", ["update"], "Fetch and verify it; the next update installs it"),
  release("dry-run", ["update", "uninstall"], "Say what would be done, change nothing"),
  release("max-age", ["check"], "An answer as young as 24h, 90m or 7d will do", { value: "AGE" }),
  release("target", ["from"], "Install FILE under this name", { value: "NAME" }),
  running("parent-pid", WAITS, "Wait for this process to exit first", { value: "PID" }),
  running("wait-stdin", WAITS, "The end of the standard input counts as its exit"),
  running("wait-timeout", WAITS, "Give up after this time; default: 60", { value: "SECONDS" }),
  running("relaunch", SWAPS, "Start it again afterwards, with the ARGS after --"),
  place("install-dir", ALL, "Folder of the executables; default: the shim's own", {
    value: "DIR",
    completes: "folder",
  }),
  place("config", ALL, "Configuration of the tool that is meant", {
    value: "FILE",
    completes: "file",
  }),
  place("json", ALL, "Events as JSON, one a line, on the standard output"),
  place("yes", ["uninstall"], "Do not ask before anything is removed"),
  {
    name: "quiet",
    short: "q",
    group: "Folder and output",
    with: ALL,
    help: "Only warnings and errors",
  },
  { name: "no-progress", group: "Folder and output", with: ALL, help: "No progress bar" },
];

/** Whether the option is a command of its own. */
export function isCommand(option: OptionSpec): boolean {
  return option.group === "Commands";
}
