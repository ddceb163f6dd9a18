/** Certificates for TLS servers of tests, made by the real `openssl`. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";

/** PEM texts. */
export interface Certificates {
  /** The authority that a client must trust. */
  readonly ca: string;
  /** The server's, for `localhost` and 127.0.0.1. */
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority and a server certificate of it, valid for two days. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = Deno.makeTempDirSync();
  try {
    const path = (name: string) => join(folder, name);
    const read = (name: string) => Deno.readTextFileSync(path(name));
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"];
    await openssl("req", "-x509", ...key, path("ca.key"), "-out", path("ca.pem"), [
      ...["-days", "2", "-subj", "/CN=an authority for a test"],
      ...["-addext", "keyUsage=critical,keyCertSign"],
    ]);
    await openssl("req", ...key, path("server.key"), "-out", path("server.csr"), [
      ...["-subj", "/CN=localhost"],
    ]);
    Deno.writeTextFileSync(path("server.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    await openssl("x509", "-req", "-in", path("server.csr"), "-out", path("server.pem"), [
      ...["-days", "2", "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial"],
      ...["-extfile", path("server.ext")],
    ]);
    return { ca: read("ca.pem"), cert: read("server.pem"), key: read("server.key") };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function openssl(...args: (string | string[])[]): Promise<void> {
  const { code, stderr } = await new Deno.Command("openssl", { args: args.flat() }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
}
