/** `--check`: is there a newer version? */
import type { Options } from "../cli/config.ts";
import type { Session } from "../session.ts";
import { openAccess } from "./access.ts";
import { readOffer } from "./offer.ts";

/** True if there is something to update to. Changes nothing. */
export async function check(
  session: Session,
  options: Options,
  stop: AbortSignal,
): Promise<boolean> {
  const access = openAccess(session.system, options);
  const { manifest, installed, decision } = await readOffer(session, options, access, stop);
  const available = decision === "update";
  session.report(
    available
      ? { event: "available", from: installed.version, to: manifest.version }
      : { event: "up-to-date", version: manifest.version },
  );
  return available;
}
