// The mock for tests in Node: starts the command on a free port, which listens when it has printed its address.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export async function konciliMock(...options) {
  const command = process.env.KONCILI ?? "koncili-conformance";
  const child = spawn(command, ["mock", "--port", "0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const lines = [];
  const output = createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  await Promise.race([once(output, "line"), ended.then(([code]) => { throw new Error(`the mock ended: ${code}`); })]);
  const baseUrl = lines[0].split(" ")[3];
  const ask = async (what) => (await fetch(`${baseUrl}/_mock${what}`)).json(); // "?state=1", "/violations", "/requests?status=400"
  const command_ = async (body) => (await fetch(`${baseUrl}/_mock`, { method: "POST", body: JSON.stringify(body) })).json();
  const stop = async () => (child.kill("SIGTERM"), { code: (await ended)[0], lines });
  return { baseUrl, ask, command: command_, stop };
}
