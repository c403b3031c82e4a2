#!/bin/sh
# Polly.JS 6.0.6 writes HAR 1.2 with `encoding: "base64"` for a compressed answer, but the text is no base64: it is a JSON list of
# base64 texts, one for each part that arrived, still compressed. What decodes it as HAR says gets nothing, or noise.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @pollyjs/core@6.0.6 @pollyjs/adapter-node-http@6.0.6 @pollyjs/persister-fs@6.0.6 >/dev/null
cat > record.cjs <<'JS'
const fs = require("fs");
const http = require("http");
const zlib = require("zlib");
const { Polly } = require("@pollyjs/core");
Polly.register(require("@pollyjs/adapter-node-http"));
Polly.register(require("@pollyjs/persister-fs"));
const server = http.createServer((_, answer) => {
  answer.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(zlib.gzipSync('{"id": 237}'));
});
server.listen(0, "127.0.0.1", async () => {
  const recording = new Polly("calls", {
    adapters: ["node-http"], persister: "fs", persisterOptions: { fs: { recordingsDir: "made" } }, logLevel: "silent",
  });
  await new Promise((done) => http.get({ port: server.address().port, host: "127.0.0.1", path: "/my-accounts" },
    (answer) => answer.resume().on("end", done)));
  await recording.stop();
  const [file] = fs.readdirSync("made", { recursive: true }).filter((name) => name.endsWith(".har"));
  const { content } = JSON.parse(fs.readFileSync(`made/${file}`, "utf8")).log.entries[0].response;
  console.log("encoding:", content.encoding);
  console.log("the text begins:", content.text.slice(0, 2));
  const parts = JSON.parse(content.text).map((part) => Buffer.from(part, "base64"));
  console.log("read as a list:", zlib.gunzipSync(Buffer.concat(parts)).toString());
  process.exit(0);
});
JS
node record.cjs | tee seen
diff seen - <<'SEEN'
encoding: base64
the text begins: ["
read as a list: {"id": 237}
SEEN
