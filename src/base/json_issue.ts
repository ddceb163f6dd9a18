/** What is wrong with a JSON document, for people: the place, what was expected, what is there. */
import type { BaseIssue } from "valibot";

const FOUND_LENGTH = 80;
/** A key is as foreign as a value, and may be as long as the document. */
const KEY_LENGTH = 120;

/** `platforms["x86_64-…"].files[0].size: expected a whole number, found 1.5`. */
export function describeIssue(issue: BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => key);
  return `${jsonPath(keys) || "the document"}: expected ${expected(issue)}, found ${found(issue)}`;
}

/** Keys of nested objects and arrays as JavaScript would write them. */
export function jsonPath(keys: readonly unknown[]): string {
  return keys.map((key, index) => {
    if (typeof key === "number") return `[${key}]`;
    const name = shortened(String(key), KEY_LENGTH);
    return /^[A-Za-z_]\w*$/.test(name) ? `${index ? "." : ""}${name}` : `[${JSON.stringify(name)}]`;
  }).join("");
}

/** valibot names a missing field by the field, an unknown one by "never", an object by its type. */
function expected({ kind, type, expected, message }: BaseIssue<unknown>): string {
  if (kind !== "schema" || !/object|record/.test(type)) return message;
  if (expected === "never") return "no such field";
  return expected?.startsWith('"') ? "this field" : "an object";
}

function found({ input }: BaseIssue<unknown>): string {
  return shortened(JSON.stringify(input) ?? "nothing", FOUND_LENGTH);
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}
