/** Who is offered a release that is handed out step by step. Pure. */
import { createHash } from "node:crypto";
import type { Manifest } from "./manifest.ts";

/** Digits of the digest that make a place from 0 to 1: as many as a number holds exactly. */
const DIGITS = 12;

/**
 * Whether an installation is among the first `percent` of all. Its place is the digest of the release
 * and of its own random id: who has a release at 5 % has it at 20 % too, and another release has
 * others first. Without an id (nothing was ever written here) it comes last.
 */
export function isOffered(
  { name, version, rollout }: Pick<Manifest, "name" | "version" | "rollout">,
  installationId: string | undefined,
): boolean {
  const percent = rollout?.percent ?? 100;
  if (percent >= 100) return true;
  if (installationId === undefined) return false;
  const digest = createHash("sha256").update(`${name} ${version} ${installationId}`).digest("hex");
  return parseInt(digest.slice(0, DIGITS), 16) / 16 ** DIGITS < percent / 100;
}
