/**
 * The text without all of these characters at its end. `/[. ]+$/` would do the same, in a time that
 * grows with the square of the length: it tries anew from each of them.
 */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}
