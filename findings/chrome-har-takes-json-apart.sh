#!/bin/sh
# chrome-har 1.3.1 (sitespeed.io, browsertime) writes no text of a JSON body, only `params` that it reads out of it: an empty list is
# gone, a list of one is its only item, and a second item is a second param of the same name. What was sent can't be had back.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund chrome-har@1.3.1 >/dev/null
cat > convert.mjs <<'JS'
import { harFromMessages } from "chrome-har";
// DevTools' events of one page that sends one body.
const body = '{"value":203.630,"tags":[],"one":[{"type":"SALE"}],"two":["a","b"]}';
const of = (requestId, url, request, type) => [
  { method: "Network.requestWillBeSent", params: { requestId, loaderId: "1", documentURL: "http://shop.example/", frameId: "1", type,
    timestamp: 1, wallTime: 1793707200, initiator: { type: "other" }, request: { url, headers: {}, ...request } } },
  { method: "Network.responseReceived", params: { requestId, frameId: "1", loaderId: "1", timestamp: 2, type, response: { url,
    status: 200, statusText: "OK", headers: {}, mimeType: "text/html", connectionId: 1, protocol: "http/1.1", encodedDataLength: 0,
    timing: { requestTime: 1, proxyStart: -1, proxyEnd: -1, dnsStart: -1, dnsEnd: -1, connectStart: -1, connectEnd: -1, sslStart: -1,
      sslEnd: -1, sendStart: 0, sendEnd: 1, receiveHeadersEnd: 2 } } } },
  { method: "Network.loadingFinished", params: { requestId, timestamp: 3, encodedDataLength: 10 } },
];
const har = harFromMessages([
  { method: "Page.frameStartedLoading", params: { frameId: "1" } },
  ...of("1", "http://shop.example/", { method: "GET" }, "Document"),
  ...of("2", "http://shop.example/order", { method: "POST", postData: body, headers: { "Content-Type": "application/json" } }, "Fetch"),
]);
const { postData } = har.log.entries.find((entry) => entry.request.method === "POST").request;
console.log("sent:  ", body);
console.log("text:  ", postData.text);
console.log("params:", JSON.stringify(postData.params));
JS
node convert.mjs | tee seen
diff seen - <<'SEEN'
sent:   {"value":203.630,"tags":[],"one":[{"type":"SALE"}],"two":["a","b"]}
text:   undefined
params: [{"name":"value","value":203.63},{"name":"one","value":{"type":"SALE"}},{"name":"two","value":"a"},{"name":"two","value":"b"}]
SEEN
