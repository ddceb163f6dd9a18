/** From arguments to a command. Pure: nothing is looked up, nothing is changed. */
import { readArguments, shorten, type Values, wrong } from "./arguments.ts";
import { isPlainName, PLAIN_NAME } from "../base/file_names.ts";
import { CHANNEL_NAME, CHANNEL_NAMES } from "./config_schema.ts";
import { type CommandKind, isCommand, OPTIONS, type Shell, SHELLS } from "./options.ts";
import { isVersion } from "../base/version.ts";

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

/** A week: longer is a slip of the finger, and far longer overflows a timer. */
const MAX_WAIT_SECONDS = 7 * 24 * 3600;

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
  if (kind === "completions") return { kind, shell: shellOf(text("completions")!) };
  const common = commonOptions(values, split < 0 ? [] : args.slice(split + 1));
  if (kind !== "from") return { kind, ...common };
  const target = text("target");
  if (target !== undefined && !isPlainName(target)) {
    throw wrong(`--target needs ${PLAIN_NAME}, not "${shorten(target)}"`);
  }
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

function commonOptions(values: Values, rest: readonly string[]): CommonOptions {
  const text = (name: string) => values.get(name)?.[0];
  const seconds = text("wait-timeout") ?? "60";
  if (!/^\d{1,9}(\.\d{1,3})?$/.test(seconds) || Number(seconds) > MAX_WAIT_SECONDS) {
    throw wrong(`--wait-timeout needs a number of seconds up to a week, not "${shorten(seconds)}"`);
  }
  const pid = text("parent-pid");
  // A pid of Windows is a DWORD; elsewhere they are smaller.
  if (pid !== undefined && (!/^[1-9]\d{0,9}$/.test(pid) || Number(pid) > 0xffffffff)) {
    throw wrong(`--parent-pid needs the id of a process, not "${shorten(pid)}"`);
  }
  const pin = text("pin");
  if (pin !== undefined && !isVersion(pin)) {
    throw wrong(`--pin needs a version such as 1.4.0, not "${shorten(pin)}"`);
  }
  const channel = text("channel");
  if (channel !== undefined && !CHANNEL_NAME.test(channel)) {
    throw wrong(`--channel needs ${CHANNEL_NAMES}, not "${shorten(channel)}"`);
  }
  // Each of them says where the manifest is.
  const where = ["manifest", "channel", "pin"].filter((name) => values.has(name));
  if (channel !== undefined && where.length > 1) {
    throw wrong(`--${where[0]} and --${where[1]} exclude each other`);
  }
  if (values.has("download-only")) {
    // Nothing is replaced: it would be waited for in vain, by a tool that waits for the download.
    const stray = ["parent-pid", "wait-stdin", "relaunch"].find((name) => values.has(name));
    if (stray) throw wrong(`--${stray} does not go with --download-only`);
  }
  const fd = text("auth-fd");
  if (fd !== undefined && !/^\d{1,5}$/.test(fd)) {
    throw wrong(`--auth-fd needs the number of an open file descriptor, not "${shorten(fd)}"`);
  }
  if (fd !== undefined && values.has("auth-file")) {
    throw wrong("--auth-file and --auth-fd exclude each other");
  }
  return {
    installDir: text("install-dir"),
    config: text("config"),
    manifest: text("manifest"),
    channel,
    publicKeys: values.get("public-key") ?? [],
    authFile: text("auth-file"),
    authFd: fd === undefined ? undefined : Number(fd),
    pin,
    allowDowngrade: values.has("allow-downgrade"),
    allowHttp: values.has("allow-http"),
    force: values.has("force"),
    downloadOnly: values.has("download-only"),
    dryRun: values.has("dry-run"),
    yes: values.has("yes"),
    maxAgeMs: ageOf(text("max-age")),
    parentPid: pid === undefined ? undefined : Number(pid),
    waitStdin: values.has("wait-stdin"),
    waitTimeoutMs: Math.round(Number(seconds) * 1000),
    relaunch: values.has("relaunch") ? rest : undefined,
    json: values.has("json"),
    quiet: values.has("quiet"),
    noProgress: values.has("no-progress"),
  };
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function ageOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  if (unit !== undefined) return Number(count) * UNITS[unit]!;
  throw wrong(`--max-age needs a time such as 24h, 90m or 7d, not "${shorten(text)}"`);
}

function shellOf(name: string): Shell {
  const shell = SHELLS.find((known) => known === name);
  if (shell) return shell;
  throw wrong(`There are no completions for "${shorten(name)}", only for ${SHELLS.join(", ")}`);
}
