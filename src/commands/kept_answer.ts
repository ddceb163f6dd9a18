/**
 * The answer of the last `--check --max-age`, kept in the tool's state dir, so that a tool can ask at
 * each of its starts and the network is asked once a day.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as v from "valibot";
import type { Options } from "../cli/config.ts";
import { lookAt, realPath, replaceFile } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { type Form, readKept } from "../files/trusted_file.ts";
import type { Session } from "../session.ts";

/** Up to this share longer, by chance: else all who start at nine o'clock ask at nine o'clock. */
const JITTER = 0.25;

const Time = v.pipe(v.number(), v.safeInteger());

/** An executable as it was then, without reading it. */
const SeenSchema = v.strictObject({
  name: v.string(),
  size: v.nullable(v.number()),
  mtime: v.nullable(v.number()),
});

const AnswerSchema = v.strictObject({
  /** Milliseconds since 1970. */
  checked: Time,
  installed: v.nullable(v.string()),
  seen: v.array(SeenSchema),
  offered: v.string(),
  decision: v.picklist(["update", "up-to-date", "held-back"]),
  percent: v.number(),
  notes: v.optional(v.string()),
  homepage: v.optional(v.string()),
});

const KeptSchema = v.strictObject({
  format: v.literal(1),
  /** What was asked: the answer to another question is of no use. */
  question: v.string(),
  /** The last try. One that failed counts as well: it is no reason to ask at each start. */
  asked: Time,
  /** From 0 to 1, drawn for each try. */
  chance: v.number(),
  /** Null while there was none. */
  answer: v.nullable(AnswerSchema),
});

/** What the server said, and what was installed then. */
export type Answer = Readonly<v.InferOutput<typeof AnswerSchema>>;
/** The last try, and the last answer. */
export type KeptAnswer = Readonly<v.InferOutput<typeof KeptSchema>>;

const FORM: Form<KeptAnswer> = {
  what: "the kept answer",
  limit: 64 * 1024,
  format: 1,
  schema: KeptSchema,
};

/** What is kept for this question; undefined where nothing is, or what is cannot be read. */
export function readKeptAnswer(
  { system, dir }: Session,
  question: string,
): KeptAnswer | undefined {
  const kept = readKept(system, dir.answer, FORM);
  return kept.state === "valid" && kept.value.question === question ? kept.value : undefined;
}

/** Keeps it, in one step. */
export function keepAnswer({ system: { fs }, dir }: Session, kept: KeptAnswer): void {
  const path = dir.answer;
  onFile("write", path, () => replaceFile(fs, path, JSON.stringify(kept) + "\n"));
}

/** Whether the last try is so young that none is made. A time to come is not: the clock was wrong. */
export function isYoung({ asked, chance }: KeptAnswer, maxAgeMs: number, now: number): boolean {
  return asked <= now && now - asked < maxAgeMs * (1 + JITTER * chance);
}

/** All that the answer depends on, but for what is installed. */
export function questionOf(options: Options): string {
  const { manifests, name, publicKeys, pin, allowDowngrade, ignoreRollout } = options;
  const asked = [manifests, name, publicKeys, pin, allowDowngrade, ignoreRollout];
  return createHash("sha256").update(JSON.stringify(asked)).digest("hex");
}

/** How the executables of these names look now: another installer shows by it. */
export function seen({ system: { fs }, dir }: Session, names: readonly string[]): Answer["seen"] {
  return names.map((name) => {
    const path = join(dir.path, name);
    const info = lookAt(fs, path)?.isSymlink ? lookAt(fs, realPath(fs, path)) : lookAt(fs, path);
    return { name, size: info?.size ?? null, mtime: info?.mtime?.getTime() ?? null };
  });
}
