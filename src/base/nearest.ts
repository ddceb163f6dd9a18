/** What was probably meant by a word that is none of those that are known. */

/** No word of ours is as long; what is compared may be. */
const LONGEST = 64;

/**
 * The option that the fewest insertions, removals, replacements and exchanges of two neighbours lead
 * to; case does not count.
 */
export function nearest(text: string, options: readonly string[]): string {
  const distances = options.map((option) => distance(text.slice(0, LONGEST), option));
  return options[distances.indexOf(Math.min(...distances))]!;
}

/** `; did you mean "--check"?`, or nothing where at least half of the text would have to change. */
export function didYouMean(text: string, options: readonly string[]): string {
  const found = nearest(text, options);
  const far = distance(text.slice(0, LONGEST), found) * 2 >= text.length;
  return far ? "" : `; did you mean "${found}"?`;
}

/** Of Damerau and Levenshtein ("optimal string alignment"), row by row. */
function distance(from: string, to: string): number {
  const [one, other] = [from.toLowerCase(), to.toLowerCase()];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  let before = row;
  for (const [above, letter] of [...one].entries()) {
    const next = [above + 1];
    for (let at = 0; at < other.length; at++) {
      const replaced = row[at]! + (letter === other[at] ? 0 : 1);
      const exchanged = at > 0 && letter === other[at - 1] && one[above - 1] === other[at];
      const swap = exchanged ? before[at - 1]! + 1 : Infinity;
      next.push(Math.min(replaced, row[at + 1]! + 1, next[at]! + 1, swap));
    }
    [before, row] = [row, next];
  }
  return row.at(-1)!;
}
