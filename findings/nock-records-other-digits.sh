#!/bin/sh
# nock 14.0.17's recorder keeps a JSON body as JavaScript reads it: of a whole number beyond 2^53 other digits than were sent, and of an
# answer likewise. The call itself went out as it was, so the fixture and the endpoint tell of two orders.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund nock@14.0.17 >/dev/null
cat > record.cjs <<'JS'
const http = require("http");
const nock = require("nock");
const server = http.createServer((call, answer) => {
  let text = "";
  call.on("data", (part) => (text += part)).on("end", () => {
    console.log("sent:    ", text);
    answer.setHeader("content-type", "application/json").end('{"id":9007199254740993,"value":10.00}');
  });
});
server.listen(0, "127.0.0.1", () => {
  nock.recorder.rec({ output_objects: true, dont_print: true });
  const options = { port: server.address().port, host: "127.0.0.1", path: "/order", method: "POST" };
  const call = http.request({ ...options, headers: { "content-type": "application/json" } }, (answer) => {
    answer.resume().on("end", () => {
      const [kept] = nock.recorder.play();
      console.log("recorded:", JSON.stringify(kept.body));
      console.log("answer:  ", JSON.stringify(kept.response));
      process.exit(0);
    });
  });
  call.end('{"marketplaceCode":9007199254740993,"value":203.630}');
});
JS
node record.cjs | tee seen
diff seen - <<'SEEN'
sent:     {"marketplaceCode":9007199254740993,"value":203.630}
recorded: {"marketplaceCode":9007199254740992,"value":203.63}
answer:   {"id":9007199254740992,"value":10}
SEEN
