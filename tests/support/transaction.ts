/** One whole transaction, for tests that do not come from a command. */
import { type Digested, digestFile } from "../../src/files/digest.ts";
import { onFile } from "../../src/files/fs_errors.ts";
import type { HealthCheck } from "../../src/base/health_check.ts";
import { lookAt } from "../../src/files/durable_files.ts";
import { pathOf } from "../../src/installation/targets.ts";
import type { Session } from "../../src/session.ts";
import { fillAll, Staging } from "../../src/transaction/transaction.ts";
import { RECEIPT } from "./receipt.ts";

/** Puts the new bytes into an empty file that is there. What it has read of it, if it has. */
type Fill = (staged: string, name: string) => Digested | void | Promise<void>;

/** Replaces what these names of the install dir stand for; the old ones are kept for a rollback. */
export async function transact(
  session: Session,
  names: readonly string[],
  fill: Fill,
  check: HealthCheck,
  stop: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { system, dir } = session;
  const { fs } = system;
  const wanted = names.map((name) => {
    const path = pathOf(system, dir, name);
    const executable = { name, path, current: lookAt(fs, path) };
    return { executable, digest: null, mode: 0o755, run: true };
  });
  await using staging = Staging.begin(session, wanted, check);
  const filled = await fillAll(
    staging.files,
    ({ staged, name }) =>
      onFile("fill", staged, async () => {
        const made = await fill(staged, name);
        return made ?? digestFile(fs, staged);
      }),
    stop,
  );
  const staged = await staging.prove(filled, stop);
  const kept = staged.flatMap(({ name, old }) => old ? [{ name, ...old }] : []);
  const receipt = {
    ...RECEIPT,
    files: staged.map(({ name, fresh }) => ({ name, ...fresh })),
    rollback: { version: "1.0.0", release: null, files: kept },
  };
  await staging.commit(staged, receipt, stop);
}
