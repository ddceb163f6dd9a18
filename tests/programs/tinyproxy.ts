/** A second real HTTP proxy, Debian's tinyproxy, on loopback: in C, and not alike in its answers. */
import { join } from "@std/path";
import type { Proxy } from "../support/behind_proxy.ts";
import { closedPort } from "../support/network.ts";

/** Starts a proxy that wants these credentials. */
export async function startTinyproxy(user: string, password: string): Promise<Proxy> {
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
  const args = ["-d", "-c", configuration];
  return new Deno.Command("tinyproxy", { args, stdout: "null", stderr: "null" }).spawn();
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
