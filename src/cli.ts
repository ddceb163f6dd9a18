/** From arguments to a command. Pure; one table makes the parser, the help and the completions. */
import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import { UpdateError } from "./errors.ts";

/** One option of the command line. */
export interface OptionSpec {
  readonly name: string;
  /** Name of the value in the help; none: a switch. */
  readonly value?: string;
  readonly short?: string;
  readonly repeatable?: boolean;
  readonly help: string;
  /** The option is a command of its own. */
  readonly command?: boolean;
  /** Commands that take it; none named: all that work on an install dir. */
  readonly with?: readonly Command["kind"][];
}

const UPDATES = ["update", "from", "rollback"] as const;
const RELEASES = ["update", "check"] as const;

/** Every option, in the order of the help. */
export const OPTIONS: readonly OptionSpec[] = [
  { name: "repair", command: true, help: "Only put right what an interrupted update left." },
  { name: "check", command: true, help: "Is there a newer version? Exit code 10 if so." },
  { name: "from", value: "FILE", command: true, help: "Install a local executable, no network." },
  { name: "rollback", command: true, help: "Go back to the version before the last update." },
  { name: "uninstall", command: true, help: "Remove the tool, the state dir and this shim." },
  { name: "status", command: true, help: "Show what is installed and what lies about." },
  { name: "completions", value: "SHELL", command: true, help: "bash, zsh, fish or powershell." },
  { name: "help", short: "h", command: true, help: "Show this text." },
  { name: "version", short: "V", command: true, help: "Show the shim's own version." },
  {
    name: "install-dir",
    value: "DIR",
    help: "Folder of the executables. Default: the shim's own.",
  },
  { name: "manifest", value: "URL|PATH", with: RELEASES, help: "The release manifest." },
  {
    name: "public-key",
    value: "KEY",
    repeatable: true,
    with: RELEASES,
    help: "minisign key that must have signed it. Repeatable.",
  },
  { name: "pin", value: "VERSION", with: RELEASES, help: "This version and no other." },
  { name: "allow-downgrade", with: RELEASES, help: "Let an older version in." },
  { name: "allow-http", with: RELEASES, help: "Fetch without encryption." },
  { name: "force", with: RELEASES, help: "Install the same version again." },
  { name: "dry-run", with: ["update"], help: "Say what would be done; change nothing." },
  { name: "target", value: "NAME", with: ["from"], help: "Install FILE under this name." },
  { name: "parent-pid", value: "PID", with: UPDATES, help: "Wait for this process to exit first." },
  { name: "wait-stdin", with: UPDATES, help: "The end of the standard input counts as its exit." },
  { name: "wait-timeout", value: "SECONDS", with: UPDATES, help: "Give up after. Default: 60." },
  { name: "relaunch", with: UPDATES, help: "Then start the tool with the ARGS after --." },
  { name: "json", help: "Events as JSON, one a line, on the standard output." },
  { name: "quiet", help: "Only warnings and errors." },
  { name: "no-progress", help: "No progress bar." },
];

/** How the shim talks. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noProgress: boolean;
}

/** Options of all commands that work on an install dir; those that do not apply are unset. */
export interface CommonOptions extends OutputOptions {
  readonly installDir: string | undefined;
  readonly manifest: string | undefined;
  readonly publicKeys: readonly string[];
  readonly pin: string | undefined;
  readonly allowDowngrade: boolean;
  readonly allowHttp: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly parentPid: number | undefined;
  readonly waitStdin: boolean;
  readonly waitTimeoutMs: number;
  /** Undefined: not started again. */
  readonly relaunch: readonly string[] | undefined;
}

/** What to do. */
export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "completions"; readonly shell: Shell }
  | CommonOptions & { readonly kind: "from"; readonly file: string; readonly target?: string }
  | CommonOptions & {
    readonly kind: "update" | "repair" | "check" | "rollback" | "uninstall" | "status";
  };

const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
/** Shells that completions can be made for. */
export type Shell = typeof SHELLS[number];

const nearest: (text: string, options: string[]) => string = closestString;
const parseRaw: (args: string[], options: Record<string, unknown>) => Record<string, unknown> =
  parseArgs;

const HELP = "updater-shim --help has all options.";
const MAX_WAIT_SECONDS = 7 * 24 * 3600;

function wrong(message: string): UpdateError {
  return new UpdateError("usage", message, { hint: HELP });
}

/** Throws `usage`. */
export function parseCommand(args: readonly string[]): Command {
  const split = args.indexOf("--");
  const own = split < 0 ? args : args.slice(0, split);
  checkShape(own);
  const values = readValues(own);
  const kind = commandOf(values);
  for (const { name, command, with: kinds } of OPTIONS) {
    if (values.has(name) && !command && kinds && !kinds.includes(kind)) {
      throw wrong(`--${name} does not go with ${kind === "update" ? "an update" : `--${kind}`}`);
    }
  }
  if (split >= 0 && !values.has("relaunch")) throw wrong("-- ARGS go with --relaunch only");
  if (kind === "help" || kind === "version") return { kind };
  const text = (name: string) => values.get(name)?.[0];
  if (kind === "completions") return { kind, shell: shellOf(text("completions")!) };
  const common = commonOptions(values, split < 0 ? [] : args.slice(split + 1));
  if (kind !== "from") return { kind, ...common };
  const target = text("target");
  return { kind, file: text("from")!, ...(target !== undefined && { target }), ...common };
}

