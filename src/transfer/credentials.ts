/**
 * Credentials for private servers, in netrc's form (entries may be spread over lines):
 *
 *     machine downloads.example.com login bob password s3cr3t
 *     machine artifacts.example.com:8443 header Bearer eyJhbGciOi…
 *
 * `header` is ours: the rest of its line is the whole `Authorization`. netrc's `default` (credentials
 * for everybody) and its macros are refused.
 */
import { UpdateError } from "../base/errors.ts";
import { isLoopback } from "../base/url_policy.ts";
import type { Authorize } from "./retry.ts";

const FORM = "Write: machine HOST login NAME password WORD, or: machine HOST header VALUE.";

/** What a header can hold on every server: printable ASCII. */
const HEADER = /^[\x20-\x7e]+$/;

interface Entry {
  readonly host: string;
  readonly line: number;
  login?: string;
  password?: string;
  header?: string;
}

/**
 * Reads the entries. `where` says what was read, for messages, which have nothing of its content but
 * a host. Throws `usage` with the line.
 */
export function parseCredentials(text: string, where: string): Authorize {
  const bad = (line: number, what: string) =>
    new UpdateError("usage", `The credentials in ${where} are not valid, line ${line}: ${what}`, {
      hint: FORM,
    });
  const values = new Map<string, string>();
  for (const { line, host, login, password, header } of readEntries(text, bad)) {
    const known = login !== undefined && password !== undefined;
    const value = header ?? (known ? basic(login, password) : undefined);
    if (!value || !HEADER.test(value)) throw bad(line, "expected login and password, or header");
    if (values.has(host)) throw bad(line, `${host} is there twice`);
    values.set(host, value);
  }
  return ({ protocol, hostname, host }) => {
    // Not even where plain http is allowed: that permission is about files whose digests are known.
    if (protocol !== "https:" && !isLoopback(hostname)) return undefined;
    return values.get(host) ?? values.get(hostname);
  };
}

function readEntries(text: string, bad: (line: number, what: string) => UpdateError): Entry[] {
  const entries: Entry[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const words = content.trim().split(/\s+/);
    for (let word = words.shift(); word; word = words.shift()) {
      if (word.startsWith("#")) break;
      const entry = entries.at(-1);
      const value = word === "header" ? words.splice(0).join(" ") : words.shift();
      if (!value) throw bad(line, `there is nothing after "${word.slice(0, 20)}"`);
      const host = word === "machine" ? hostKey(value) : undefined;
      if (host !== undefined) entries.push({ host, line });
      else if (word === "machine") throw bad(line, 'expected a host after "machine"');
      else if (word === "login" && entry) entry.login = value;
      else if (word === "password" && entry) entry.password = value;
      else if (word === "header" && entry) entry.header = value;
      else throw bad(line, 'expected "machine", "login", "password" or "header"');
    }
  }
  return entries;
}

/** A host as the URL parser writes it, with its port where that is not the usual one. */
function hostKey(host: string): string | undefined {
  return /[/@?#\\]/.test(host) ? undefined : URL.parse(`https://${host}/`)?.host;
}

/** The value of `Authorization` for a name and a password, RFC 7617. */
export function basic(login: string, password: string): string {
  return `Basic ${new TextEncoder().encode(`${login}:${password}`).toBase64()}`;
}
