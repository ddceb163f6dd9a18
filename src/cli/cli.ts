/** From arguments to a command. Pure: nothing is looked up, nothing is changed. */
import { readArguments, type Values, wrong } from "./arguments.ts";
import { type CommandKind, isCommand, OPTIONS, type Shell } from "./options.ts";
import * as read from "./values.ts";

/** How the shim talks. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noProgress: boolean;
}

/** Options of all commands that work on an install dir; those that do not apply are unset. */
export interface CommonOptions extends OutputOptions {
  readonly installDir: string | undefined;
  /** `--config`, as given: says which tool of the folder is meant, and where its settings are. */
  readonly config: string | undefined;
  readonly manifest: string | undefined;
  readonly channel: string | undefined;
  readonly publicKeys: readonly string[];
  /** As given. */
  readonly authFile: string | undefined;
  /** An open file descriptor with the same content. */
  readonly authFd: number | undefined;
  readonly pin: string | undefined;
  readonly allowDowngrade: boolean;
  readonly allowHttp: boolean;
  readonly force: boolean;
  readonly downloadOnly: boolean;
  readonly dryRun: boolean;
  /** Nobody is asked. */
  readonly yes: boolean;
  /** How old an answer of `--check` may be; undefined: not old at all. */
  readonly maxAgeMs: number | undefined;
  readonly parentPid: number | undefined;
  readonly waitStdin: boolean;
  readonly waitTimeoutMs: number;
  /** Arguments to start the tool with; undefined: not started again. */
  readonly relaunch: readonly string[] | undefined;
}

/** What to do. */
export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "man" }
  | { readonly kind: "version"; readonly json: boolean }
  | { readonly kind: "completions"; readonly shell: Shell }
  | CommonOptions & { readonly kind: "from"; readonly file: string; readonly target?: string }
  | CommonOptions & {
    readonly kind: "update" | "repair" | "check" | "rollback" | "uninstall" | "status";
  };

const DEFAULT_WAIT_MS = 60_000;

/** A command that works on an install dir. */
export type Work = Extract<Command, { installDir: string | undefined }>;

/** Throws `usage`; the hint always ends with where the options are. */
export function parseCommand(args: readonly string[]): Command {
  const split = args.indexOf("--");
  const values = readArguments(split < 0 ? args : args.slice(0, split));
  // Who asks for help gets it, whatever else stands there.
  if (values.has("help")) return { kind: "help" };
  const kind = commandOf(values);
  checkCompany(kind, values);
  if (split >= 0 && !values.has("relaunch")) {
    throw wrong("-- ARGS go with --relaunch only");
  }
  if (kind === "help" || kind === "man") return { kind };
  if (kind === "version") return { kind, json: values.has("json") };
  const text = (name: string) => values.get(name)?.[0];
  if (kind === "completions") return { kind, shell: read.shell(text("completions")!) };
  const common = commonOptions(values, split < 0 ? [] : args.slice(split + 1));
  if (kind !== "from") return { kind, ...common };
  const target = read.plainName(text("target"));
  return { kind, file: text("from")!, ...(target !== undefined && { target }), ...common };
}

function commandOf(values: Values): CommandKind {
  const [first, second] = OPTIONS.filter((option) => isCommand(option) && values.has(option.name));
  if (first && second) throw wrong(`--${first.name} and --${second.name} exclude each other`);
  return (first?.name ?? "update") as CommandKind;
}

function checkCompany(kind: CommandKind, values: Values): void {
  const stray = OPTIONS.find((option) =>
    values.has(option.name) && !isCommand(option) && !option.with.includes(kind)
  );
  if (!stray) return;
  const called = (name: string) => name === "update" ? "an update" : `--${name}`;
  throw wrong(
    `--${stray.name} does not go with ${called(kind)}`,
    `It goes with ${stray.with.map(called).join(", ")}.`,
  );
}

/** What excludes what, besides what `OPTIONS` says of the commands. */
function checkTogether(values: Values): void {
  // Each of them says where the manifest is.
  const where = ["manifest", "channel", "pin"].filter((name) => values.has(name));
  if (values.has("channel") && where.length > 1) {
    throw wrong(`--${where[0]} and --${where[1]} exclude each other`);
  }
  if (values.has("download-only")) {
    // Nothing is replaced: it would be waited for in vain, by a tool that waits for the download.
    const stray = ["parent-pid", "wait-stdin", "relaunch"].find((name) => values.has(name));
    if (stray) throw wrong(`--${stray} does not go with --download-only`);
  }
  if (values.has("auth-fd") && values.has("auth-file")) {
    throw wrong("--auth-file and --auth-fd exclude each other");
  }
}

function commonOptions(values: Values, rest: readonly string[]): CommonOptions {
  checkTogether(values);
  const text = (name: string) => values.get(name)?.[0];
  return {
    installDir: text("install-dir"),
    config: text("config"),
    manifest: text("manifest"),
    channel: read.channel(text("channel")),
    publicKeys: values.get("public-key") ?? [],
    authFile: text("auth-file"),
    authFd: read.descriptor(text("auth-fd")),
    pin: read.version(text("pin")),
    allowDowngrade: values.has("allow-downgrade"),
    allowHttp: values.has("allow-http"),
    force: values.has("force"),
    downloadOnly: values.has("download-only"),
    dryRun: values.has("dry-run"),
    yes: values.has("yes"),
    maxAgeMs: read.age(text("max-age")),
    parentPid: read.pid(text("parent-pid")),
    waitStdin: values.has("wait-stdin"),
    waitTimeoutMs: read.seconds(text("wait-timeout")) ?? DEFAULT_WAIT_MS,
    relaunch: values.has("relaunch") ? rest : undefined,
    json: values.has("json"),
    quiet: values.has("quiet"),
    noProgress: values.has("no-progress"),
  };
}
