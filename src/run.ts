/** From arguments to an exit code: the right stages in the right order, and the only catch-all. */
import { dirname, resolve } from "@std/path";
import { type Command, parseCommand } from "./cli/cli.ts";
import { completionScript } from "./cli/completions.ts";
import { type Config, loadConfig, resolveOptions } from "./cli/config.ts";
import { endedWait } from "./output/ended_wait.ts";
import { UpdateError } from "./base/errors.ts";
import type { Report } from "./base/events.ts";
import { fail } from "./output/failure.ts";
import { hasStateDir, openInstallDir, openStateDir } from "./installation/install_dir.ts";
import { type Lock, takeLock } from "./installation/lock.ts";
import { workAsOwner } from "./installation/folder_owner.ts";
import { findOrphans } from "./orphans/orphans.ts";
import { recover } from "./transaction/recover.ts";
import { finishRepair, tellUnrepaired } from "./commands/repair.ts";
import { readReceipt } from "./installation/receipt.ts";
import { relaunch } from "./commands/relaunch.ts";
import { createReporter } from "./output/reporter.ts";
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

/**
 * Loaded when they are asked for: some tools run `--repair` at each of their starts, which needs
 * nothing of releases, networks and archives.
 */
const load = {
  check: () => import("./commands/check.ts"),
  localInstall: () => import("./commands/local_install.ts"),
  uninstall: () => import("./commands/uninstall.ts"),
  update: () => import("./commands/update.ts"),
};

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
    return fail(error, createReporter(system, { json }));
  }
  const { terminal } = system;
  switch (command.kind) {
    case "help":
      terminal.out(usage());
      return 0;
    case "version":
      terminal.out(`updater-shim ${VERSION}\n`);
      return 0;
    case "completions":
      terminal.out(completionScript(command.shell));
      return 0;
  }
  const report = createReporter(system, command);
  try {
    const folder = folderOf(command, system);
    return await workAsOwner(system, folder, args) ?? await work(command, folder, system, report);
  } catch (error) {
    return fail(error, report);
  }
}

/** Where the shim lies, the tool lies: that needs no configuration. */
function folderOf(command: Work, { cwd, execPath }: System): string {
  return resolve(cwd, command.installDir ?? dirname(execPath));
}

async function work(
  command: Work,
  folder: string,
  system: System,
  report: Report,
): Promise<number> {
  const session: Session = { system, dir: openInstallDir(system, folder), report };
  const config = loadConfig(system, session.dir);
  const stop = new AbortController();
  listen(system, stop);
  if (command.kind === "status") return await showStatus(session, command.json);
  const { dryRun } = command;
  if (command.kind === "check" || dryRun) {
    // Looks only: no lock, no recovery, no state dir.
    const options = resolveOptions(command, config, session.dir, system);
    if (dryRun) {
      const { update } = await load.update();
      await update(session, options, stop.signal);
      return 0;
    }
    const { check } = await load.check();
    return await check(session, options, stop.signal) ? AVAILABLE : 0;
  }
  if (command.kind === "repair" && isUntouched(session)) {
    report({ event: "nothing-to-repair" });
    return 0;
  }
  openStateDir(system, session.dir);
  return await withLock(
    session,
    command,
    (logged, lock) => workLocked(command, logged, config, lock, stop.signal),
  );
}

/** A folder that no shim ever worked in, and where nothing is amiss, gets no state dir. */
function isUntouched({ system, dir }: Session): boolean {
  return !hasStateDir(system, dir) &&
    findOrphans(system, dir.path).every(({ action }) => action === "leave");
}

async function withLock(
  session: Session,
  command: Work,
  step: (session: Session, lock: Lock) => Promise<number>,
): Promise<number> {
  const { system, dir } = session;
  const lock = await takeLock(system, dir);
  const ended = endedWait(session);
  const log = new RunLog(system, dir, command.kind);
  const report: Report = (event) => {
    log.add(event);
    session.report(event);
  };
  if (ended) report(ended);
  let code = 1;
  try {
    code = await step({ ...session, report }, lock);
  } catch (error) {
    code = fail(error, report);
  } finally {
    // An uninstalled tool has no state dir to write to.
    if (hasStateDir(system, dir)) log.finish(code);
    lock.release();
  }
  return code;
}

async function workLocked(
  command: Work,
  session: Session,
  config: Config,
  lock: Lock,
  stop: AbortSignal,
): Promise<number> {
  const { system, dir } = session;
  const recovery = await recover(session, foldersOf(session));
  if (command.kind === "repair") return finishRepair(session, recovery);
  tellUnrepaired(session, recovery);
  const { parentPid, waitStdin, waitTimeoutMs: timeoutMs } = command;
  await waitForParent(session, { parentPid, waitStdin, timeoutMs }, stop);
  const { healthCheck } = config;
  switch (command.kind) {
    case "update": {
      const { update } = await load.update();
      await update(session, resolveOptions(command, config, dir, system), stop);
      break;
    }
    case "from": {
      const { installLocal } = await load.localInstall();
      await installLocal(
        session,
        { from: command.file, target: command.target, healthCheck },
        stop,
      );
      break;
    }
    case "rollback": {
      const { rollBack } = await load.localInstall();
      await rollBack(session, healthCheck, stop);
      break;
    }
    case "uninstall": {
      const { uninstall } = await load.uninstall();
      await uninstall(session, lock);
      return 0;
    }
  }
  if (command.relaunch) await relaunch(session, config.name, command.relaunch);
  return 0;
}

/** Targets may be links that lead out of the install dir: their folders are looked after too. */
function foldersOf({ system: { fs }, dir }: Session): string[] {
  const receipt = readReceipt(fs, dir);
  const files = typeof receipt === "string" ? [] : receipt.files;
  return [dir.path, ...files.map(({ target }) => dirname(target))];
}

/**
 * Ctrl-C and TERM abort whatever was not committed yet. A closed terminal (SIGHUP) stops nothing:
 * the user closes the window that "has finished" while the shim still works.
 */
function listen(system: System, stop: AbortController): void {
  system.onStopSignal((signal) => {
    if (signal === "SIGHUP") return;
    stop.abort(
      new UpdateError(
        signal === "SIGINT" ? "interrupted" : "terminated",
        "The update was interrupted",
        { hint: "Nothing was changed. Run it again: a download resumes where it stopped." },
      ),
    );
  });
}

async function showStatus(session: Session, json: boolean): Promise<number> {
  const status = await readStatus(session);
  session.system.terminal.out(json ? `${visibleJson(status)}\n` : describeStatus(status));
  return 0;
}
