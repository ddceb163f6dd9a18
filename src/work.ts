/**
 * The commands that work on an install dir: the folder is judged, the configuration read, and what only
 * looks is done here. What changes something is in `change.ts`. Each part is loaded when it is wanted.
 */
import { basename } from "node:path";
import type { Work } from "./cli/cli.ts";
import {
  type Config,
  DEFAULT_CONFIG,
  loadConfig,
  requireConfig,
  resolveOptions,
} from "./cli/config.ts";
import { UpdateError } from "./base/errors.ts";
import type { Report } from "./base/events.ts";
import { check } from "./commands/check.ts";
import { showStatus } from "./commands/status.ts";
import { workAsOwner } from "./installation/folder_owner.ts";
import {
  findInstallDir,
  type InstallDir,
  isStateDirHidden,
  withoutState,
} from "./installation/install_dir.ts";
import { knownReceipt, readReceipt } from "./installation/receipt.ts";
import { findRenamed } from "./installation/renamed.ts";
import { requireBelievedFolder, requireTrustedFolder } from "./installation/trust.ts";
import { asWarning, fail } from "./output/failure.ts";
import type { Subject } from "./output/subject.ts";
import type { Session } from "./session.ts";
import type { System } from "./system/system.ts";

/** `--check` found a newer version. */
const AVAILABLE = 10;

/** Returns the exit code. Throws what `fail` tells, where nothing was begun. */
export async function work(
  command: Work,
  args: readonly string[],
  system: System,
  report: Report,
  subject: Subject,
): Promise<number> {
  // Where the shim lies, the tool lies: that needs no configuration.
  const make = command.kind === "update" && !command.dryRun;
  const dir = findInstallDir(system, { ...command, make });
  subject.config = basename(dir.config);
  try {
    return await workAsOwner(system, dir.path, args, asks(command, system)) ??
      await workInFolder(command, dir, system, report, subject);
  } finally {
    if (dir.made) removeIfEmpty(system, dir.path);
  }
}

/** A folder that was made for an installation that did not begin is nobody's. */
function removeIfEmpty({ fs }: System, folder: string): void {
  try {
    fs.removeSync(folder);
  } catch {
    // Something is in it.
  }
}

/** Whether somebody at the terminal is to be asked first. */
function asks({ kind, yes, dryRun }: Work, { terminal }: System): boolean {
  return kind === "uninstall" && !yes && !dryRun && terminal.isAttended;
}

async function workInFolder(
  command: Work,
  dir: InstallDir,
  system: System,
  report: Report,
  subject: Subject,
): Promise<number> {
  const seen = judgeFolder(command, { system, dir, report });
  const stop = new AbortController();
  const session: Session = { system, dir: seen, report, stop: stop.signal };
  listen(system, stop, command);
  try {
    return await workJudged(command, dir, session, subject, stop);
  } catch (error) {
    // Before anything was waited for.
    const code = fail(error, report);
    if (command.relaunch) {
      const { startOld } = await import("./change.ts");
      await startOld(session, command, undefined, stop.signal);
    }
    return code;
  }
}

async function workJudged(
  command: Work,
  dir: InstallDir,
  session: Session,
  subject: Subject,
  stop: AbortController,
): Promise<number> {
  const { system, dir: seen } = session;
  requireConfig(command, system, seen);
  const config = configFor(command, session);
  subject.tool = config.name ?? installedName(session);
  if (command.kind === "status") {
    await showStatus(session, command.json);
    return 0;
  }
  // What is wrong with the command shows before anything is made or waited for.
  const options = command.kind === "update" || command.kind === "check"
    ? resolveOptions(command, config, session.dir, system)
    : undefined;
  if (options && (command.kind === "check" || command.dryRun)) {
    // Looks only: no lock, no recovery, no state dir.
    const looking = { ...session, renamed: findRenamed(session, config.name)?.old.id };
    if (command.kind === "update") {
      const { update } = await import("./commands/online.ts");
      await update(looking, options, stop.signal);
      return 0;
    }
    // An answer that may not be kept is asked for each time.
    const asked = seen === dir ? options : { ...options, maxAgeMs: undefined };
    return await check(looking, asked, stop.signal) ? AVAILABLE : 0;
  }
  const { change } = await import("./change.ts");
  return await change({ command, session, config, options, stop: stop.signal });
}

/**
 * Whoever can exchange the install dir decides what is installed. What only looks says so, and what it
 * cannot see or is not to believe; to it there is no such state dir. Returns what there is. Throws
 * `filesystem`.
 */
function judgeFolder(command: Work, { system, dir, report }: Session): InstallDir {
  const { kind, dryRun, maxAgeMs } = command;
  const looks = kind === "status" || kind === "check" || dryRun;
  const judged = (judge: () => void): boolean => {
    try {
      judge();
      return true;
    } catch (error) {
      if (!looks || maxAgeMs !== undefined || !(error instanceof UpdateError)) throw error;
      report(asWarning(error));
      return false;
    }
  };
  judged(() => requireTrustedFolder(system, dir.path));
  if (!looks) return dir;
  if (isStateDirHidden(system, dir)) {
    report({
      event: "warning",
      message: `Cannot look into "${dir.state}": it is another user's`,
      path: dir.state,
      hint:
        "What earlier updates noted is not known here. Run it as the user who installed the tool.",
    });
    return withoutState(dir);
  }
  // `--status` tells of it what it can.
  if (kind === "status") return dir;
  return judged(() => requireBelievedFolder(system, dir.state, "the state dir"))
    ? dir
    : withoutState(dir);
}

/** Those that mend, look or remove need no configuration: a broken one is told, and not gone by. */
function configFor({ kind }: Work, { system, dir, report }: Session): Config {
  try {
    return loadConfig(system, dir);
  } catch (error) {
    const needed = !["repair", "status", "rollback", "uninstall"].includes(kind);
    if (needed || !(error instanceof UpdateError)) throw error;
    report(asWarning(error));
    return DEFAULT_CONFIG;
  }
}

/** The tool's name where only its receipt has it. What is wrong with that is said where it matters. */
function installedName({ system, dir }: Session): string | undefined {
  try {
    return knownReceipt(readReceipt(system, dir))?.name ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * Ctrl-C and TERM abort whatever was not committed yet. A closed terminal (SIGHUP) stops nothing:
 * the user closes the window that "has finished" while the shim still works.
 */
function listen(system: System, stop: AbortController, { kind }: Work): void {
  const hint = kind === "uninstall"
    ? "Nothing was removed."
    : "Nothing was changed. Run it again: a download resumes where it stopped.";
  system.onStopSignal((signal) => {
    if (signal === "SIGHUP") return;
    stop.abort(
      new UpdateError(
        signal === "SIGINT" ? "interrupted" : "terminated",
        kind === "uninstall" ? "It was interrupted" : "The update was interrupted",
        { hint },
      ),
    );
  });
}
