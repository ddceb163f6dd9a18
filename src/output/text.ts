/** Text from outside, made safe to show: a server or a file name must not steer the terminal. */

/**
 * Control characters (with them ANSI sequences and line ends), line separators, and every format
 * character: those turn the direction of writing, hide text or take no space.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}]/gu;

/**
 * Longer than any message of ours with two of the longest paths in it. Where something foreign is
 * longer, its beginning says enough: a megabyte on a terminal says nothing.
 */
const LIMIT = 16_384;

function bounded(text: string): string {
  return text.length > LIMIT ? `${text.slice(0, LIMIT)}... (${text.length} characters)` : text;
}

/** One line of text that says what it seems to say; what it may not hold becomes `\u{1b}`. */
export function visible(text: string): string {
  return bounded(text).toWellFormed().replace(
    UNSAFE,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** JSON with the same bound and characters escaped: JSON itself lets most of them through. */
export function visibleJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, item) => typeof item === "string" ? bounded(item) : item,
  );
  return text.replace(
    UNSAFE,
    // A character beyond the first 65536 is two escapes in JSON.
    (character) =>
      character.split("").map((half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}
