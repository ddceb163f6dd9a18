/** What is to be said of the URLs of a release before users' shims say it. */
import { UpdateError } from "../base/errors.ts";
import { isFileUrl, isUrl, redactUrl, refuseScheme } from "../base/url_policy.ts";
import type { Manifest } from "../release/manifest.ts";
import { visible } from "../output/text.ts";
import { withoutEnd } from "../base/text_end.ts";
import type { PackSystem } from "./pack_system.ts";

/** `--url`: https, or this machine; `./` and `../` are relative to the manifest. Throws `usage`. */
export function checkBase(base: string | undefined): void {
  if (base === undefined || /^\.{1,2}\//.test(base) || isFileUrl(base)) return;
  const shown = redactUrl(base);
  const url = isUrl(base) ? URL.parse(base) : null;
  if (!url) {
    const host = base.replace(/^[a-z]*:?\/*/i, (start) => /[:/]$/.test(start) ? "" : start);
    throw new UpdateError("usage", `--url ${shown || '""'} is no URL`, {
      hint: `Write it with https://, such as --url https://${host || "example.com/mytool/1.4.0"}`,
    });
  }
  const refusal = refuseScheme(url, false);
  if (refusal === undefined) return;
  throw new UpdateError("usage", `A user's shim refuses --url ${shown}: ${refusal}`, {
    hint: `Write --url ${shown.replace(/^[^:]+:/, "https:")}`,
  });
}

/**
 * Says so where the next version's file will take the place of this one's: between the two uploads
 * the manifest and the file are of different versions, and every shim refuses them.
 */
export function warnOfSameUrls(
  { version, platforms }: Manifest,
  base: string | undefined,
  terminal: PackSystem["terminal"],
): void {
  const urls = Object.values(platforms).flatMap(({ files }) => files.map(({ url }) => url));
  const same = urls.find((url) => !url.includes(version) && !/\d\.\d/.test(pathOf(url)));
  if (same === undefined) return;
  const better = `${withoutEnd(base ?? "https://example.com/mytool", "/")}/${version}`;
  terminal.err(
    `updater-shim-pack: warning: every version will have the same URL, ${
      visible(redactUrl(same))
    }\n` +
      "  While you upload the next one, users get code 4: file and manifest are of two versions.\n" +
      `  Put the version into the URL, and upload the files there: --url ${visible(better)}\n`,
  );
}

/** The host may be an address, and is no version. */
function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? url;
}
