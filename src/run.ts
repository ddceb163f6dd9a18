/** From arguments to an exit code: the right stages in the right order, and the only catch-all. */
import { basename } from "node:path";
import { type Command, parseCommand } from "./cli/cli.ts";
import { confirmRemoval } from "./commands/confirm.ts";
import { manPage } from "./cli/man_page.ts";
import { completionScript } from "./cli/completions.ts";
import {
  type Config,
  DEFAULT_CONFIG,
  loadConfig,
  type Options,
  requireConfig,
  resolveOptions,
} from "./cli/config.ts";
import { beginWait, endedWait, endWait } from "./output/ended_wait.ts";
import { UpdateError } from "./base/errors.ts";
import type { Report } from "./base/events.ts";
import { asWarning, fail } from "./output/failure.ts";
import {
  findInstallDir,
  hasHome,
  hasStateDir,
  type InstallDir,
  isStateDirHidden,
  openStateDir,
  requireSameStateDir,
  withoutState,
} from "./installation/install_dir.ts";
import { knownReceipt, readReceipt } from "./installation/receipt.ts";
import { findRenamed, takeOver } from "./installation/renamed.ts";
import { type Lock, takeLock } from "./installation/lock.ts";
import { workAsOwner } from "./installation/folder_owner.ts";
import { requireTrustedFolder } from "./installation/trust.ts";
import { findOrphans } from "./orphans/orphans.ts";
import { recover, type Recovery } from "./transaction/recover.ts";
import { repair, tellLeft, tellUnrepaired } from "./commands/repair.ts";
import { relaunch } from "./commands/relaunch.ts";
import { check } from "./commands/check.ts";
import { installLocal, rollBack } from "./commands/local_install.ts";
import { plannedRemoval, uninstall } from "./commands/uninstall.ts";
import { update } from "./commands/update.ts";
import { createReporter } from "./output/reporter.ts";
import { programOf, type Subject, subjectOf } from "./output/subject.ts";
import { RunLog } from "./output/run_log.ts";
import type { Session } from "./session.ts";
import { describeStatus, readStatus } from "./commands/status.ts";
import type { System } from "./system/system.ts";
import { visibleJson } from "./output/text.ts";
import { usage } from "./cli/usage.ts";
import { VERSION } from "./base/version.ts";
import { waitForParent } from "./parent/wait_for_parent.ts";

/** `--check` found a newer version. */
const AVAILABLE = 10;

/** A command that works on an install dir. */
type Work = Extract<Command, { installDir: string | undefined }>;

/** Runs one invocation. Returns the exit code of the contract; never throws. */
export async function run(args: readonly string[], system: System): Promise<number> {
  let command: Command;
  try {
    command = parseCommand(args);
  } catch (error) {
    // What follows "--" is the tool's.
    const end = args.indexOf("--");
    const json = args.slice(0, end < 0 ? undefined : end).includes("--json");
    return fail(error, createReporter(system, { json }, subjectOf(system.shimName, "update")));
  }
  const { terminal } = system;
  const program = programOf(system.shimName);
  switch (command.kind) {
    case "help":
      terminal.out(usage(program));
      return 0;
    case "version":
      terminal.out(
        command.json
          ? `${visibleJson({ event: "version", version: VERSION })}\n`
          : `updater-shim ${VERSION}\n`,
      );
      return 0;
    case "completions":
      terminal.out(completionScript(command.shell, program));
      return 0;
    case "man":
      terminal.out(manPage(program));
      return 0;
  }
  const subject = subjectOf(system.shimName, command.kind);
  const report = createReporter(system, command, subject);
  try {
    // Where the shim lies, the tool lies: that needs no configuration.
    const make = command.kind === "update" && !command.dryRun;
    const dir = findInstallDir(system, { ...command, make });
    subject.config = basename(dir.config);
    return await workAsOwner(system, dir.path, args, asks(command, system)) ??
      await workInFolder(command, dir, system, report, subject);
  } catch (error) {
    return fail(error, report);
  }
}

