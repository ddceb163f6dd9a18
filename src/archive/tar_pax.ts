/** Extended headers of pax: records of the form `LENGTH KEY=VALUE\n` (POSIX.1-2017, pax). */
import { ArchiveError } from "./policy.ts";

/** Sparse files, and sizes that only some readers know of: their content has no one form. */
const REFUSED = /^(GNU\.sparse\.|SCHILY\.realsize$|SUN\.holesdata$)/;

const MAX_DECIMAL = 15;

/** Whether it is a number as POSIX writes one: `0x600`, `5.0`, `1e3` and `+5` are other numbers to others. */
export function isDecimal(text: string): boolean {
  return text.length <= MAX_DECIMAL && /^(0|[1-9]\d*)$/.test(text);
}

/** All records. Throws `ArchiveError` unless every byte belongs to one, and no key comes twice. */
export function readPax(content: Uint8Array): Map<string, string> {
  // Lengths count bytes: with one character a byte they are indexes.
  const text = new TextDecoder("latin1").decode(content);
  const records = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    const head = /^([1-9]\d{0,5}) ([^=\n]+)=/.exec(text.slice(at, at + 1024));
    const end = at + Number(head?.[1]);
    if (!head || end <= at + head[0].length || end > text.length || text[end - 1] !== "\n") {
      throw new ArchiveError("it has an extended header that cannot be read");
    }
    const key = head[2]!;
    if (REFUSED.test(key)) {
      throw new ArchiveError(`it has a sparse file (${key}), which readers unpack differently`);
    }
    if (records.has(key)) throw new ArchiveError(`it says "${key}" twice in one extended header`);
    records.set(key, new TextDecoder().decode(content.subarray(at + head[0].length, end - 1)));
    at = end;
  }
  return records;
}
