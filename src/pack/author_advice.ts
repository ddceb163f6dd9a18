/** The shim's advice, which is for a user, in the words of who made the release. */
import type { UpdateError } from "../base/errors.ts";

/** By the message: the first that fits counts. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/is not signed/, "Sign it with --sign, and upload the .minisig beside it."],
  [
    /not with a trusted one/,
    "Give the key that users' shims have, or sign with that one: --sign KEYFILE",
  ],
  [
    /signature with key|trusted comment/,
    "Upload the manifest and the .minisig of one run. If they are, somebody may have replaced one.",
  ],
  [/ expired on /, "Pack again, with a later --expires."],
  [/is not what the manifest says/, "Upload the file that was packed, or pack again."],
  [/^Cannot (unpack|read the \.)/, "Make the archive anew, then pack."],
  [/HTTP 404/, "Check the address; if it is right, upload the file there."],
];

/** What to do next; undefined where nothing was advised. */
export function adviceForAuthor({ message, hint }: UpdateError): string | undefined {
  if (hint === undefined || !/the tool's authors|announced a new key|^Nothing was/.test(hint)) {
    return hint?.replace(/Use https, or --allow-http .*/, "Use https, as users' shims do.");
  }
  const found = ADVICE.find(([pattern]) => pattern.test(message))?.[1];
  if (found !== undefined) return found;
  return /the tool's authors/.test(hint)
    ? "Pack again, and upload all that it writes."
    : hint.replace(/^Nothing was \w+\. /, "").replace("--auth-file, or ", "");
}