/** Whether somebody at the terminal is to be asked first. */
function asks({ kind, yes, dryRun }: Work, { terminal }: System): boolean {
  return kind === "uninstall" && !yes && !dryRun && terminal.isInteractive;
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
    return await work(command, dir, session, subject, stop);
  } catch (error) {
    // Before anything was waited for.
    const code = fail(error, report);
    await startOld(session, command, undefined, stop.signal);
    return code;
  }
}

async function work(
  command: Work,
  dir: InstallDir,
  session: Session,
  subject: Subject,
  stop: AbortController,
): Promise<number> {
  const { system, dir: seen, report } = session;
  requireConfig(command, system, seen);
  const config = configFor(command, session);
  subject.tool = config.name ?? installedName(session);
  if (command.kind === "status") return await showStatus(session, command.json);
  const { dryRun } = command;
  if (command.kind === "uninstall") {
    const files = plannedRemoval(session);
    if (dryRun) {
      report({ event: "would-uninstall", files });
      return 0;
    }
    if (files.length === 0 && !hasStateDir(system, dir)) {
      report({ event: "uninstalled", files });
      return 0;
    }
    if (!command.yes) await confirmRemoval(session, files, stop.signal);
  }
  // What is wrong with the command shows before anything is made or waited for.
  const options = command.kind === "update" || command.kind === "check"
    ? resolveOptions(command, config, session.dir, system)
    : undefined;
  if (options && (command.kind === "check" || dryRun)) {
    // Looks only: no lock, no recovery, no state dir.
    const looking = { ...session, renamed: findRenamed(session, config.name)?.old.id };
    if (dryRun) {
      await update(looking, options, stop.signal);
      return 0;
    }
    // An answer that may not be kept is asked for each time.
    const asked = seen === dir ? options : { ...options, maxAgeMs: undefined };
    return await check(looking, asked, stop.signal) ? AVAILABLE : 0;
  }
  // A folder that no shim ever worked in, and where nothing is amiss, gets no state dir.
  if (command.kind === "repair" && !hasStateDir(system, session.dir)) {
    const orphans = findOrphans(system, session.dir.path);
    if (orphans.every(({ action }) => action === "leave")) {
      tellLeft(session, orphans);
      report({ event: "nothing-to-repair" });
      return 0;
    }
  }
  return await workLogged({ command, session, config, options, stop: stop.signal });
}

/**
 * Whoever can exchange the install dir decides what is installed. What only looks says so, and what it
 * cannot see; to it there is no such state dir. Returns what there is. Throws `filesystem`.
 */
