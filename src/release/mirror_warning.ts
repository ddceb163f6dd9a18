/** What a user hears of a mirror that could not be used. */
import type { UpdateError } from "../base/errors.ts";
import type { Report } from "../base/events.ts";
import { redactUrl } from "../base/url_policy.ts";

/** A warning: the update goes on, but whoever runs the mirror should know. */
export function tellMirror(report: Report, failure: UpdateError, next: string | undefined): void {
  const { message, path, url } = failure;
  report({
    event: "warning",
    message,
    ...(path !== undefined && { path }),
    ...(url !== undefined && { url }),
    hint: next === undefined
      ? "No other mirror is left."
      : `Trying the next mirror instead: ${redactUrl(next)}`,
  });
}
