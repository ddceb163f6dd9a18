/** Does it run? Asked of the staged file before the commit, and of the target after it. */
import { errorCode, reason, UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { isTransient } from "../system/patience.ts";
import { forbiddenHint } from "../system/windows_errors.ts";
import type { Session } from "../session.ts";
import type { RunResult } from "../system/system.ts";

/** Runs the executable; throws `health` if it is not well. */
export async function checkHealth(
  { system, report }: Session,
  path: string,
  check: HealthCheck,
  stop?: AbortSignal,
): Promise<void> {
  if (!check) return;
  const command = [path, ...check.args].join(" ");
  const sick = (what: string, hint: string, cause?: unknown): never => {
    throw new UpdateError(
      "health",
      `The new executable failed its health check: "${command}" ${what}`,
      {
        path,
        hint,
        cause,
      },
    );
  };
  let result: RunResult;
  try {
    result = await runWhenClosed(system, path, check, stop);
  } catch (error) {
    const hint = forbiddenHint(error);
    if (hint) {
      throw new UpdateError("filesystem", `Cannot run "${path}": ${reason(error)}`, {
        path,
        hint: `${hint} The old version stays.`,
        cause: error,
      });
    }
    return sick(`could not be started: ${reason(error)}`, startHint(system.os, error), error);
  }
  stop?.throwIfAborted();
  const tell = "The old version stays. Tell the tool's authors, with the output of that command.";
  if (result.timedOut) sick(`was still running after ${check.timeoutMs} ms`, tell);
  if (result.code !== 0) {
    const said = (result.stderr.trim() || result.stdout.trim()).slice(0, 500);
    sick(`exited with code ${result.code}${said ? `: ${said}` : ""}`, tell);
  }
  report({ event: "health-check", path, output: result.stdout.trim().slice(0, 500) });
}

/** What the executable prints as its version, or undefined. Asked only where no receipt says it. */
export async function askVersion(
  { system }: Pick<Session, "system">,
  path: string,
  check: HealthCheck,
): Promise<string | undefined> {
  if (!check) return undefined;
  try {
    const { code, stdout, timedOut } = await system.processes.run(
      path,
      check.args,
      check.timeoutMs,
    );
    if (code !== 0 || timedOut) return undefined;
    return /\b\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

/**
 * A process that is being forked elsewhere in this program holds every open file for an instant,
 * and exec of a file open for writing fails (ETXTBSY): all of ours are closed, so that passes. On
 * Windows a scanner may have the new file for itself. Tried for about a second.
 */
async function runWhenClosed(
  { processes, clock }: Session["system"],
  path: string,
  { args, timeoutMs }: Exclude<HealthCheck, false>,
  stop: AbortSignal | undefined,
): Promise<RunResult> {
  for (let tries = 1;; tries++) {
    try {
      return await processes.run(path, args, timeoutMs, stop);
    } catch (error) {
      const passes = errorCode(error) === "ETXTBSY" || isTransient(error);
      if (!passes || tries === 10) throw error;
    }
    await clock.delay(20 * tries);
  }
}

function startHint(os: Session["system"]["os"], error: unknown): string {
  const code = errorCode(error);
  const text = reason(error);
  if (code === "ENOEXEC" || /format|os error 193\b|os error 216\b/i.test(text)) {
    return "It is made for another processor or system. The old version stays; check the manifest's platforms.";
  }
  if (code === "EACCES" || code === "EPERM") {
    return os === "windows"
      ? "A policy or the virus scanner may block the file. The old version stays."
      : "The folder may be mounted noexec, or a policy blocks the file. The old version stays.";
  }
  return "The old version stays. A library or interpreter that it needs may be missing.";
}