function judgeFolder(command: Work, { system, dir, report }: Session): InstallDir {
  const { kind, dryRun, maxAgeMs } = command;
  const looks = kind === "status" || kind === "check" || dryRun;
  try {
    requireTrustedFolder(system, dir.path);
  } catch (error) {
    if (!looks || maxAgeMs !== undefined || !(error instanceof UpdateError)) throw error;
    report(asWarning(error));
  }
  if (!looks || !isStateDirHidden(system, dir)) return dir;
  report({
    event: "warning",
    message: `Cannot look into "${dir.state}": it is another user's`,
    path: dir.state,
    hint:
      "What earlier updates noted is not known here. Run it as the user who installed the tool.",
  });
  return withoutState(dir);
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

/** One run of a command that changes something. */
interface Run {
  readonly command: Work;
  readonly session: Session;
  readonly config: Config;
  /** Of an update. */
  readonly options: Options | undefined;
  readonly stop: AbortSignal;
}

/** The lock is held from the first recovery to the last word, but not while the parent is waited for. */
async function workLogged(run: Run): Promise<number> {
  const { command, session, config, stop } = run;
  const { system, dir } = session;
  const { kind, waitTimeoutMs: timeoutMs } = command;
  const take = async () => {
    const opened = openStateDir(system, dir);
    const lock = await takeLock(system, dir, {
      ...{ command: kind, timeoutMs, report: session.report, stop },
    });
    requireSameStateDir(system, dir, opened);
    return lock;
  };
  let lock = await take();
  const log = new RunLog(system, dir, kind);
  const report: Report = (event) => {
    log.add(event);
    session.report(event);
  };
  const logged: Session = { ...session, report, mayWrite: true };
  let code = 1, waited = false, parentEnded = false;
  try {
    const ended = endedWait(logged);
    if (ended) report(ended);
    let recovery = await recover(logged, stop);
    if (waits(command, system)) {
      tellUnrepaired(logged, recovery);
      lock.release();
      waited = true;
      await waitOutside(logged, command, stop);
      parentEnded = true;
      lock = await take();
      recovery = await recover(logged, stop);
    }
    code = await workLocked({ ...run, session: logged }, recovery, lock);
  } catch (error) {
    code = fail(error, report);
    // The tool's end is waited for without it.
    if (command.relaunch && !waited) lock.release();
    if (!waited || parentEnded) await startOld(logged, command, config.name, stop, parentEnded);
  } finally {
    // An uninstalled tool has no folder to write to.
    if (hasHome(system, dir)) log.finish(code);
    lock.release();
  }
  return code;
}

/**
 * A service that was to be updated is not to stay down because that failed: it is started as it is,
 * when it has ended. Whoever stopped us wants it so.
 */
async function startOld(
  session: Session,
  command: Work,
  name: string | undefined,
  stop: AbortSignal,
  parentEnded = false,
): Promise<void> {
  if (!command.relaunch || command.dryRun || stop.aborted) return;
  const { parentPid, waitStdin, waitTimeoutMs: timeoutMs } = command;
  try {
    if (!parentEnded && waits(command, session.system)) {
      await waitForParent(session, { parentPid, waitStdin, timeoutMs }, stop);
    }
    await relaunch(session, name, command.relaunch);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    session.report(asWarning(error));
  }
}

/** Whether somebody is to end first. */
function waits({ parentPid, waitStdin }: Work, { processes }: System): boolean {
  return waitStdin || (parentPid !== undefined && parentPid !== processes.pid);
}

async function waitOutside(session: Session, command: Work, stop: AbortSignal): Promise<void> {
  const { parentPid, waitStdin, waitTimeoutMs: timeoutMs } = command;
  beginWait(session, parentPid);
  try {
    await waitForParent(session, { parentPid, waitStdin, timeoutMs }, stop);
  } finally {
    endWait(session);
  }
}

async function workLocked(
  { command, session, config, options, stop }: Run,
  recovery: Recovery,
  lock: Lock,
): Promise<number> {
  const { healthCheck } = config;
  // What --uninstall removes, it has asked for.
  const old = command.kind === "uninstall" ? undefined : takeOver(session, config.name);
  if (old !== undefined) {
    const message =
      `The updater was renamed: what "${old}" had noted of ${config.name} is taken over`;
    session.report({ event: "warning", message });
  }
  if (command.kind === "repair") {
    await repair(session, recovery, healthCheck, stop);
    return 0;
  }
  tellUnrepaired(session, recovery);
  switch (command.kind) {
    case "update":
      await update(session, options!, stop);
      break;
    case "from":
      await installLocal(
        session,
        { from: command.file, target: command.target, healthCheck, force: command.force },
        stop,
      );
      break;
    case "rollback":
      await rollBack(session, healthCheck, stop);
      break;
    case "uninstall":
      await uninstall(session, lock);
      return 0;
  }
  if (command.relaunch) await relaunch(session, config.name, command.relaunch);
  return 0;
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

async function showStatus(session: Session, json: boolean): Promise<number> {
  const status = await readStatus(session);
  session.system.terminal.out(json ? `${visibleJson(status)}\n` : describeStatus(status));
  return 0;
}
