/** `--check`: is there a newer version? */
import type { Options } from "../cli/config.ts";
import { UpdateError } from "../base/errors.ts";
import { redactUrl } from "../base/url_policy.ts";
import { compareVersions, isVersion } from "../base/version.ts";
import { onFile } from "../files/fs_errors.ts";
import { openLockable } from "../files/trusted_file.ts";
import { makeStateDir } from "../installation/install_dir.ts";
import { ensureInstallationId } from "../installation/installation_id.ts";
import { resolveTarget } from "../installation/targets.ts";
import type { Session } from "../session.ts";
import type { Limits } from "../transfer/retry.ts";
import { openAccess } from "./access.ts";
import { findInstalled } from "./installed.ts";
import {
  type Answer,
  isYoung,
  keepAnswer,
  type KeptAnswer,
  questionOf,
  readKeptAnswer,
  seen,
} from "./kept_answer.ts";

/** A tool's start does not wait longer for a notice, and asks once. */
const IN_PASSING: Partial<Limits> = { tries: 1, connectMs: 3_000, idleMs: 3_000, totalMs: 5_000 };

/**
 * True if there is something to update to. Changes nothing; with a greatest age of the answer, that
 * is kept in the state dir, and what an earlier start was told is told again while it is young.
 */
export async function check(
  session: Session,
  options: Options,
  stop: AbortSignal,
): Promise<boolean> {
  const { maxAgeMs } = options;
  if (maxAgeMs === undefined) return tell(session, await ask(session, options, {}, stop), true);
  // At each start of a tool: it waits for no disk, and an answer that is lost is asked for again.
  makeStateDir(session.system, session.dir);
  const question = questionOf(options);
  const kept = readKeptAnswer(session, question);
  const { clock } = session.system;
  if (kept && isYoung(kept, maxAgeMs, clock.now())) {
    return await tellAgain(session, options, kept);
  }
  const lock = await takeAskingLock(session);
  try {
    // Another start may have asked while this one waited for its turn.
    const before = readKeptAnswer(session, question);
    if (before && (!lock || isYoung(before, maxAgeMs, clock.now()))) {
      return await tellAgain(session, options, before);
    }
    if (!lock) throw nobodyKnows(session, options);
    // Under the lock: of many first starts at once one makes it.
    ensureInstallationId(session.system, session.dir);
    return await askAndKeep(session, options, before?.answer ?? null, stop);
  } finally {
    lock?.close();
  }
}

/** Undefined where another start asks just now. */
async function takeAskingLock({ system, dir }: Session) {
  const path = dir.asking;
  const file = openLockable(system, path, "the lock of the check");
  if (await onFile("lock", path, () => system.fs.tryLock(file))) return file;
  file.close();
  return undefined;
}

/** The try is noted before it is made: however it ends, the next start does not repeat it. */
async function askAndKeep(
  session: Session,
  options: Options,
  before: Answer | null,
  stop: AbortSignal,
): Promise<boolean> {
  const { clock, randomBytes } = session.system;
  const asked: KeptAnswer = {
    format: 1,
    question: questionOf(options),
    asked: clock.now(),
    chance: randomBytes(1)[0]! / 255,
    answer: before,
  };
  keepAnswer(session, asked);
  const answer = await ask(session, options, IN_PASSING, stop);
  keepAnswer(session, { ...asked, answer });
  return tell(session, answer, true);
}

async function ask(
  session: Session,
  options: Options,
  limits: Partial<Limits>,
  stop: AbortSignal,
): Promise<Answer> {
  // Most checks tell what an earlier one was answered, and need nothing of this.
  const { readOffer } = await import("./online.ts");
  const access = { ...await openAccess(session.system, options, stop), limits };
  const offer = await readOffer(session, { ...options, mayBeNewer: true }, access, stop);
  const { manifest: { version, notes, homepage, rollout }, targets, installed, decision } = offer;
  return {
    checked: session.system.clock.now(),
    installed: installed.version,
    seen: seen(session, targets.map(({ name }) => name)),
    offered: version,
    decision,
    percent: rollout?.percent ?? 100,
    ...(notes !== undefined && { notes }),
    ...(homepage !== undefined && { homepage }),
  };
}

/** Held against what is installed now: the update may have been made since. */
async function tellAgain(session: Session, options: Options, kept: KeptAnswer): Promise<boolean> {
  const { answer } = kept;
  if (!answer) throw failedLately(session, options, kept);
  const names = answer.seen.map(({ name }) => name);
  if (JSON.stringify(seen(session, names)) === JSON.stringify(answer.seen)) {
    return tell(session, answer, false);
  }
  const targets = names.map((name) => resolveTarget(session.system, session.dir, name));
  const { version } = await findInstalled(session, targets, options.healthCheck, true);
  const known = version !== null && isVersion(version);
  const current = known && compareVersions(answer.offered, version) <= 0;
  const decision = current
    ? "up-to-date"
    : answer.decision === "held-back"
    ? "held-back"
    : "update";
  return tell(session, { ...answer, installed: version, decision }, false);
}

function tell({ report }: Session, answer: Answer, fresh: boolean): boolean {
  const { installed: from, offered: to, decision, percent, notes, homepage } = answer;
  if (decision === "up-to-date") {
    const order = from !== null && isVersion(from) ? compareVersions(to, from) : 0;
    report({
      event: "up-to-date",
      version: from ?? to,
      ...order > 0 && { declined: to },
      ...order < 0 && { older: to },
    });
  }
  if (decision === "held-back") report({ event: "held-back", version: from, to, percent });
  if (decision !== "update") return false;
  report({
    event: "available",
    from,
    to,
    ...(notes !== undefined && { notes }),
    ...(homepage !== undefined && { homepage }),
    checked: new Date(answer.checked).toISOString(),
    fresh,
  });
  return true;
}

function failedLately({ system }: Session, options: Options, { asked }: KeptAnswer): UpdateError {
  const ago = Math.round((system.clock.now() - asked) / 60_000);
  return new UpdateError(
    "network",
    `There was no answer ${ago} minutes ago, and it is not asked again so soon`,
    { url: redactUrl(options.manifests[0]!), hint: "To ask now: --check without --max-age." },
  );
}

function nobodyKnows({ dir }: Session, options: Options): UpdateError {
  return new UpdateError("locked", "Another check asks just now, and there is no answer yet", {
    path: dir.asking,
    url: redactUrl(options.manifests[0]!),
    hint: "Try again in a few seconds.",
  });
}
