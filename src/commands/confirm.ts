/** Asks before something is removed for good. */
import { UpdateError } from "../base/errors.ts";
import { whenStopped } from "../base/stopped.ts";
import { visible } from "../output/text.ts";
import type { Session } from "../session.ts";

/** A whole line, of which the first letter counts. */
const ANSWER_BYTES = 1024;

/**
 * Asks at a terminal whether these files are to be removed; without a terminal nobody is asked, as in
 * a script. Returns where the answer is yes. Throws `interrupted` where it is not, `usage` where nobody
 * would see the question, or the reason of `stop` where somebody interrupts instead of answering.
 */
export async function confirmRemoval(
  { system: { terminal } }: Session,
  files: readonly string[],
  stop: AbortSignal,
): Promise<void> {
  if (!terminal.isAttended || files.length === 0) return;
  if (!terminal.isInteractive) {
    throw new UpdateError("usage", "Cannot ask first: standard error is not the terminal", {
      hint: "Nothing was removed. With --yes nobody is asked.",
    });
  }
  const lines = ["This will be removed:", ...files.map((file) => `  ${file}`)];
  terminal.err(lines.map((line) => `${visible(line)}\n`).join("") + "Remove it? [y/N] ");
  const buffer = new Uint8Array(ANSWER_BYTES);
  const count = await Promise.race([terminal.readInput(buffer), whenStopped(stop)]);
  const answer = new TextDecoder().decode(buffer.subarray(0, count ?? 0)).trim();
  if (/^(y|yes)$/i.test(answer)) return;
  throw new UpdateError("interrupted", "The answer was not yes", {
    hint: "Nothing was removed. With --yes nobody is asked.",
  });
}
