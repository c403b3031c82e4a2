// Makes the same calls with axios or newman, recorded by a Node tool.
//   node node_clients.cjs axios-har-tracker|polly|nock|newman BASE_URL TO
const fs = require("fs");
const path = require("path");
const calls = JSON.parse(fs.readFileSync(path.join(__dirname, "calls.json"), "utf8"));
const need = require("module").createRequire(path.join(process.cwd(), "x.js"));

async function makeCalls(base, client) {
  const credentials = Buffer.from(`${calls.email}:${calls.password}`).toString("base64");
  const answer = await client.post(`${base}/public/api/auth/token`, { credentials });
  const headers = { gumgaToken: answer.data.accessToken, integrator: calls.integrator };
  await Promise.all(calls.orders.map((order) => client.post(`${base}/order`, order, { headers })));
  const { marketplaceCode, channelName, accountId } = calls.orders[0];
  await client.get(`${base}/order`, { headers, params: { marketplaceCode, channelName, accountId } });
  await client.delete(`${base}/order`, { headers, params: { marketplaceCode: "nowhere", channelName, accountId } }).catch(() => {});
  await client.get("http://127.0.0.1:9/order", { headers }).catch(() => {});
}

async function axiosHarTracker(base, to) {
  const axios = need("axios").create({ proxy: false });
  const { AxiosHarTracker } = need("axios-har-tracker");
  const tracker = new AxiosHarTracker(axios);
  await makeCalls(base, axios);
  fs.writeFileSync(to, JSON.stringify(tracker.getGeneratedHar(), null, 1));
}

async function polly(base, to) {
  const { Polly } = need("@pollyjs/core");
  Polly.register(need("@pollyjs/adapter-node-http"));
  Polly.register(need("@pollyjs/persister-fs"));
  const folder = fs.mkdtempSync("/tmp/polly-");
  const recording = new Polly("calls", {
    adapters: ["node-http"], persister: "fs", persisterOptions: { fs: { recordingsDir: folder } },
    recordFailedRequests: true, logLevel: "silent",
  });
  await makeCalls(base, need("axios").create({ proxy: false }));
  await recording.stop();
  const [made] = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".har"));
  fs.copyFileSync(path.join(folder, made), to);
}

async function nock(base, to) {
  const nock = need("nock");
  nock.recorder.rec({ output_objects: true, dont_print: true, enable_reqheaders_recording: true });
  await makeCalls(base, need("axios").create({ proxy: false }));
  fs.writeFileSync(to, JSON.stringify(nock.recorder.play(), null, 1));
}

function newman(base, to) {
  const raw = (value) => ({ mode: "raw", raw: JSON.stringify(value) });
  const credentials = Buffer.from(`${calls.email}:${calls.password}`).toString("base64");
  const json = { key: "Content-Type", value: "application/json" };
  const own = [{ key: "gumgaToken", value: "{{token}}" }, { key: "integrator", value: calls.integrator }];
  const item = [
    {
      name: "token", request: { method: "POST", url: `${base}/public/api/auth/token`, header: [json], body: raw({ credentials }) },
      event: [{ listen: "test", script: { exec: ["pm.environment.set('token', pm.response.json().accessToken)"] } }],
    },
    ...calls.orders.map((order) => ({
      name: "order", request: { method: "POST", url: `${base}/order`, header: [json, ...own], body: raw(order) },
    })),
    { name: "nobody", request: { method: "GET", url: "http://127.0.0.1:9/order?accountId=19055", header: own } },
  ];
  const collection = { info: { name: "calls", schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" }, item };
  return new Promise((done) =>
    need("newman").run({ collection, reporters: ["json"], reporter: { json: { export: to } } }, done));
}

const [tool, base, to] = process.argv.slice(2);
({ "axios-har-tracker": axiosHarTracker, polly, nock, newman })[tool](base, path.resolve(to)).then(() => process.exit(0));