/** What the parser would let pass in silence: unknown names, values of switches, positionals. */
function checkShape(args: readonly string[]): void {
  let expectsValue = false;
  for (const arg of args) {
    if (expectsValue) {
      expectsValue = false;
      continue;
    }
    if (!arg.startsWith("-") || arg === "-") throw wrong(`Unexpected argument "${arg}"`);
    const [flag, value] = splitAtEquals(arg);
    const option = OPTIONS.find(({ name, short }) => flag === `--${name}` || flag === `-${short}`);
    if (!option) throw unknownOption(flag);
    if (!option.value && value !== undefined) throw wrong(`--${option.name} takes no value`);
    expectsValue = option.value !== undefined && value === undefined;
    if (value === "") throw wrong(`--${option.name} needs a value: ${option.value}`);
  }
}

function splitAtEquals(arg: string): [string, string | undefined] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

function unknownOption(flag: string): UpdateError {
  const known = OPTIONS.map(({ name }) => `--${name}`);
  return wrong(`Unknown option "${flag}"; did you mean "${nearest(flag, known)}"?`);
}

function readValues(args: readonly string[]): Map<string, readonly string[]> {
  // Every option is collected as text: so nothing is guessed to be a number, and repetition shows.
  const names = OPTIONS.filter(({ value }) => value).map(({ name }) => name);
  const switches = OPTIONS.filter(({ value }) => !value).map(({ name }) => name);
  const given = args.map((arg) =>
    arg.replace(/^-([hV])$/, (_, short) => short === "h" ? "--help" : "--version")
  );
  const parsed = parseRaw(given, {
    string: names,
    boolean: switches,
    collect: [...names, ...switches],
    "--": false,
  });
  const values = new Map<string, readonly string[]>();
  for (const { name, value, repeatable } of OPTIONS) {
    const found = (parsed[name] as unknown[] | undefined ?? []).filter((item) => item !== false);
    if (found.length === 0) continue;
    if (found.length > 1 && !repeatable) throw wrong(`--${name} is given more than once`);
    if (value && found.includes("")) throw wrong(`--${name} needs a value: ${value}`);
    values.set(name, found.map(String));
  }
  return values;
}

function commandOf(values: ReadonlyMap<string, unknown>): Command["kind"] {
  const commands = OPTIONS.filter(({ name, command }) => command && values.has(name));
  const [first, second] = commands.map(({ name }) => name);
  if (first && second) throw wrong(`--${first} and --${second} exclude each other`);
  return (first ?? "update") as Command["kind"];
}

function commonOptions(
  values: ReadonlyMap<string, readonly string[]>,
  rest: readonly string[],
): CommonOptions {
  const text = (name: string) => values.get(name)?.[0];
  const seconds = text("wait-timeout") ?? "60";
  if (!/^\d{1,9}(\.\d{1,3})?$/.test(seconds) || Number(seconds) > MAX_WAIT_SECONDS) {
    throw wrong(`--wait-timeout needs a number of seconds up to a week, not "${seconds}"`);
  }
  const pid = text("parent-pid");
  if (pid !== undefined && (!/^[1-9]\d{0,9}$/.test(pid) || Number(pid) > 0xffffffff)) {
    throw wrong(`--parent-pid needs the id of a process, not "${pid}"`);
  }
  return {
    installDir: text("install-dir"),
    manifest: text("manifest"),
    publicKeys: values.get("public-key") ?? [],
    pin: text("pin"),
    allowDowngrade: values.has("allow-downgrade"),
    allowHttp: values.has("allow-http"),
    force: values.has("force"),
    dryRun: values.has("dry-run"),
    parentPid: pid === undefined ? undefined : Number(pid),
    waitStdin: values.has("wait-stdin"),
    waitTimeoutMs: Number(seconds) * 1000,
    relaunch: values.has("relaunch") ? rest : undefined,
    json: values.has("json"),
    quiet: values.has("quiet"),
    noProgress: values.has("no-progress"),
  };
}

function shellOf(name: string): Shell {
  const shell = SHELLS.find((known) => known === name);
  if (shell) return shell;
  throw wrong(`There are no completions for "${name}", only for ${SHELLS.join(", ")}`);
}

/** The help text, at most 80 columns wide. */
export function usage(): string {
  const rows = (commands: boolean) =>
    OPTIONS.filter(({ command = false }) => command === commands).map((option) => {
      const { name, short, value, help } = option;
      const flag = `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`;
      return `  ${flag.padEnd(24)} ${help}\n`;
    }).join("");
  return `Replaces a tool's executables once it has exited, so that nothing can break them.

  updater-shim --parent-pid PID    what the tool's "self update" starts
  updater-shim                     the same by hand
  updater-shim --repair            after an accident

Commands (none: update)
${rows(true)}
Options
${rows(false)}
Defaults stand in updater-shim.json in the install dir. Exit codes: 0 done, 2 usage,
3 network, 4 verification, 5 parent still runs, 6 locked, 7 filesystem, 8 health
check, 9 not repaired, 10 update available, 130/143 interrupted.
`;
}
