/** What is wrong with a JSON document, for people: the place, what was expected, what is there. */
import type { BaseIssue } from "valibot";

const FOUND_LENGTH = 80;

/** `platforms["x86_64-…"].files[0].size: expected a whole number, found 1.5`. */
export function describeIssue(issue: BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => key);
  return `${jsonPath(keys) || "the document"}: expected ${expected(issue)}, found ${found(issue)}`;
}

/** Keys of nested objects and arrays as JavaScript would write them. */
export function jsonPath(keys: readonly unknown[]): string {
  return keys.map((key, index) => {
    if (typeof key === "number") return `[${key}]`;
    if (!/^[A-Za-z_]\w*$/.test(String(key))) return `[${JSON.stringify(key)}]`;
    return `${index ? "." : ""}${key}`;
  }).join("");
}

/** valibot names a missing field by the field, an unknown one by "never", an object by its type. */
function expected({ kind, type, expected, message }: BaseIssue<unknown>): string {
  if (kind !== "schema" || !/object|record/.test(type)) return message;
  if (expected === "never") return "no such field";
  return expected?.startsWith('"') ? "this field" : "an object";
}

function found({ input }: BaseIssue<unknown>): string {
  const text = JSON.stringify(input) ?? "nothing";
  return text.length > FOUND_LENGTH ? `${text.slice(0, FOUND_LENGTH)}...` : text;
}
