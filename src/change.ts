/**
 * What changes something: the lock is taken, what was interrupted is put right, who is to end first is
 * waited for, and then the command's own work is done.
 */
import type { Work } from "./cli/cli.ts";
import type { Config, Options } from "./cli/config.ts";
import { UpdateError } from "./base/errors.ts";
import type { Report } from "./base/events.ts";
import { confirmRemoval } from "./commands/confirm.ts";
import { installLocal, rollBack } from "./commands/local_install.ts";
import { relaunch } from "./commands/relaunch.ts";
import { repair, tellLeft, tellUnrepaired } from "./commands/repair.ts";
import { plannedRemoval, uninstall } from "./commands/uninstall.ts";
import {
  hasHome,
  hasStateDir,
  openStateDir,
  requireSameStateDir,
} from "./installation/install_dir.ts";
import { type Lock, takeLock } from "./installation/lock.ts";
import { takeOver } from "./installation/renamed.ts";
import { findOrphans } from "./orphans/orphans.ts";
import { beginWait, endedWait, endWait } from "./output/ended_wait.ts";
import { asWarning, fail } from "./output/failure.ts";
import { RunLog } from "./output/run_log.ts";
import { waitForParent } from "./parent/wait_for_parent.ts";
import type { Session } from "./session.ts";
import type { System } from "./system/system.ts";
import { recover, type Recovery } from "./transaction/recover.ts";

/** One run of a command that changes something. */
export interface Run {
  readonly command: Work;
  readonly session: Session;
  readonly config: Config;
  /** Of an update. */
  readonly options: Options | undefined;
  readonly stop: AbortSignal;
}

/** Returns the exit code, or throws what `fail` tells: then nothing was begun. */
export async function change(run: Run): Promise<number> {
  const { command, session } = run;
  const { system, dir, report } = session;
  if (command.kind === "uninstall") {
    const files = plannedRemoval(session);
    if (command.dryRun) {
      report({ event: "would-uninstall", files });
      return 0;
    }
    if (files.length === 0 && !hasStateDir(system, dir)) {
      report({ event: "uninstalled", files });
      return 0;
    }
    if (!command.yes) await confirmRemoval(session, files, run.stop);
  }
  // A folder that no shim ever worked in, and where nothing is amiss, gets no state dir.
  if (command.kind === "repair" && !hasStateDir(system, dir)) {
    const orphans = findOrphans(system, dir.path);
    if (orphans.every(({ action }) => action === "leave")) {
      tellLeft(session, orphans);
      report({ event: "nothing-to-repair" });
      return 0;
    }
  }
  return await workLogged(run);
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
export async function startOld(
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
    case "update": {
      const { update } = await import("./commands/online.ts");
      await update(session, options!, stop);
      break;
    }
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
