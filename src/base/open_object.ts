/** An object of a document that others write: it may have fields that this version does not know. */
import * as v from "valibot";

/**
 * The named fields; what else is there is left out. Of valibot's two kinds of objects only the strict
 * one is in the bundle.
 */
export function openObject<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = (input: unknown) =>
    typeof input !== "object" || input === null
      ? input
      : Object.fromEntries(Object.entries(input).filter(([key]) => Object.hasOwn(entries, key)));
  return v.pipe(v.custom<unknown>(() => true), v.transform(known), v.strictObject(entries));
}
