/** A real HTTP proxy, Debian's tinyproxy, on loopback. */
import { join } from "@std/path";
import { closedPort } from "./network.ts";

/** Ends with its scope. */
export interface Proxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** What it was asked for up to now, such as `CONNECT localhost:443` or `GET http://…`. */
  requests(): string[];
}

/** Starts a proxy that wants these credentials. Throws where there is no tinyproxy. */
export async function startProxy(user: string, password: string): Promise<Proxy> {
  const folder = Deno.makeTempDirSync();
  const port = closedPort();
  const log = join(folder, "log");
  const configuration = join(folder, "configuration");
  Deno.writeTextFileSync(
    configuration,
    [`Port ${port}`, "Listen 127.0.0.1", "Timeout 60", "MaxClients 20", "LogLevel Connect"]
      .concat([`LogFile "${log}"`, `BasicAuth ${user} ${password}`, ""]).join("\n"),
  );
  const proxy = start(configuration);
  await untilListening(port);
  return {
    address: `127.0.0.1:${port}`,
    requests: () =>
      [...Deno.readTextFileSync(log).matchAll(/: (\S+ \S+) HTTP\/1/g)].map((match) => match[1]!),
    async [Symbol.asyncDispose]() {
      proxy.kill();
      await proxy.status;
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

function start(configuration: string): Deno.ChildProcess {
  try {
    const args = ["-d", "-c", configuration];
    return new Deno.Command("tinyproxy", { args, stdout: "null", stderr: "null" }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("This test needs the real proxy: apt-get install tinyproxy", { cause: error });
  }
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 200;; tries--) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (tries === 0) throw new Error("tinyproxy does not listen", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
