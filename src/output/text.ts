/** Text from outside, made safe to show: a server or a file name must not steer the terminal. */

/**
 * Control characters (with them ANSI sequences and line ends), line separators, and every format
 * character: those turn the direction of writing, hide text or take no space.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line of text that says what it seems to say; what it may not hold becomes `\u{1b}`. */
export function visible(text: string): string {
  return text.toWellFormed().replace(
    UNSAFE,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** JSON with the same characters escaped: JSON itself lets most of them through. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    // A character beyond the first 65536 is two escapes in JSON.
    (character) =>
      character.split("").map((half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}
