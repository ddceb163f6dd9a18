/** Does it run? Asked of the staged file before the commit, and of the target after it. */
import { errorCode, reason, UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { expectedLength, readHeader } from "../files/executable_format.ts";
import { isTransient } from "../system/patience.ts";
import { forbiddenHint } from "../system/windows_errors.ts";
import { dirname } from "node:path";
import type { Program } from "./held_folder.ts";
import { isOursAlone } from "../installation/trust.ts";
import type { Session } from "../session.ts";
import type { RunResult } from "../system/processes.ts";

/**
 * Runs the executable by the names that `program` has for it; returns the version that it prints, if it does. Throws `health` if
 * it is not well, and the signal's reason.
 */
export async function checkHealth(
  session: Session,
  path: string,
  check: HealthCheck,
  stop?: AbortSignal,
  program: Program = { run: path, read: path },
): Promise<string | undefined> {
  if (!check) return undefined;
  const result = await runToTry(session, path, check, stop, program);
  stop?.throwIfAborted();
  judge(session, path, check, result);
  return versionIn(result.stdout);
}

/** So long the new set may still take to show that it runs, once the user wants to stop. */
const GRACE_MS = 2000;

/**
 * Runs every executable of the new set that can be tried under its real path, where nobody else can
 * exchange it meanwhile (it ran before, as the staged file). From the moment that
 * `stop` asks to end they have two more seconds in all; only what they say by themselves counts: one
 * that was ended by the same signal is run again. Throws `health`, or the signal's reason where
 * nothing was said in time; then the old set has to go back.
 */
export async function tryInstalled(
  session: Session,
  files: readonly { readonly target: string; readonly run: boolean }[],
  check: HealthCheck,
  stop: AbortSignal,
): Promise<void> {
  if (!check) return;
  const { clock } = session.system;
  const over = new AbortController(), done = new AbortController();
  const begin = () =>
    void clock.delay(GRACE_MS, done.signal).then(() => over.abort(stop.reason), () => {});
  if (stop.aborted) begin();
  else stop.addEventListener("abort", begin, { once: true });
  try {
    for (const { target, run } of files) {
      if (!run || !isOursAlone(session.system, dirname(target))) continue;
      let result = await runToTry(session, target, check, over.signal);
      if (stop.aborted && isEndedBySignal(result) && !over.signal.aborted) {
        result = await runToTry(session, target, check, over.signal);
      }
      over.signal.throwIfAborted();
      judge(session, target, check, result);
    }
  } finally {
    done.abort();
    stop.removeEventListener("abort", begin);
  }
}

/** As shells say it: Ctrl-C reaches all programs of a terminal, and so does a service's stop. */
function isEndedBySignal({ code }: RunResult): boolean {
  return [128 + 1, 128 + 2, 128 + 15].includes(code);
}

/** A user who sees nothing happen for longer wonders whether it hangs. */
const SILENT_MS = 1000;

async function runToTry(
  { system, report }: Session,
  path: string,
  check: Exclude<HealthCheck, false>,
  stop: AbortSignal | undefined,
  program: Program = { run: path, read: path },
): Promise<RunResult> {
  const why = whyNoProgram(system, program.read);
  if (why !== undefined) throw sick(path, check, `was not started: ${why}`, OTHER_MACHINE);
  stop?.throwIfAborted();
  const done = new AbortController();
  if (system.terminal.isTerminal) {
    const tell = () => report({ event: "trying", path });
    system.clock.delay(SILENT_MS, done.signal).then(tell, () => {});
  }
  try {
    return await runWhenClosed(system, program.run, check, stop);
  } catch (error) {
    stop?.throwIfAborted();
    const forbidden = forbiddenHint(error);
    if (forbidden) {
      throw new UpdateError("filesystem", `Cannot run "${path}": ${reason(error)}`, {
        path,
        hint: `${forbidden} The old version stays.`,
        cause: error,
      });
    }
    const hint = startHint(system.os, error);
    throw sick(path, check, `could not be started: ${reason(error)}`, hint, error);
  } finally {
    done.abort();
  }
}

const OTHER_MACHINE =
  "It is made for another processor or system. The old version stays; check the manifest's platforms.";

/**
 * Unix: what the kernel cannot run, execvp(3) gives to /bin/sh, which then runs any text line by line.
 * So nothing is started that is neither an executable nor says with "#!" what runs it.
 */
function whyNoProgram(
  { fs, os, target }: Session["system"],
  path: string,
): string | undefined {
  if (os === "windows") return undefined;
  const header = readHeader(fs, path);
  const { format } = expectedLength(header);
  if (format === "unknown") return "it is neither an executable nor a script that begins with #!";
  if (format !== "elf" || header.byteLength < 20) return undefined;
  // e_machine of the two processors that there are shims for.
  const ours = target.startsWith("x86_64") ? 62 : 183;
  return header.getUint16(18, true) === ours ? undefined : "it is made for another processor";
}

function judge(
  { report }: Session,
  path: string,
  check: Exclude<HealthCheck, false>,
  { code, stdout, stderr, timedOut }: RunResult,
): void {
  const tell = "The old version stays. Tell the tool's authors, with the output of that command.";
  if (timedOut) throw sick(path, check, `was still running after ${check.timeoutMs} ms`, tell);
  if (code !== 0) {
    const said = oneLine(stderr) || oneLine(stdout);
    throw sick(path, check, `exited with code ${code}${said ? `: ${said}` : ""}`, tell);
  }
  report({ event: "health-check", path, output: oneLine(stdout) });
}

/** As much of a program's output as a sentence can hold. */
function oneLine(output: string): string {
  const lines = output.split(/[\r\n]/).map((line) => line.trim()).filter((line) => line !== "");
  return lines.join(" / ").slice(0, 500);
}

function sick(
  path: string,
  { args }: Exclude<HealthCheck, false>,
  what: string,
  hint: string,
  cause?: unknown,
): UpdateError {
  const command = [path, ...args].join(" ");
  return new UpdateError(
    "health",
    `The new executable failed its health check: "${command}" ${what}`,
    { path, hint, cause },
  );
}

/**
 * What the executable prints as its version, or undefined. Asked only where no receipt says it. Throws
 * the reason of the session's `stop`.
 */
export async function askVersion(
  { system, stop }: Pick<Session, "system" | "stop">,
  program: Program,
  check: HealthCheck,
): Promise<string | undefined> {
  if (!check) return undefined;
  stop?.throwIfAborted();
  try {
    if (whyNoProgram(system, program.read) !== undefined) return undefined;
    const { code, stdout, timedOut } = await system.processes.run(
      program.run,
      check.args,
      check.timeoutMs,
      stop,
    );
    return code !== 0 || timedOut ? undefined : versionIn(stdout);
  } catch {
    return undefined;
  } finally {
    stop?.throwIfAborted();
  }
}

/** "tool 1.4.0" and "tool v1.4.0"; a commit or a date beside it is no version. */
function versionIn(output: string): string | undefined {
  return /(?:^|[^\w.-])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/.exec(output)?.[1];
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
      if (!passes || tries === 10 || stop?.aborted) throw error;
    }
    await clock.delay(20 * tries);
  }
}

function startHint(os: Session["system"]["os"], error: unknown): string {
  const code = errorCode(error);
  const text = reason(error);
  if (code === "ENOEXEC" || /format|os error 193\b|os error 216\b/i.test(text)) {
    return OTHER_MACHINE;
  }
  if (code === "EACCES" || code === "EPERM") {
    return os === "windows"
      ? "A policy or the virus scanner may block the file. The old version stays."
      : "The folder may be mounted noexec, or a policy blocks the file. The old version stays.";
  }
  return "The old version stays. A library or interpreter that it needs may be missing.";
}
